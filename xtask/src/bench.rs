//! Benchmarks of the rooms whose speed is a promise.

use crate::command::{Failed, cargo, run};
use crate::python::Python;

/// The rooms, as typed.
pub(crate) const ROOMS: [&str; 3] = ["mix", "data", "engine"];

/// Rounds in which the engine and PyTorch take turns: a shared machine changes its speed from
/// minute to minute, a ratio inside one round hardly does.
const ROUNDS: usize = 3;

/// Runs the benchmarks of `rooms`.
///
/// # Errors
///
/// [`Failed`] if a benchmark fails, or if there is no PyTorch to compare the engine with.
pub(crate) fn run_rooms(rooms: &[&str]) -> Result<(), Failed> {
    rooms.iter().try_for_each(|&room| match room {
        "engine" => engine(),
        _ => benches(room),
    })
}

fn engine() -> Result<(), Failed> {
    let python = Python::prepare()?;
    let rivals = Python::scripts("benches")?;
    for round in 1..=ROUNDS {
        eprintln!("\nround {round} of {ROUNDS}");
        benches("nn")?;
        rivals.iter().try_for_each(|rival| python.run(rival))?;
    }
    Ok(())
}

fn benches(room: &str) -> Result<(), Failed> {
    run(&cargo(), &["bench", "--package", &format!("sparkjoy-{room}"), "--benches"])
}

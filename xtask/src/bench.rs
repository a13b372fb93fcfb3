//! Benchmarks of the rooms whose speed is a promise.

use crate::command::{Failed, built, cargo, run};
use crate::python::Python;

/// The rooms, as typed.
pub(crate) const ROOMS: [&str; 3] = ["mix", "data", "engine"];

/// Runs the benchmarks of `rooms`.
///
/// # Errors
///
/// [`Failed`] if a benchmark fails, or if there is no PyTorch to compare the engine with.
pub(crate) fn run_rooms(rooms: &[&str]) -> Result<(), Failed> {
    rooms.iter().try_for_each(|&room| match room {
        "engine" => engine(),
        _ => run(&cargo(), &["bench", "--package", &format!("sparkjoy-{room}"), "--benches"]),
    })
}

/// The engine and PyTorch take turns, step by step: a shared machine changes its speed from minute
/// to minute, a ratio inside one round hardly does.
fn engine() -> Result<(), Failed> {
    let program = built(&["bench", "--package", "sparkjoy-nn", "--bench", "step", "--no-run"])?;
    let python = Python::prepare()?;
    python.run("crates/nn/benches/compare.py", &[&program], None)
}

//! Benchmarks of the crates whose speed is a promise.

use std::path::Path;

use crate::command::{Failed, built, cargo, root, run};
use crate::python::Python;

pub(crate) const CRATES: [&str; 3] = ["mix", "data", "engine"];

/// What the comparison of engines is passed on, each with a value.
const PASSED_ON: [&str; 5] = ["--shapes", "--rounds", "--threads", "--engines", "--json"];

/// Other Rust frameworks: a package of its own, so that nobody builds them who did not ask.
const PEERS: &str = "crates/nn/benches/peers";

/// Runs the benchmarks of `crates`.
///
/// # Errors
///
/// [`Failed`] if a benchmark fails, or if there is no PyTorch to compare the engine with.
pub(crate) fn run_crates(crates: &[&str]) -> Result<(), Failed> {
    crates.iter().try_for_each(|&name| match name {
        "engine" => engine(&[]),
        _ => run(&cargo(), &["bench", "--package", &format!("sparkjoy-{name}"), "--benches"]),
    })
}

/// The engine and PyTorch take turns, step by step: a shared machine changes its speed from minute
/// to minute, a ratio inside one round hardly does.
///
/// # Errors
///
/// [`Failed`] as [`run_crates`], and for an option it does not know.
pub(crate) fn engine(options: &[&str]) -> Result<(), Failed> {
    let (arguments, with_peers) = comparison(options)?;
    let mut arguments: Vec<&str> = arguments;
    let program = built(&["bench", "--package", "sparkjoy-nn", "--bench", "step", "--no-run"])?;
    arguments.insert(0, &program);
    let peers = root().join(PEERS);
    let peers_program = root().join("target/peers/release/peers").to_string_lossy().into_owned();
    if with_peers {
        let manifest = peers.join("Cargo.toml").to_string_lossy().into_owned();
        let target = root().join("target/peers").to_string_lossy().into_owned();
        // Their kernels are chosen when they are built; ours when it runs.
        let native = "build.rustflags=[\"-Ctarget-cpu=native\"]";
        let build = ["build", "--release", "--config", native];
        let places = ["--manifest-path", &manifest, "--target-dir", &target];
        run(&cargo(), &[&build[..], &places[..]].concat())?;
        arguments.extend(["--peers", &peers_program]);
    }
    Python::prepare()?.run("crates/nn/benches/compare.py", &arguments, None)?;
    let threads = std::thread::available_parallelism().map_or(1, Into::into).to_string();
    ["10M", "40M"]
        .iter()
        .try_for_each(|shape| run(Path::new(&program), &["products", shape, &threads]))
}

/// What the comparison is passed on of `options`, and whether `--peers` was among them.
fn comparison<'a>(options: &[&'a str]) -> Result<(Vec<&'a str>, bool), Failed> {
    let mut arguments = Vec::new();
    let mut peers = false;
    let mut rest = options.iter();
    while let Some(&option) = rest.next() {
        match rest.as_slice() {
            _ if option == "--peers" => peers = true,
            [value, ..] if PASSED_ON.contains(&option) => {
                arguments.extend([option, value]);
                rest.next();
            }
            _ => {
                let known = PASSED_ON.join(", ");
                return Err(Failed(format!(
                    "`{option}` is not understood\n\nhint: type {known} with a value, or --peers"
                )));
            }
        }
    }
    Ok((arguments, peers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_passed_on_and_peers_is_ours() {
        let (arguments, peers) = comparison(&["--rounds", "3", "--peers"]).unwrap();
        assert_eq!(arguments, ["--rounds", "3"]);
        assert!(peers);
        assert!(!comparison(&["--shapes", "10M,40M"]).unwrap().1);
    }

    #[test]
    fn an_option_that_means_nothing_is_refused() {
        for wrong in [&["--round", "3"][..], &["--rounds"], &["10M"]] {
            assert!(comparison(wrong).unwrap_err().0.contains(wrong[0]));
        }
    }
}

//! The whole check: what a change must pass, here and on any machine.

use std::process::{Command, Stdio};

use crate::command::{self, Failed, cargo};
use crate::torture;

/// Cheapest first. All of it needs a Rust toolchain and a C compiler, nothing else: what was
/// checked against Python is checked again against numbers that lie in the repository.
const STEPS: [&[&str]; 3] = [
    &["fmt", "--all", "--check"],
    &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
    &["test", "--workspace", "--locked"],
];

/// Formats, lints, tests, and tortures for half a minute.
///
/// # Errors
///
/// [`Failed`] at the first step that fails, or if a component of the toolchain is missing.
pub(crate) fn run() -> Result<(), Failed> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !cargo_knows(subcommand) {
            return Err(Failed(format!(
                "`{component}` is missing\n\nhint: type `rustup component add {component}`"
            )));
        }
    }
    STEPS.iter().try_for_each(|step| command::run(&cargo(), step))?;
    torture::run(&["--short"])
}

fn cargo_knows(subcommand: &str) -> bool {
    Command::new(cargo())
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

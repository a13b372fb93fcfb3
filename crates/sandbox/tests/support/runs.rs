//! Plain runs, for the tests that look at how programs end.

use sparkjoy_sandbox::{Run, Sandbox};

use super::support::NEVER;

pub(crate) fn run(sandbox: &Sandbox, program: &str) -> Run {
    sandbox.run(program, &NEVER).unwrap_or_else(|error| panic!("{error}"))
}

/// What a program printed to standard output.
pub(crate) fn printed(run: &Run) -> String {
    String::from_utf8_lossy(&run.output).into_owned()
}

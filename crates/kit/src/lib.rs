//! What the tests of several crates share: plans of studies that are only declared, and errors as a
//! user sees them.

pub mod invented;
pub mod known;

use std::path::Path;

use sparkjoy_base::{Fingerprint, Hint};
use sparkjoy_study::{Plan, Study, StudyError, plan_sources};

/// What the studies of the tests have in common: a run of 1,000 steps of 8 sequences of 64 tokens.
pub const HEAD: &str = include_str!("head.toml");

/// An error as the command line shows it, `accepted` where there is none.
pub fn shown<E: Hint>(result: Result<(), E>) -> String {
    match result {
        Ok(()) => "accepted".to_owned(),
        Err(error) => match error.hint() {
            None => error.to_string(),
            Some(hint) => format!("{error}\nhint: {hint}"),
        },
    }
}

/// Plans a study whose sources are all declared, as cl100k would have it.
///
/// # Errors
///
/// What is wrong with the study.
pub fn plan(text: &str) -> Result<Plan, StudyError> {
    let study = Study::parse(Path::new("studies/small.toml"), text.to_owned(), None)?;
    let tokenizer = Fingerprint::of_bytes(b"a tokenizer");
    let sources = plan_sources(&study, &[], tokenizer)?;
    Plan::resolve(&study, sources, 100_277, tokenizer)
}

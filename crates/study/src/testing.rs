//! What the tests of this crate share: cases kept as text, and errors as a user sees them.

use std::path::Path;

use sparkjoy_base::{Fingerprint, Hint};

use crate::resolve::plan_sources;
use crate::{Plan, Study, StudyError};

/// One mistake: an edit of a good study, and what is said about it.
pub(crate) struct Case {
    /// Text of the good study.
    pub(crate) from: String,
    /// What stands there instead.
    pub(crate) to: String,
    pub(crate) expected: String,
}

/// Reads a file of cases: paragraphs of lines that begin with `- `, `+ ` and `= `.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let paragraphs = text.split("\n\n").filter(|p| !p.starts_with('#'));
    let case = |paragraph: &str| {
        let part = |mark: &str| {
            let lines: Vec<&str> = paragraph.lines().filter_map(|l| l.strip_prefix(mark)).collect();
            lines.join("\n")
        };
        Case { from: part("- "), to: part("+ "), expected: part("= ") }
    };
    paragraphs.map(case).collect()
}

/// The good study with one place changed.
pub(crate) fn edited(good: &str, from: &str, to: &str) -> String {
    assert!(good.contains(from), "the good study holds no `{from}`");
    good.replacen(from, to, 1)
}

/// An error as the command line shows it.
pub(crate) fn shown(result: Result<(), StudyError>) -> String {
    match result {
        Ok(()) => "accepted".to_owned(),
        Err(error) => match error.hint() {
            None => error.to_string(),
            Some(hint) => format!("{error}\nhint: {hint}"),
        },
    }
}

/// Plans a study whose sources are all declared, as cl100k would have it.
pub(crate) fn plan(text: &str) -> Result<Plan, StudyError> {
    let study = Study::parse(Path::new("studies/small.toml"), text.to_owned(), None)?;
    let tokenizer = Fingerprint::of_bytes(b"a tokenizer");
    let sources = plan_sources(&study, &[], tokenizer)?;
    Plan::resolve(&study, sources, 100_277, tokenizer)
}

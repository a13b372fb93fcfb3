//! What can go wrong with a tokenizer, and what to do about it.

use std::fmt;
use std::path::Path;

use sparkjoy_base::{FileError, Hint, Problem, thousands};

/// A tokenizer that cannot be trained, saved or opened.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// Everything is merged before the vocabulary is full.
    #[error(
        "{} bytes of text give a vocabulary of {}, expected {}",
        thousands(*text_bytes),
        thousands(u64::from(*found)),
        thousands(u64::from(*expected))
    )]
    TooLittleText {
        /// Bytes of text trained on.
        text_bytes: u64,
        /// Entries they give.
        found: u32,
        /// Entries asked for.
        expected: u32,
    },
    /// A vocabulary that is too small, or a file of a tokenizer that cannot be used.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Hint for TokenizerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooLittleText { found, .. } => Some(format!(
                "set `vocab` of the tokenizer to {found} or less, or give it more text"
            )),
            Self::Problem(error) => error.hint(),
            Self::File(error) => error.hint(),
        }
    }
}

/// Fewer entries than every byte and end-of-text need.
pub(super) fn vocab_too_small(found: u32) -> Problem {
    Problem::new(format!(
        "a vocabulary of {found} is too small for 256 bytes and end-of-text, expected at least 257"
    ))
    .with_hint("set `vocab` of the tokenizer to 257 or more, for example 8192")
}

/// A file that is not as we write it. `what`: what follows its name.
pub(super) fn not_ours(path: &Path, what: impl fmt::Display) -> Problem {
    let path = path.display();
    Problem::new(format!("`{path}` is not {what}")).with_hint(format!(
        "delete `{path}` and run the command that made it again; other tokenizers cannot be used"
    ))
}

/// A model folder without a `tokenizer.json`. `slow`: a file it has that a slow tokenizer is made
/// of.
pub(super) fn no_fast(folder: &Path, slow: Option<&str>) -> Problem {
    let shown = folder.display();
    let saved = |from: &str| {
        format!(
            "`python -c \"from transformers import AutoTokenizer as T; \
             T.from_pretrained('{from}').save_pretrained('{shown}')\"`"
        )
    };
    let text = format!("`{shown}` has no `tokenizer.json`");
    match slow {
        Some(file) => Problem::new(format!("{text}, only `{file}` of a slow tokenizer"))
            .with_hint(format!("save it as a fast one: {}", saved(&shown.to_string()))),
        None => Problem::new(text).with_hint(format!(
            "put the tokenizer the model was trained with beside it: {}",
            saved("NAME")
        )),
    }
}

/// A tokenizer, or a config of one, that the Hugging Face library would not read either.
pub(super) fn unreadable(path: &Path, why: impl fmt::Display) -> Problem {
    let path = path.display();
    Problem::new(format!("cannot read `{path}`: {why}"))
        .with_hint(format!("fetch `{path}` again: it is cut off or was changed"))
}

/// A tokenizer that does not serve a model that continues text. `what`: what follows its name.
pub(super) fn not_for_text(path: &Path, what: impl fmt::Display) -> Problem {
    let path = path.display();
    Problem::new(format!("`{path}` {what}")).with_hint(format!(
        "`{path}` is not of a model that continues text; put the tokenizer the model was trained \
         with in its place"
    ))
}

//! What can go wrong with a tokenizer, and what to do about it.

use std::path::PathBuf;

use sparkjoy_base::{FileError, Hint, thousands};

/// A tokenizer that cannot be trained, saved or opened.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// Fewer entries than every byte and end-of-text need.
    #[error(
        "a vocabulary of {found} has no room for 256 bytes and end-of-text, expected at least 257"
    )]
    VocabTooSmall {
        /// Entries asked for.
        found: u32,
    },
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
    /// A file that is not JSON.
    #[error("`{}` is not a tokenizer.json: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in it.
        source: serde_json::Error,
    },
    /// A tokenizer made by someone else, or altered.
    #[error("`{}` is not as sparkjoy wrote it: `{field}` differs", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The first field that is not what it would be.
        field: String,
    },
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Hint for TokenizerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::VocabTooSmall { .. } => {
                Some("set `vocab` of the tokenizer to 257 or more, for example 8192".into())
            }
            Self::TooLittleText { found, .. } => Some(format!(
                "set `vocab` of the tokenizer to {found} or less, or give it more text"
            )),
            Self::Malformed { path, .. } | Self::Foreign { path, .. } => Some(format!(
                "delete `{}` and run the command that made it again; other tokenizers cannot be used",
                path.display()
            )),
            Self::File(error) => error.hint(),
        }
    }
}

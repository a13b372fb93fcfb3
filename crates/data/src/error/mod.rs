//! Errors of text, tokens and shards, with hints.
//!
//! Each message says what was found, what was expected, and where.

mod input;
mod prepare;
mod shard;

use sparkjoy_base::{FileError, Hint};

pub use input::{BadDocument, Fault, InputError, Place};
pub use prepare::{InputChange, PrepareError};
pub use shard::ShardError;

use crate::TokenizerError;

/// An error of text, tokens or shards.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Stopped on request; running again continues.
    #[error("interrupted")]
    Interrupted,
    /// An error of the tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The system could not read or write a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Input text cannot be used.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A prepared folder does not match the source.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A shard is not what its manifest says.
    #[error(transparent)]
    Shard(#[from] ShardError),
}

impl Hint for DataError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Interrupted => Some("run the same command again: it continues from here".into()),
            Self::Tokenizer(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Input(error) => error.hint(),
            Self::Prepare(error) => error.hint(),
            Self::Shard(error) => error.hint(),
        }
    }
}

/// Names as a message lists them.
fn quoted(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

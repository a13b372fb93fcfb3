//! Why no study can be made of a folder.

use std::path::PathBuf;

use sparkjoy_base::{Hint, bytes, thousands};
use sparkjoy_data::{DataError, LeftOut};
use sparkjoy_study::StudyError;

/// Why no study can be made of a folder.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// A path that a file of text cannot hold.
    #[error("`{}` is not UTF-8, and a study names its folder as text", folder.display())]
    Name {
        /// The folder.
        folder: PathBuf,
    },
    /// Nothing to train on.
    #[error("`{}` holds no text that can be used{}", folder.display(), because(left_out))]
    NoText {
        /// The folder.
        folder: PathBuf,
        /// What lies there instead.
        left_out: Vec<LeftOut>,
    },
    /// Nothing to compare.
    #[error(
        "`{}` holds one source, `{name}`, expected two or more: with one there is nothing to \
         mix{}",
        folder.display(), because(left_out)
    )]
    OneSource {
        /// The folder.
        folder: PathBuf,
        /// The source.
        name: String,
        /// What else lies there.
        left_out: Vec<LeftOut>,
    },
    /// Too little to train on.
    #[error(
        "`{}` holds about {} tokens to train on, expected at least {}",
        folder.display(), thousands(*tokens), thousands(*needed)
    )]
    TooLittle {
        /// The folder.
        folder: PathBuf,
        /// Tokens found.
        tokens: u64,
        /// Tokens needed.
        needed: u64,
        /// Bytes of text that would be.
        bytes: u64,
    },
    /// Only one source can be used.
    #[error(
        "`{}` holds one source that can be used, `{name}`, expected two or more{}",
        folder.display(), because(left_out)
    )]
    OneLarge {
        /// The folder.
        folder: PathBuf,
        /// The source.
        name: String,
        /// The others, and what else lies there.
        left_out: Vec<LeftOut>,
        /// What would make one of the others large enough.
        hint: String,
    },
    /// The proposal cannot be planned.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// What lies in the folder cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Stopped on request.
    #[error("interrupted")]
    Interrupted,
}

impl Hint for DraftError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Study(error) => return error.hint(),
            Self::Data(error) => return error.hint(),
            Self::Interrupted => return None,
            Self::Name { .. } => "rename the folder".to_owned(),
            Self::NoText { .. } => "put text there: a folder of .txt files per source, or JSON \
                                    Lines (.jsonl, .gz, .zst) or Parquet with a field `text`"
                .to_owned(),
            Self::OneSource { .. } => "sort the text into one folder (or one file of JSON Lines) \
                                       per source, such as `web/`, `math/` and `code/`; sources of \
                                       one file are told apart by `where` in a study"
                .to_owned(),
            Self::TooLittle { bytes: needed, .. } => {
                format!("bring more text: about {} in all", bytes(*needed))
            }
            Self::OneLarge { hint, .. } => hint.clone(),
        })
    }
}

/// What was found instead, in brackets.
fn because(left_out: &[LeftOut]) -> String {
    let reasons: Vec<String> = left_out
        .iter()
        .map(|LeftOut { why, files, shown }| match (files, &shown[..]) {
            // One file, or all files of one source.
            (_, [name]) => format!("{name}: {why}"),
            (files, _) => format!("{files} files: {why}"),
        })
        .collect();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

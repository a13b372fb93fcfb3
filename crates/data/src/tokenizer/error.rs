//! What can go wrong with a tokenizer, and what to do about it.

use std::path::{Path, PathBuf};

use sparkjoy_base::{FileError, Hint, thousands};

/// A tokenizer that cannot be trained, saved or opened.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// Fewer entries than every byte and end-of-text need.
    #[error(
        "a vocabulary of {found} is too small for 256 bytes and end-of-text, expected at least 257"
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
    /// A model folder without a `tokenizer.json`.
    #[error("`{}` has no `tokenizer.json`{}", folder.display(), beside(*slow))]
    NoFast {
        /// The folder.
        folder: PathBuf,
        /// A file it has that a slow tokenizer is made of.
        slow: Option<&'static str>,
    },
    /// A tokenizer, or a config of one, that the Hugging Face library would not read either.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where in it.
        source: serde_json::Error,
    },
    /// A tokenizer that gives up on text it has no token for.
    #[error("`{}` has no token for unknown text", path.display())]
    NoUnknown {
        /// The file.
        path: PathBuf,
    },
    /// A tokenizer that closes every text, so that nothing can be continued.
    #[error("`{}` puts `{found}` behind every text, expected nothing or the end of the text",
        path.display())]
    Suffix {
        /// The file.
        path: PathBuf,
        /// The tokens.
        found: String,
    },
    /// A file that cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

fn beside(slow: Option<&str>) -> String {
    slow.map_or_else(String::new, |file| format!(", only `{file}` of a slow tokenizer"))
}

fn saved_by_transformers(from: &str, folder: &Path) -> String {
    format!(
        "python -c \"from transformers import AutoTokenizer as T; \
         T.from_pretrained('{from}').save_pretrained('{}')\"",
        folder.display()
    )
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
            Self::NoFast { folder, slow: Some(_) } => Some(format!(
                "save it as a fast one: `{}`",
                saved_by_transformers(&folder.display().to_string(), folder)
            )),
            Self::NoFast { folder, slow: None } => Some(format!(
                "put the tokenizer the model was trained with beside it: `{}`",
                saved_by_transformers("NAME", folder)
            )),
            Self::Unreadable { path, .. } => {
                Some(format!("fetch `{}` again: it is cut off or was changed", path.display()))
            }
            Self::NoUnknown { path } | Self::Suffix { path, .. } => Some(format!(
                "`{}` is not of a model that continues text; put the tokenizer the model was \
                 trained with in its place",
                path.display()
            )),
            Self::File(error) => error.hint(),
        }
    }
}

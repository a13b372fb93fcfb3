//! Errors while a world is written.

use sparkjoy_base::{FileError, Hint};

/// A world could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The system could not read or write a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Too small for a document of every source.
    #[error("a world of {bytes} bytes is too small, expected {least} bytes or more")]
    TooSmall {
        /// The size asked for.
        bytes: u64,
        /// The least size.
        least: u64,
    },
    /// The folder holds a world of another seed or size.
    #[error("`{}` holds another world: {found}, not {expected}", folder.display())]
    Other {
        /// The folder.
        folder: std::path::PathBuf,
        /// Seed and size found.
        found: String,
        /// Seed and size that were asked for.
        expected: String,
    },
    /// Stopped on request; the same call continues with the source that was not finished.
    #[error("interrupted")]
    Interrupted,
}

impl Hint for WorldError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::TooSmall { .. } => Some("give a larger size, such as `--size 8M`".to_owned()),
            Self::Other { folder, .. } => Some(format!(
                "name another folder, or remove `{}` if nothing in it is needed",
                folder.display()
            )),
            Self::Interrupted => None,
        }
    }
}

//! What can go wrong while a world is written.

use sparkjoy_base::{FileError, Hint};

/// A world could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The disk.
    #[error(transparent)]
    File(#[from] FileError),
    /// Too small to hold a document of every source.
    #[error("a world of {bytes} bytes is too small, expected {least} bytes or more")]
    TooSmall {
        /// What was asked for.
        bytes: u64,
        /// What it takes.
        least: u64,
    },
    /// The folder holds something else.
    #[error("`{}` holds another world: {found}, not {expected}", folder.display())]
    Other {
        /// The folder.
        folder: std::path::PathBuf,
        /// Seed and size that are there.
        found: String,
        /// Seed and size that were asked for.
        expected: String,
    },
    /// Stopped on request; the same call begins again with the source that was not finished.
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

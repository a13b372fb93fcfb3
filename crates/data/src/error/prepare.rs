//! A source that cannot be prepared, or a prepared folder that is not the one asked for.

use std::path::PathBuf;

use sparkjoy_base::{Fingerprint, Hint, SourceName, thousands};

use super::quoted;

/// A prepared folder that does not fit what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Files without text.
    #[error(
        "source `{source_name}` is empty: no text in what matches {} in `{}` (files: {files}, \
         documents skipped as broken: {skipped})",
        quoted(patterns),
        root.display()
    )]
    Empty {
        /// The source.
        source_name: SourceName,
        /// Files read.
        files: u64,
        /// Paths as written.
        patterns: Vec<String>,
        /// The folder they are relative to.
        root: PathBuf,
        /// Documents skipped as broken.
        skipped: u64,
    },
    /// Nothing is held out.
    #[error(
        "source `{source_name}` holds out none of {} documents ({rule}), expected at least one",
        thousands(*documents)
    )]
    NothingHeldOut {
        /// The source.
        source_name: SourceName,
        /// The validation rule.
        rule: String,
        /// Documents of both parts.
        documents: u64,
    },
    /// Everything is held out.
    #[error(
        "source `{source_name}` holds out all of {} documents ({rule}), expected some to train on",
        thousands(*documents)
    )]
    NothingTrained {
        /// The source.
        source_name: SourceName,
        /// The validation rule.
        rule: String,
        /// Documents of both parts.
        documents: u64,
    },
    /// A folder made with other settings.
    #[error("`{}` was prepared with {what} {found}, expected {expected}", folder.display())]
    Settings {
        /// The prepared folder.
        folder: PathBuf,
        /// Which setting.
        what: &'static str,
        /// As in the folder.
        found: String,
        /// As asked for.
        expected: String,
    },
    /// Input that is not what it was.
    #[error("`{}` was prepared from other text: {change}", folder.display())]
    InputChanged {
        /// The prepared folder.
        folder: PathBuf,
        /// What changed.
        change: InputChange,
    },
    /// Another process works on it.
    #[error("another process is preparing `{}`", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// Not (wholly) prepared.
    #[error("`{}` is not a whole prepared source: no `DONE`", folder.display())]
    NotDone {
        /// The folder.
        folder: PathBuf,
    },
    /// A manifest or journal that cannot be read.
    #[error("`{}` is not a manifest this version can read: {message}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        message: String,
    },
}

/// How input differs from what a folder was prepared from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputChange {
    /// Other content.
    #[error("file `{file}` has fingerprint {found}, expected {expected}")]
    Content {
        /// The file, relative to the source's root.
        file: String,
        /// Now.
        found: Fingerprint,
        /// Then.
        expected: Fingerprint,
    },
    /// A new file.
    #[error("file `{file}` is new ({found} files found, expected {expected})")]
    Added {
        /// The first new file.
        file: String,
        /// Files now.
        found: usize,
        /// Files then.
        expected: usize,
    },
    /// A file less.
    #[error("file `{file}` is gone ({found} files found, expected {expected})")]
    Gone {
        /// The first missing file.
        file: String,
        /// Files now.
        found: usize,
        /// Files then.
        expected: usize,
    },
    /// A file that changed sides.
    #[error("file `{file}` is {found} now, expected {expected}")]
    Part {
        /// The file.
        file: String,
        /// Now.
        found: &'static str,
        /// Then.
        expected: &'static str,
    },
}

impl Hint for PrepareError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty { .. } => "check that these files are the right ones".into(),
            Self::NothingHeldOut { .. } => {
                "raise the split, for example `holdout = \"5%\"`, or name held-out files with text"
                    .into()
            }
            Self::NothingTrained { .. } => {
                "lower the split, for example `holdout = \"1%\"`, or name held-out files".into()
            }
            Self::Settings { folder, .. } | Self::InputChanged { folder, .. } => format!(
                "remove it (`rm -r {}`), or keep it and prepare elsewhere with `--prepared`",
                folder.display()
            ),
            Self::Busy { .. } => "wait for it to end; what it prepares is used as it is".into(),
            Self::NotDone { .. } => "run `sparkjoy prepare` with the study: it continues".into(),
            Self::Manifest { path, .. } => format!(
                "remove the folder (`rm -r {}`) and run `sparkjoy prepare` again",
                path.parent().unwrap_or(path).display()
            ),
        })
    }
}

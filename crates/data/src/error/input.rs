//! Text that cannot be used: which file, which line or row, what is wrong with it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use sparkjoy_base::{Hint, SourceName, bytes, thousands};

use super::quoted;

/// Input text that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A source without any path.
    #[error("source `{source_name}` lists no files, expected at least one path or glob")]
    NoPaths {
        /// The source.
        source_name: SourceName,
    },
    /// A path that stands for no file.
    #[error("source `{source_name}`: no files match `{pattern}` in `{}`", root.display())]
    NoMatch {
        /// The source.
        source_name: SourceName,
        /// The path or glob as written.
        pattern: String,
        /// The folder it is relative to.
        root: PathBuf,
    },
    /// A glob that cannot be read.
    #[error("`{pattern}` is not a glob: {reason} (character {at})")]
    Pattern {
        /// As written.
        pattern: String,
        /// Characters before the fault.
        at: usize,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// A file that is trained on and held out.
    #[error(
        "source `{source_name}`: `{}` is both trained on and held out, expected one of them",
        path.display()
    )]
    BothParts {
        /// The source.
        source_name: SourceName,
        /// The file.
        path: PathBuf,
    },
    /// A document that cannot be used.
    #[error(transparent)]
    Document(#[from] BadDocument),
    /// A document that would not fit in memory several times over.
    #[error("`{path}` {place}: longer than {}, the most a document may have", bytes(*limit))]
    TooLong {
        /// The file.
        path: String,
        /// Where in it.
        place: Place,
        /// The most bytes allowed.
        limit: u64,
    },
    /// A compressed file that does not decompress to its end.
    #[error(
        "`{path}` is not a whole {format} file: {source} ({} of text came before)",
        bytes(*text_bytes)
    )]
    Compressed {
        /// The file.
        path: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Text that came out before.
        text_bytes: u64,
        /// What the decoder said.
        source: io::Error,
    },
    /// A Parquet file that cannot be read to its end.
    #[error("`{path}` is not a whole Parquet file, near row {row}: {message}")]
    Parquet {
        /// The file.
        path: String,
        /// Rows read before, plus one.
        row: u64,
        /// What the reader said.
        message: String,
    },
    /// A Parquet file without the text column.
    #[error("`{path}` has no column `{column}`, found {}", quoted(found))]
    NoColumn {
        /// The file.
        path: String,
        /// The column asked for.
        column: String,
        /// The columns it has.
        found: Vec<String>,
    },
    /// A text column of another type.
    #[error("`{path}`: column `{column}` holds {found}, expected strings")]
    ColumnType {
        /// The file.
        path: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A file that changed while it was read.
    #[error(
        "`{path}` changed while it was read: {} found, {} expected (or its times differ)",
        bytes(*found), bytes(*expected)
    )]
    Moving {
        /// The file.
        path: String,
        /// Its size now.
        found: u64,
        /// Its size when it was listed.
        expected: u64,
    },
}

impl Hint for InputError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoPaths { source_name } => {
                format!("give source `{source_name}` a `path`, for example \"web/*.jsonl.zst\"")
            }
            Self::NoMatch { root, .. } => format!(
                "check the path against `ls {}`, or name another folder with `--data`",
                root.display()
            ),
            Self::Pattern { .. } => {
                "put `[` and `]` around characters meant literally: `[*]`".into()
            }
            Self::BothParts { .. } => {
                "name the training files with a glob that leaves the held-out ones out".into()
            }
            Self::Document(bad) => return bad.hint(),
            Self::TooLong { .. } => "split the document, or leave the file out".into(),
            Self::Compressed { path, format, .. } => match *format {
                "zstd" => format!("check it with `zstd --test --long=27 {path}` and copy it again"),
                _ => format!("check it with `gzip --test {path}` and copy it again"),
            },
            Self::Parquet { .. } => "copy the file again: its end or a page is missing".into(),
            Self::NoColumn { .. } | Self::ColumnType { .. } => {
                "name the column that holds the text with `text_field`".into()
            }
            Self::Moving { .. } => "run the same command again once nothing writes to it".into(),
        })
    }
}

/// Where a document stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of JSON Lines, from 1.
    Line(u64),
    /// A row of Parquet, from 1.
    Row(u64),
    /// The file is the document.
    File,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {}", thousands(*n)),
            Self::Row(n) => write!(f, "row {}", thousands(*n)),
            Self::File => f.write_str("(one document)"),
        }
    }
}

/// A document that cannot be used, and where it stands.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` {place}: {fault}")]
pub struct BadDocument {
    /// The file, relative to the source's root.
    pub path: String,
    /// Where in it.
    pub place: Place,
    /// What is wrong.
    pub fault: Fault,
}

impl Hint for BadDocument {
    fn hint(&self) -> Option<String> {
        let fix = match &self.fault {
            Fault::Json { .. } => "write one JSON object a line",
            Fault::NoField { .. } => "name the field that holds the text with `text_field`",
            Fault::NotText { .. } | Fault::FieldTwice { .. } => "fix the document",
            Fault::NotUtf8 { .. } => "convert the file to UTF-8 (`iconv -t UTF-8`)",
        };
        Some(format!(
            "{fix}, or set on_bad_document = \"skip\" to count and leave out such documents"
        ))
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a JSON object.
    #[error("broken JSON at column {column}: {message}")]
    Json {
        /// Byte of the line, from 1.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// No text field.
    #[error("no field `{field}`, found {}", quoted(found))]
    NoField {
        /// The field asked for.
        field: String,
        /// The fields there are (the first few).
        found: Vec<String>,
    },
    /// The text is something else.
    #[error("`{field}` is {found}, expected a string")]
    NotText {
        /// The field or column.
        field: String,
        /// What it is.
        found: &'static str,
    },
    /// Two texts where one is expected.
    #[error("field `{field}` stands there twice, expected once")]
    FieldTwice {
        /// The field.
        field: String,
    },
    /// Bytes that are no text.
    #[error("byte {byte} is not UTF-8")]
    NotUtf8 {
        /// From 1, within the line, the row or the file.
        byte: usize,
    },
}

//! What can go wrong with text, tokens and shards, and what to type then.
//!
//! Each message says what was found, what was expected and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use sparkjoy_base::{FileError, Fingerprint, Hint, SourceName, bytes, thousands};

use crate::TokenizerError;

/// What went wrong with text, tokens or shards.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Stopped on request; running again continues.
    #[error("interrupted")]
    Interrupted,
    /// About the tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The system could not read or write a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Input text cannot be used.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A prepared folder does not fit what was asked for.
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
    #[error("`{path}` is not a whole {format} file: {source} after {} of text", bytes(*text_bytes))]
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

/// A prepared folder that does not fit what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Files without text.
    #[error(
        "source `{source_name}` is empty: {files} files match {} in `{}`, without any text{}",
        quoted(patterns), root.display(), skipped_note(*skipped)
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
        "source `{source_name}` holds out nothing: {rule} leaves none of {} documents",
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
        "source `{source_name}` has nothing to train on: {rule} holds out all of {} documents",
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
                "raise the split, for example validation = 0.05, or name held-out files".into()
            }
            Self::NothingTrained { .. } => {
                "lower the split, for example validation = 0.01, or name held-out files".into()
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

/// A shard that is not what its manifest says.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// Shorter or longer than its header says.
    #[error("shard `{}` has {} bytes, expected {}", path.display(), thousands(*found), thousands(*expected))]
    Length {
        /// The shard.
        path: PathBuf,
        /// Bytes it has.
        found: u64,
        /// Bytes it must have.
        expected: u64,
    },
    /// Not a shard.
    #[error("`{}` is not a shard: it starts with {found}, expected `{expected}`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its first 8 bytes.
        found: String,
        /// The magic of a shard.
        expected: &'static str,
    },
    /// Written by a later version.
    #[error("shard `{}` has format version {found}, expected {expected}", path.display())]
    Version {
        /// The shard.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version this program reads.
        expected: u32,
    },
    /// A header or table that does not match its hash, or the manifest.
    #[error("shard `{}` is altered: {what} is {found}, expected {expected}", path.display())]
    Altered {
        /// The shard.
        path: PathBuf,
        /// Which number or hash.
        what: &'static str,
        /// As in the file.
        found: String,
        /// As it must be.
        expected: String,
    },
    /// Tokens that do not match their checksum.
    #[error(
        "shard `{}` is altered: bytes {} to {} have checksum {found:016x}, expected {expected:016x}",
        path.display(), thousands(*from), thousands(*to)
    )]
    Block {
        /// The shard.
        path: PathBuf,
        /// First byte of the block, from the start of the file.
        from: u64,
        /// One past its last byte.
        to: u64,
        /// Checksum of the bytes.
        found: u64,
        /// Checksum in the table.
        expected: u64,
    },
    /// A token the tokenizer does not have.
    #[error(
        "shard `{}` holds token {found} at bytes {} to {}, expected ids below {vocab}",
        path.display(), thousands(*from), thousands(*to)
    )]
    Vocabulary {
        /// The shard.
        path: PathBuf,
        /// The largest token of the block.
        found: u32,
        /// First byte of the block.
        from: u64,
        /// One past its last byte.
        to: u64,
        /// The vocabulary.
        vocab: u32,
    },
    /// Tokens of another tokenizer.
    #[error("shard `{}` holds tokens of tokenizer {found}, expected {expected}", path.display())]
    Tokenizer {
        /// The shard.
        path: PathBuf,
        /// As in the shard.
        found: Fingerprint,
        /// As asked for.
        expected: Fingerprint,
    },
}

impl ShardError {
    fn path(&self) -> &PathBuf {
        match self {
            Self::Length { path, .. }
            | Self::Foreign { path, .. }
            | Self::Version { path, .. }
            | Self::Altered { path, .. }
            | Self::Block { path, .. }
            | Self::Vocabulary { path, .. }
            | Self::Tokenizer { path, .. } => path,
        }
    }
}

impl Hint for ShardError {
    fn hint(&self) -> Option<String> {
        let path = self.path();
        let folder = path.parent().unwrap_or(path).display();
        Some(match self {
            Self::Version { found, expected, .. } if found > expected => {
                format!(
                    "use a newer sparkjoy, or remove `{folder}` and run `sparkjoy prepare` again"
                )
            }
            _ => format!("remove its folder (`rm -r {folder}`) and run `sparkjoy prepare` again"),
        })
    }
}

fn quoted(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

fn skipped_note(skipped: u64) -> String {
    match skipped {
        0 => String::new(),
        n => format!(" ({} documents skipped as broken)", thousands(n)),
    }
}

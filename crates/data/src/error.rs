//! Errors of text, tokens and shards, with hints.
//!
//! Each message says what was found, what was expected, and where.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::Utf8Error;

use sparkjoy_base::{FileError, Fingerprint, Hint, Problem, apart, thousands};

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
    /// A document cannot be used.
    #[error(transparent)]
    Document(#[from] BadDocument),
    /// A source, a file of it, a prepared folder or a shard is not as it should be.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl Hint for DataError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Interrupted => Some("run the same command again: it continues from here".into()),
            Self::Tokenizer(error) => error.hint(),
            Self::File(error) => error.hint(),
            Self::Document(error) => error.hint(),
            Self::Problem(error) => error.hint(),
        }
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
        Some(format!(
            "{}, or set on_bad_document = \"skip\" to count and leave out such documents",
            self.fault.fix
        ))
    }
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// What was found and what was expected.
    pub text: String,
    /// What to do about it, as the beginning of a sentence.
    pub fix: Cow<'static, str>,
    /// Whether a text is just not there.
    pub absence: Option<Absence>,
}

/// How a text is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The row has no such field.
    Missing,
    /// The field is null.
    Null,
}

impl Fault {
    /// `fix`: what to do about it.
    pub(crate) fn new(text: String, fix: impl Into<Cow<'static, str>>) -> Self {
        Self { text, fix: fix.into(), absence: None }
    }

    /// A document that only its author can correct.
    pub(crate) fn of_document(text: String) -> Self {
        Self::new(text, "fix the document")
    }

    /// The fault of a part of the field `field`.
    pub(crate) fn within(self, field: &str) -> Self {
        Self { text: format!("`{field}`: {}", self.text), ..self }
    }

    /// A text field or column that holds something else.
    pub(crate) fn not_text(field: &str, found: &str) -> Self {
        Self::of_document(format!("`{field}` is {found}, expected a string"))
    }

    /// Bytes that are no text.
    pub(crate) fn not_utf8(bytes: &[u8], error: Utf8Error) -> Self {
        // From 1, within the line, the row or the file.
        let at = error.valid_up_to();
        let text = format!("byte {} is not UTF-8", at + 1);
        // Latin-1 has its letters from 0xc0 on, and most of them stand beside ASCII.
        let is_letter = bytes.get(at).is_some_and(|byte| (0xc0..0xff).contains(byte));
        if is_letter && bytes.get(at + 1).is_none_or(u8::is_ascii) {
            let command = "`iconv -f LATIN1 -t UTF-8 FILE > NEW`";
            let byte = bytes[at];
            let letter = char::from(byte);
            return Self::new(
                format!("{text}: {byte:#04x} is `{letter}` in Latin-1, which {command} converts"),
                format!("convert the file to UTF-8: {command}"),
            );
        }
        Self::new(text, "convert the file to UTF-8 (`iconv -t UTF-8`)")
    }
}

/// A shard that is not as it was written. `what`: what follows its name.
pub(crate) fn bad_shard(path: &Path, what: impl fmt::Display) -> Problem {
    Problem::new(format!("shard `{}` {what}", path.display())).with_hint(prepare_again(path))
}

/// A shard of which one number or hash is not what it must be.
pub(crate) fn altered_shard(
    path: &Path,
    what: &str,
    found: impl fmt::Display,
    expected: impl fmt::Display,
) -> Problem {
    bad_shard(path, format!("is altered: {what} is {found}, expected {expected}"))
}

/// A shard of which a hash is not what it must be.
pub(crate) fn altered_hash(
    path: &Path,
    what: &str,
    found: Fingerprint,
    expected: Fingerprint,
) -> Problem {
    let [found, expected] = apart(found, expected);
    altered_shard(path, what, found, expected)
}

/// What to do about a shard that cannot be used.
pub(crate) fn prepare_again(path: &Path) -> String {
    let folder = path.parent().unwrap_or(path).display();
    format!("remove its folder (`rm -r {folder}`) and run `sparkjoy prepare` again")
}

/// Names as a message lists them.
pub(crate) fn quoted<T: fmt::Display>(names: &[T]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

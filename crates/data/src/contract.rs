//! INTERFACE SKETCH, to be split by subject.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Hint, Ppm, SourceName};

use crate::tokenizer::{Tokenizer, TokenizerError};

/// What went wrong with text, tokens or shards.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// About the tokenizer.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// Stopped on request; running again continues.
    #[error("interrupted")]
    Interrupted,
}

impl Hint for DataError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Tokenizer(error) => error.hint(),
            Self::Interrupted => None,
        }
    }
}

/// What to do with a document that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBadDocument {
    /// Stop with file and line.
    Refuse,
    /// Count it and go on.
    Skip,
}

/// Where a source's held-out text comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Validation {
    /// Files of their own (globs, relative to the same folder).
    Files(Vec<String>),
    /// The documents whose content hash falls into this share.
    Split(Ppm),
}

/// The text of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFiles {
    /// Its name.
    pub name: SourceName,
    /// Files, folders or globs, relative to `root`.
    pub paths: Vec<String>,
    /// The folder paths are relative to. Not part of any identity.
    pub root: PathBuf,
    /// The field of a JSON object or the Parquet column that holds the text.
    pub text_field: String,
    /// What to do with a broken document.
    pub on_bad_document: OnBadDocument,
    /// Its held-out text.
    pub validation: Validation,
}

/// Input of a source without reading it: files and sizes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSummary {
    /// Files found.
    pub files: u64,
    /// Their bytes as stored (compressed).
    pub stored_bytes: u64,
}

/// Finds a source's files without reading them.
pub fn scan(source: &SourceFiles) -> Result<SourceSummary, DataError> {
    let _ = source;
    todo!()
}

/// How a preparation is going.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrepareProgress {
    /// Bytes of input files read, as stored.
    pub stored_bytes: u64,
    /// Bytes of input files in all, as stored.
    pub stored_bytes_total: u64,
    /// Bytes of text encoded.
    pub text_bytes: u64,
    /// Tokens written.
    pub tokens: u64,
    /// Documents written.
    pub documents: u64,
    /// Documents skipped as broken.
    pub skipped: u64,
}

/// What a preparation needs besides its source.
pub struct PrepareOptions<'a> {
    /// Threads that encode.
    pub threads: usize,
    /// Set to stop at the next safe point.
    pub stop: &'a AtomicBool,
    /// Told about progress a few times a second.
    pub progress: &'a (dyn Fn(PrepareProgress) + Sync),
}

/// Makes sure `folder` holds the shards of `source` under `tokenizer`, and opens them.
///
/// Does nothing where they are whole already, continues where a previous call stopped.
pub fn prepare(
    source: &SourceFiles,
    tokenizer: &Tokenizer,
    folder: &Path,
    options: &PrepareOptions<'_>,
) -> Result<Corpus, DataError> {
    let _ = (source, tokenizer, folder, options);
    todo!()
}

/// Which text of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What is trained on.
    Train,
    /// What is held out.
    Validation,
}

/// A prepared source, memory-mapped.
#[derive(Debug)]
pub struct Corpus;

impl Corpus {
    /// Opens a prepared folder, checking that it is whole.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        let _ = folder;
        todo!()
    }

    /// The source's name.
    pub fn name(&self) -> &SourceName {
        todo!()
    }

    /// Identity of the tokens of a part.
    pub fn fingerprint(&self, part: Part) -> Fingerprint {
        let _ = part;
        todo!()
    }

    /// The tokenizer's identity.
    pub fn tokenizer(&self) -> Fingerprint {
        todo!()
    }

    /// Tokens of a part, end-of-text included.
    pub fn tokens(&self, part: Part) -> u64 {
        let _ = part;
        todo!()
    }

    /// Documents of a part.
    pub fn documents(&self, part: Part) -> u64 {
        let _ = part;
        todo!()
    }

    /// Bytes of UTF-8 text of a part.
    pub fn text_bytes(&self, part: Part) -> u64 {
        let _ = part;
        todo!()
    }

    /// Documents skipped as broken.
    pub fn skipped(&self) -> u64 {
        todo!()
    }

    /// Whole sequences of `context` tokens in a part; the rest is never read.
    pub fn sequences(&self, part: Part, context: usize) -> u64 {
        let _ = (part, context);
        todo!()
    }

    /// Reads sequence `ordinal`: tokens `ordinal·context ..` of the part into `tokens`, whose
    /// length is the context. Verifies the checksum of every block it touches.
    pub fn read(&self, part: Part, ordinal: u64, tokens: &mut [u32]) -> Result<(), DataError> {
        let _ = (part, ordinal, tokens);
        todo!()
    }
}

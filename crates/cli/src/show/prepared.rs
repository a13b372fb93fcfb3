//! Finding what was prepared by what it is, not by what its folder is called.

use std::fs;
use std::path::{Path, PathBuf};

use sparkjoy_base::{FileError, Fingerprint, is_done};
use sparkjoy_data::{Corpus, Part, Tokenizer};
use sparkjoy_mix::Source;

use crate::failure::Failure;

/// The corpus whose training tokens are those of `source`.
///
/// # Errors
///
/// [`Failure::Gone`] if there is none; what opening a whole folder meets.
pub(super) fn corpus(prepared: &Path, source: &Source) -> Result<Corpus, Failure> {
    for folder in whole_folders(prepared, source.name.as_str())? {
        let corpus = Corpus::open(&folder)?;
        if corpus.fingerprint(Part::Train) == source.fingerprint {
            return Ok(corpus);
        }
    }
    let what = format!("source `{}` {}", source.name, source.fingerprint);
    Err(Failure::Gone { what, prepared: prepared.to_owned() })
}

/// The tokenizer with this identity: the built-in one, or one trained for a study.
///
/// # Errors
///
/// As [`corpus`].
pub(super) fn tokenizer(prepared: &Path, wanted: Fingerprint) -> Result<Tokenizer, Failure> {
    for folder in whole_folders(prepared, "tokenizer")? {
        let tokenizer = Tokenizer::open(&folder)?;
        if tokenizer.fingerprint() == wanted {
            return Ok(tokenizer);
        }
    }
    let built_in = Tokenizer::cl100k();
    if built_in.fingerprint() == wanted {
        return Ok(built_in);
    }
    Err(Failure::Gone { what: format!("tokenizer {wanted}"), prepared: prepared.to_owned() })
}

/// The whole folders called `<name>-…`, sorted.
fn whole_folders(prepared: &Path, name: &str) -> Result<Vec<PathBuf>, FileError> {
    let at = || FileError::at("read", prepared);
    let mut folders = Vec::new();
    for entry in fs::read_dir(prepared).map_err(at())? {
        let path = entry.map_err(at())?.path();
        let called = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = called.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        if ours && path.is_dir() && is_done(&path)? {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

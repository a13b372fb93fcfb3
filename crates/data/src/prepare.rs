//! Prepares a source: text files to a complete folder of shards. An interrupted preparation
//! continues where it stopped.
//!
//! Nothing depends on a clock or on the timing of threads. Documents are written in input order, a
//! shard ends at the first document that fills it, and the journal is written after each shard. So
//! a killed process leaves a prefix of the complete folder.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{FileError, Problem, create_folder, is_done};

use crate::folder_writer::FolderWriter;
use crate::manifest::{
    JOURNAL, MANIFEST, Manifest, Settings, ValidationRule, load, reconcile, save,
};
use crate::pipeline::run;
use crate::source::{Input, SourceFiles, list};
use crate::{Corpus, DataError, Part, Tokenizer};

/// Progress of a preparation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// Options of a preparation.
pub struct PrepareOptions<'a> {
    /// Threads that encode.
    pub threads: usize,
    /// Set to stop at the next safe point.
    pub stop: &'a AtomicBool,
    /// Called with the progress a few times per second.
    pub progress: &'a (dyn Fn(PrepareProgress) + Sync),
}

/// Sizes of buffers and shards. They do not change the tokens; the shard size changes file names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Text given to a worker at a time.
    pub(crate) block_bytes: usize,
    /// The longest line, row or plain-text file.
    pub(crate) document_bytes_max: usize,
    /// A shard ends with the document that reaches this many bytes of tokens.
    pub(crate) shard_bytes: usize,
    /// Stored bytes of input between two calls of the progress function.
    pub(crate) progress_bytes: u64,
}

impl Sizes {
    pub(crate) const USUAL: Self = Self {
        block_bytes: 2 << 20,
        document_bytes_max: 256 << 20,
        shard_bytes: 64 << 20,
        progress_bytes: 2 << 20,
    };

    /// Held-out shards are smaller by their share, so that both parts finish shards equally often
    /// and an interrupted preparation repeats little work for either.
    pub(crate) fn of_part(&self, part: Part, rule: ValidationRule) -> usize {
        match (part, rule) {
            (Part::Validation, ValidationRule::Split(ppm)) => {
                (self.shard_bytes as u64 * u64::from(ppm) / 1_000_000) as usize + 1
            }
            _ => self.shard_bytes,
        }
    }
}

/// Writes the shards of `source`, encoded with `tokenizer`, to `folder`, and opens them.
///
/// Does nothing if the folder is complete; continues where a previous call stopped.
///
/// # Guarantees
///
/// The shards depend only on the text and the settings, not on threads or interruptions. The tokens
/// of a part, and so its fingerprint, do not depend on names or compression of files either, if
/// their order stays the same. Memory does not grow with the input.
///
/// # Errors
///
/// [`DataError::Document`] for a document that cannot be used, [`DataError::Problem`] for other
/// text that cannot, a source without text or without held-out text and a folder made from other
/// input, [`DataError::Interrupted`] if `stop` is set.
pub fn prepare(
    source: &SourceFiles,
    tokenizer: &Tokenizer,
    folder: &Path,
    options: &PrepareOptions<'_>,
) -> Result<Corpus, DataError> {
    prepare_sized(source, tokenizer, folder, options, &Sizes::USUAL)
}

pub(crate) fn prepare_sized(
    source: &SourceFiles,
    tokenizer: &Tokenizer,
    folder: &Path,
    options: &PrepareOptions<'_>,
    sizes: &Sizes,
) -> Result<Corpus, DataError> {
    let inputs = list(source)?;
    let settings = Settings::new(source, tokenizer);
    create_folder(folder)?;
    let _lock = lock(folder)?;
    // Temporary files of a killed process.
    sweep(folder, |name| name.starts_with('.') && name.ends_with(".partial"))?;
    if is_done(folder)? {
        reuse(folder, &settings, &inputs)?;
    } else {
        let mut writer = FolderWriter::begin(folder, settings, &inputs, tokenizer, sizes)?;
        run(source, tokenizer, &inputs, sizes, options, &mut writer)?;
        writer.finish(source, tokenizer)?;
    }
    remove_if_there(&folder.join(JOURNAL))?;
    Corpus::open(folder)
}

/// Checks that a complete folder has these settings and inputs; records new names and times.
fn reuse(folder: &Path, settings: &Settings, inputs: &[Input]) -> Result<(), DataError> {
    let path = folder.join(MANIFEST);
    let mut manifest: Manifest = load(&path)?;
    settings.check(folder, &manifest.settings)?;
    if reconcile(folder, &mut manifest.inputs, inputs)? {
        save(&path, &manifest)?;
    }
    Ok(())
}

/// Keeps two processes from preparing one folder.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Explicit, because a process that is being spawned may hold a copy of the handle for a
        // moment. A lock that cannot be released ends with the process.
        let _ = self.0.unlock();
    }
}

fn lock(folder: &Path) -> Result<Lock, DataError> {
    let handle = File::open(folder).map_err(FileError::at("read", folder))?;
    match handle.try_lock() {
        Ok(()) => Ok(Lock(handle)),
        Err(TryLockError::WouldBlock) => {
            let text = format!("another process is preparing `{}`", folder.display());
            let hint = "wait for it to end; what it prepares is used as it is";
            Err(Problem::new(text).with_hint(hint).into())
        }
        Err(TryLockError::Error(e)) => Err(FileError::at("lock", folder)(e).into()),
    }
}

/// Removes the files of `folder` whose names are `unwanted`.
pub(crate) fn sweep(folder: &Path, unwanted: impl Fn(&str) -> bool) -> Result<(), DataError> {
    for entry in fs::read_dir(folder).map_err(FileError::at("read", folder))? {
        let path = entry.map_err(FileError::at("read", folder))?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(&unwanted) {
            remove_if_there(&path)?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<(), DataError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(FileError::at("remove", path)(e).into())
        }
        _ => Ok(()),
    }
}

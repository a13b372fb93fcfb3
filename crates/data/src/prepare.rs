//! Text files to a whole folder of shards: continued where it was, never half taken for whole.
//!
//! Nothing here depends on a clock or on which thread is faster. Documents are taken up in input
//! order, a shard ends at the first document that fills it, and the journal is written after each
//! shard. What a kill leaves behind is therefore a prefix of what there would have been.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{FileError, is_done, mark_done};

use crate::corpus::{PartDigest, check_place, shard_name};
use crate::encode::{ByPart, Encoded, Reached};
use crate::error::PrepareError;
use crate::manifest::{
    BAD_SHOWN, JOURNAL, Journal, MANIFEST, Manifest, PartRecord, Settings, ShardRecord,
    ValidationRule, load, reconcile, save,
};
use crate::pipeline::{Arrival, run};
use crate::shard::{Header, Shard, ShardBuffer};
use crate::source::{Input, SourceFiles, list};
use crate::{Corpus, DataError, Part, Tokenizer};

/// How a preparation is going.
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

/// What a preparation needs besides its source.
pub struct PrepareOptions<'a> {
    /// Threads that encode.
    pub threads: usize,
    /// Set to stop at the next safe point.
    pub stop: &'a AtomicBool,
    /// Told about progress a few times a second.
    pub progress: &'a (dyn Fn(PrepareProgress) + Sync),
}

/// How much is held at a time. None of these reaches a token; the shard size reaches file names.
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

    /// Held-out shards are smaller by their share, so that both parts advance at a like pace and an
    /// interrupted preparation need not go back far for either.
    fn of_part(&self, part: Part, rule: ValidationRule) -> usize {
        match (part, rule) {
            (Part::Validation, ValidationRule::Split(ppm)) => {
                (self.shard_bytes as u64 * u64::from(ppm) / 1_000_000) as usize + 1
            }
            _ => self.shard_bytes,
        }
    }
}

/// Makes sure `folder` holds the shards of `source` under `tokenizer`, and opens them.
///
/// Does nothing where they are whole already, continues where a previous call stopped.
///
/// # Guarantees
///
/// The shards depend on the text and the settings alone: not on threads, not on where or how often
/// it was interrupted. The tokens of a part, and so its fingerprint, do not depend on how files are
/// called or packed either, as long as their order stays. Memory does not grow with the input.
///
/// # Errors
///
/// [`crate::InputError`] for text that cannot be used, [`PrepareError`] for a source without text
/// or without held-out text and for a folder made from something else, [`DataError::Interrupted`]
/// when told to stop.
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
    fs::create_dir_all(folder).map_err(FileError::at("create folder", folder))?;
    let _lock = lock(folder)?;
    // What a killed process left unfinished.
    sweep(folder, |name| name.starts_with('.') && name.ends_with(".partial"))?;
    if is_done(folder) {
        reuse(folder, &settings, &inputs)?;
    } else {
        let mut making = Making::begin(folder, settings, &inputs, tokenizer, sizes)?;
        run(source, tokenizer, &inputs, sizes, options, &mut making)?;
        making.finish(source, tokenizer)?;
    }
    remove_if_there(&folder.join(JOURNAL))?;
    Corpus::open(folder)
}

/// Checks that a whole folder is the one asked for; notes new names and times of the same text.
fn reuse(folder: &Path, settings: &Settings, inputs: &[Input]) -> Result<(), DataError> {
    let path = folder.join(MANIFEST);
    let mut manifest: Manifest = load(&path)?;
    settings.check(folder, &manifest.settings)?;
    if reconcile(folder, &mut manifest.inputs, inputs)? {
        save(&path, &manifest)?;
    }
    Ok(())
}

/// Keeps two processes from preparing one folder; released when the file is closed.
fn lock(folder: &Path) -> Result<File, DataError> {
    let handle = File::open(folder).map_err(FileError::at("read", folder))?;
    match handle.try_lock() {
        Ok(()) => Ok(handle),
        Err(TryLockError::WouldBlock) => {
            Err(PrepareError::Busy { folder: folder.to_owned() }.into())
        }
        Err(TryLockError::Error(e)) => Err(FileError::at("lock", folder)(e).into()),
    }
}

/// Removes the files of `folder` whose names are `unwanted`.
fn sweep(folder: &Path, unwanted: impl Fn(&str) -> bool) -> Result<(), DataError> {
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

/// A folder being filled: everything that changes while it is.
pub(crate) struct Making<'a> {
    folder: PathBuf,
    inputs: &'a [Input],
    pub(crate) journal: Journal,
    parts: ByPart<MakingPart>,
    sizes: &'a Sizes,
    vocab: u32,
    end_of_text: u32,
    /// Stored bytes of the files read to their end.
    stored_before: u64,
    pub(crate) progress: PrepareProgress,
}

/// The shards of one part so far.
struct MakingPart {
    shards: Vec<ShardRecord>,
    tokens: u64,
    documents: u64,
    text_bytes: u64,
    digest: PartDigest,
    open: ShardBuffer,
}

impl<'a> Making<'a> {
    /// Starts, or continues what the journal in `folder` tells of.
    ///
    /// Input that changed since the journal was begun starts it anew: nothing whole is lost.
    fn begin(
        folder: &Path,
        settings: Settings,
        inputs: &'a [Input],
        tokenizer: &Tokenizer,
        sizes: &'a Sizes,
    ) -> Result<Self, DataError> {
        let path = folder.join(JOURNAL);
        let mut journal = Journal::new(settings, inputs);
        if path.exists() {
            let old: Journal = load(&path)?;
            journal.settings.check(folder, &old.settings)?;
            if old.is_about(inputs) {
                journal = old;
            }
        }
        if journal.reached == ByPart::default() {
            sweep(folder, |name| Path::new(name).extension() == Some("shard".as_ref()))?;
        }
        let part = || MakingPart {
            shards: Vec::new(),
            tokens: 0,
            documents: 0,
            text_bytes: 0,
            digest: PartDigest::new(tokenizer.fingerprint()),
            open: ShardBuffer::default(),
        };
        let mut making = Self {
            folder: folder.to_owned(),
            inputs,
            journal,
            parts: ByPart { train: part(), validation: part() },
            sizes,
            vocab: tokenizer.vocab(),
            end_of_text: tokenizer.end_of_text(),
            stored_before: 0,
            progress: PrepareProgress {
                stored_bytes_total: inputs.iter().map(|input| input.stamp.size).sum(),
                ..PrepareProgress::default()
            },
        };
        making.restore()?;
        Ok(making)
    }

    /// Takes up the finished shards: reads and checks each, for the running fingerprint.
    fn restore(&mut self) -> Result<(), DataError> {
        let tokenizer = self.journal.settings.tokenizer;
        for part in Part::BOTH {
            let making = self.parts.of_mut(part);
            for number in 0..self.journal.reached.of(part).shards {
                let shard = Shard::open(&self.folder.join(shard_name(part, number)))?;
                check_place(&shard, part, number, making.tokens, tokenizer)?;
                making.digest.read(&shard)?;
                making.add(
                    shard.header(),
                    shard_name(part, number),
                    shard.hash(),
                    shard.file_bytes(),
                );
                self.progress.tokens += shard.header().tokens;
                self.progress.documents += shard.header().documents;
                self.progress.text_bytes += shard.header().text_bytes;
            }
        }
        let first = self.first_file();
        for record in &mut self.journal.inputs[first..] {
            (record.documents, record.skipped) = (0, 0);
            record.bad.clear();
        }
        let before = &self.journal.inputs[..first];
        self.progress.skipped = before.iter().map(|record| record.skipped).sum();
        self.stored_before = before.iter().map(|record| record.stamp.size).sum();
        self.progress.stored_bytes = self.stored_before;
        Ok(())
    }

    /// The first file with documents that are in no finished shard.
    pub(crate) fn first_file(&self) -> usize {
        let ByPart { train, validation } = self.journal.reached;
        let held_out = self.inputs.partition_point(|i| i.part != Some(Part::Validation));
        match self.journal.settings.validation {
            ValidationRule::Split(_) => train.file.min(validation.file),
            ValidationRule::Files if train.file < held_out => train.file,
            ValidationRule::Files => validation.file.max(held_out),
        }
    }

    /// Takes up what the pipeline delivers next.
    pub(crate) fn take(&mut self, arrival: Arrival) -> Result<(), DataError> {
        match arrival {
            Arrival::Documents(encoded) => self.take_documents(encoded),
            Arrival::FileEnd { file, fingerprint } => {
                self.journal.inputs[file].fingerprint = Some(fingerprint);
                self.stored_before += self.inputs[file].stamp.size;
                self.progress.stored_bytes = self.stored_before;
                let part = self.inputs[file].part;
                let last = self.inputs.get(file + 1).is_none_or(|next| next.part != part);
                // A part that no later file can add to is closed: its end is then in the journal.
                match part {
                    Some(part) if last => self.commit(part, file + 1, 0),
                    _ => Ok(()),
                }
            }
        }
    }

    fn take_documents(&mut self, encoded: Encoded) -> Result<(), DataError> {
        let Encoded { file, tokens, documents, usable, bad, stored_bytes } = encoded;
        let record = &mut self.journal.inputs[file];
        record.documents += usable;
        record.skipped += bad.len() as u64;
        let room = BAD_SHOWN - record.bad.len();
        record.bad.extend(bad.iter().take(room).map(ToString::to_string));

        let width = if self.vocab <= 1 << 16 { 2 } else { 4 };
        let mut start = 0;
        for document in documents {
            let ids = &tokens[start..document.end];
            start = document.end;
            let making = self.parts.of_mut(document.part);
            making.digest.update(ids);
            making.open.push(ids, document.text_bytes, width);
            self.progress.tokens += ids.len() as u64;
            self.progress.documents += 1;
            self.progress.text_bytes += document.text_bytes;
            let full = self.sizes.of_part(document.part, self.journal.settings.validation);
            if making.open.bytes() >= full {
                self.commit(document.part, file, document.place)?;
            }
        }
        self.progress.stored_bytes = self.stored_before + stored_bytes;
        self.progress.skipped += bad.len() as u64;
        Ok(())
    }

    /// Puts the open shard of `part` in its place, if it has documents, then the journal.
    ///
    /// The part is then done up to line or row `place` of `file`.
    fn commit(&mut self, part: Part, file: usize, place: u64) -> Result<(), DataError> {
        let making = self.parts.of_mut(part);
        if making.open.documents > 0 {
            let header = Header {
                part,
                number: making.shards.len() as u64,
                first_token: making.tokens,
                tokens: making.open.tokens,
                documents: making.open.documents,
                text_bytes: making.open.text_bytes,
                vocab: self.vocab,
                end_of_text: self.end_of_text,
                tokenizer: self.journal.settings.tokenizer,
            };
            let name = shard_name(part, header.number);
            let (hash, stored_bytes) = making.open.commit(&self.folder.join(&name), &header)?;
            making.add(&header, name, hash, stored_bytes);
        }
        let shards = making.shards.len() as u64;
        *self.journal.reached.of_mut(part) = Reached { shards, file, place };
        save(&self.folder.join(JOURNAL), &self.journal)
    }

    /// Closes both parts and declares the folder whole.
    fn finish(mut self, source: &SourceFiles, tokenizer: &Tokenizer) -> Result<(), DataError> {
        self.check_both_have_text(source)?;
        for part in Part::BOTH {
            self.commit(part, self.inputs.len(), 0)?;
        }
        let ByPart { train, validation } = self.parts;
        let parts = ByPart { train: train.into_record(), validation: validation.into_record() };
        let manifest = Manifest::new(self.journal, tokenizer, parts);
        save(&self.folder.join(MANIFEST), &manifest)?;
        Ok(mark_done(&self.folder)?)
    }

    fn check_both_have_text(&self, source: &SourceFiles) -> Result<(), DataError> {
        let source_name = source.name.clone();
        let documents = |part| {
            let making = self.parts.of(part);
            making.documents + making.open.documents
        };
        let all = documents(Part::Train) + documents(Part::Validation);
        let rule = self.journal.settings.validation.shown();
        if self.progress.text_bytes == 0 {
            return Err(PrepareError::Empty {
                source_name,
                files: self.inputs.len() as u64,
                patterns: source.paths.clone(),
                root: source.root.clone(),
                skipped: self.progress.skipped,
            }
            .into());
        }
        if documents(Part::Validation) == 0 {
            return Err(PrepareError::NothingHeldOut { source_name, rule, documents: all }.into());
        }
        if documents(Part::Train) == 0 {
            return Err(PrepareError::NothingTrained { source_name, rule, documents: all }.into());
        }
        Ok(())
    }
}

impl MakingPart {
    fn add(
        &mut self,
        header: &Header,
        file: String,
        hash: sparkjoy_base::Fingerprint,
        stored_bytes: u64,
    ) {
        self.tokens += header.tokens;
        self.documents += header.documents;
        self.text_bytes += header.text_bytes;
        self.shards.push(ShardRecord {
            file,
            tokens: header.tokens,
            documents: header.documents,
            text_bytes: header.text_bytes,
            stored_bytes,
            hash,
        });
    }

    fn into_record(self) -> PartRecord {
        PartRecord {
            fingerprint: self.digest.finish(),
            tokens: self.tokens,
            documents: self.documents,
            text_bytes: self.text_bytes,
            shards: self.shards,
        }
    }
}

//! Writes a folder of shards: the finished shards, the open ones, and the journal to continue from.
//!
//! It receives encoded documents in order. It knows nothing of threads or text files.

use std::path::{Path, PathBuf};

use sparkjoy_base::{Fingerprint, Problem, mark_done, metadata, thousands};

use crate::corpus::{PartDigest, check_place, shard_name};
use crate::encode::{ByPart, Encoded, Reached};
use crate::error::quoted;
use crate::manifest::{
    BAD_SHOWN, JOURNAL, Journal, MANIFEST, Manifest, PartRecord, Settings, ShardRecord,
    ValidationRule, load_any, save,
};
use crate::pipeline::Arrival;
use crate::prepare::{PrepareProgress, Sizes, sweep};
use crate::row_text::LeftOutRows;
use crate::shard::{Header, Shard, ShardBuffer};
use crate::source::{Input, SourceFiles};
use crate::survey::text_elsewhere;
use crate::{DataError, Part, Tokenizer};

/// The state of a folder while it is written.
pub(crate) struct FolderWriter<'a> {
    folder: PathBuf,
    inputs: &'a [Input],
    pub(crate) journal: Journal,
    parts: ByPart<PartWriter>,
    sizes: &'a Sizes,
    vocab: u32,
    end_of_text: u32,
    /// Stored bytes of the files that were read completely.
    stored_before: u64,
    pub(crate) progress: PrepareProgress,
}

/// The shards of one part so far.
struct PartWriter {
    shards: Vec<ShardRecord>,
    tokens: u64,
    documents: u64,
    text_bytes: u64,
    digest: PartDigest,
    open: ShardBuffer,
}

impl<'a> FolderWriter<'a> {
    /// Starts a folder, or continues from the journal in it.
    ///
    /// If the input has changed since the journal was written, the folder is started anew.
    pub(crate) fn begin(
        folder: &Path,
        settings: Settings,
        inputs: &'a [Input],
        tokenizer: &Tokenizer,
        sizes: &'a Sizes,
    ) -> Result<Self, DataError> {
        let path = folder.join(JOURNAL);
        let mut journal = Journal::new(settings, inputs);
        if metadata(&path)?.is_some() {
            let (old, has_seal): (Journal, bool) = load_any(&path)?;
            journal.settings.check(folder, &old.settings)?;
            // Without a seal it may say anything: then the text is read again.
            if has_seal && old.is_about(inputs) {
                journal = old;
            }
        }
        if journal.reached == ByPart::default() {
            sweep(folder, |name| Path::new(name).extension() == Some("shard".as_ref()))?;
        }
        let part = || PartWriter {
            shards: Vec::new(),
            tokens: 0,
            documents: 0,
            text_bytes: 0,
            digest: PartDigest::new(tokenizer.fingerprint()),
            open: ShardBuffer::default(),
        };
        let mut writer = Self {
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
        writer.restore()?;
        Ok(writer)
    }

    /// Reads and checks the finished shards, to restore counts and the running fingerprint.
    fn restore(&mut self) -> Result<(), DataError> {
        let tokenizer = self.journal.settings.tokenizer;
        for part in Part::BOTH {
            let writer = self.parts.of_mut(part);
            for number in 0..self.journal.reached.of(part).shards {
                let shard = Shard::open(&self.folder.join(shard_name(part, number)))?;
                check_place(&shard, part, number, writer.tokens, tokenizer)?;
                writer.digest.read(&shard)?;
                writer.add(
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
            record.left_out = LeftOutRows::default();
            record.bad.clear();
        }
        let before = &self.journal.inputs[..first];
        self.progress.skipped = before.iter().map(|record| record.skipped).sum();
        self.stored_before = before.iter().map(|record| record.stamp.size).sum();
        self.progress.stored_bytes = self.stored_before;
        Ok(())
    }

    /// The first file with documents that are not in a finished shard.
    pub(crate) fn first_file(&self) -> usize {
        let ByPart { train, validation } = self.journal.reached;
        let held_out = self.inputs.partition_point(|i| i.part != Some(Part::Validation));
        match self.journal.settings.validation {
            ValidationRule::Split(_) => train.file.min(validation.file),
            ValidationRule::Files if train.file < held_out => train.file,
            ValidationRule::Files | ValidationRule::All => validation.file.max(held_out),
        }
    }

    /// Adds the next result of the pipeline.
    pub(crate) fn take(&mut self, arrival: Arrival) -> Result<(), DataError> {
        match arrival {
            Arrival::Documents(encoded) => self.take_documents(encoded),
            Arrival::FileEnd { file, fingerprint } => {
                self.journal.inputs[file].fingerprint = Some(fingerprint);
                self.stored_before += self.inputs[file].stamp.size;
                self.progress.stored_bytes = self.stored_before;
                Ok(())
            }
        }
    }

    fn take_documents(&mut self, encoded: Encoded) -> Result<(), DataError> {
        let Encoded { file, tokens, documents, usable, bad, left_out, stored_bytes } = encoded;
        let record = &mut self.journal.inputs[file];
        record.documents += usable;
        record.skipped += bad.len() as u64;
        // The record of a usual source is as it always was.
        if !self.journal.settings.rows.is_usual() {
            record.left_out.add(left_out);
        }
        let left = BAD_SHOWN - record.bad.len();
        record.bad.extend(bad.iter().take(left).map(ToString::to_string));

        let width = if self.vocab <= 1 << 16 { 2 } else { 4 };
        let mut start = 0;
        for document in documents {
            let ids = &tokens[start..document.end];
            start = document.end;
            let writer = self.parts.of_mut(document.part);
            writer.digest.update(ids);
            writer.open.push(ids, document.text_bytes, width);
            self.progress.tokens += ids.len() as u64;
            self.progress.documents += 1;
            self.progress.text_bytes += document.text_bytes;
            let full = self.sizes.of_part(document.part, self.journal.settings.validation);
            if writer.open.bytes() >= full {
                self.commit(document.part, file, document.place)?;
            }
        }
        self.progress.stored_bytes = self.stored_before + stored_bytes;
        self.progress.skipped += bad.len() as u64;
        Ok(())
    }

    /// Writes the open shard of `part`, if it has documents, and then the journal.
    ///
    /// The part is then finished up to line or row `place` of `file`.
    fn commit(&mut self, part: Part, file: usize, place: u64) -> Result<(), DataError> {
        let writer = self.parts.of_mut(part);
        if writer.open.documents > 0 {
            let header = Header {
                part,
                number: writer.shards.len() as u64,
                first_token: writer.tokens,
                tokens: writer.open.tokens,
                documents: writer.open.documents,
                text_bytes: writer.open.text_bytes,
                vocab: self.vocab,
                end_of_text: self.end_of_text,
                tokenizer: self.journal.settings.tokenizer,
            };
            let name = shard_name(part, header.number);
            let (hash, stored_bytes) = writer.open.commit(&self.folder.join(&name), &header)?;
            writer.add(&header, name, hash, stored_bytes);
        }
        let shards = writer.shards.len() as u64;
        *self.journal.reached.of_mut(part) = Reached { shards, file, place };
        save(&self.folder.join(JOURNAL), &self.journal)
    }

    /// Finishes both parts, writes the manifest and marks the folder as complete.
    pub(crate) fn finish(
        mut self,
        source: &SourceFiles,
        tokenizer: &Tokenizer,
    ) -> Result<(), DataError> {
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

    fn check_both_have_text(&self, source: &SourceFiles) -> Result<(), Problem> {
        let name = &source.name;
        let documents = |part| {
            let writer = self.parts.of(part);
            writer.documents + writer.open.documents
        };
        let all = thousands(documents(Part::Train) + documents(Part::Validation));
        let rule = self.journal.settings.validation.shown();
        if self.progress.text_bytes == 0 {
            return Err(self.no_text(source));
        }
        if documents(Part::Validation) == 0 {
            let text = format!(
                "source `{name}` holds out none of {all} documents ({rule}), expected at least one"
            );
            let larger = |ppm: u32| [5, 10, 20, 50].into_iter().find(|p| p * 10_000 > ppm);
            let one = documents(Part::Train) == 1;
            let hint = match self.journal.settings.validation {
                ValidationRule::Files | ValidationRule::All => {
                    "name held-out files with text".to_owned()
                }
                ValidationRule::Split(_) if one => {
                    "split the document into several, or name held-out files".to_owned()
                }
                ValidationRule::Split(ppm) => match larger(ppm) {
                    Some(percent) => format!(
                        "raise the split, for example `holdout = \"{percent}%\"`, or name held-out \
                         files with text"
                    ),
                    None => "name held-out files with text".to_owned(),
                },
            };
            return Err(Problem::new(text).with_hint(hint));
        }
        if documents(Part::Train) == 0 && self.journal.settings.validation != ValidationRule::All {
            let text = format!(
                "source `{name}` holds out all of {all} documents ({rule}), expected some to train on"
            );
            let hint = match self.journal.settings.validation {
                ValidationRule::Split(ppm) if ppm > 10_000 => {
                    "lower the split, for example `holdout = \"1%\"`, or name held-out files"
                }
                _ => "name held-out files, and others to train on",
            };
            return Err(Problem::new(text).with_hint(hint));
        }
        Ok(())
    }

    /// A source without any text: which of its fields may hold it, or what leaves it out.
    fn no_text(&self, source: &SourceFiles) -> Problem {
        let name = &source.name;
        let filtered: u64 = self.journal.inputs.iter().map(|it| it.left_out.filtered).sum();
        let by_filter = source.rows.filter.as_ref().filter(|_| filtered > 0);
        let left_out = by_filter.map_or(String::new(), |_| {
            format!(", rows left out by `where`: {}", thousands(filtered))
        });
        let text = format!(
            "source `{name}` is empty: no text in what matches {} in `{}` (files: {}, documents \
             skipped as broken: {}{left_out})",
            quoted(&source.paths),
            source.root.display(),
            self.inputs.len(),
            self.progress.skipped
        );
        let hint = match (by_filter, text_elsewhere(self.inputs, &source.rows)) {
            (Some(filter), _) => format!("no row has `{}`: check the condition", filter.text()),
            (None, Some(line)) => format!("another field holds text: type `{line}` in the source"),
            (None, None) => "check that these files are the right ones".to_owned(),
        };
        Problem::new(text).with_hint(hint)
    }
}

impl PartWriter {
    fn add(&mut self, header: &Header, file: String, hash: Fingerprint, stored_bytes: u64) {
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

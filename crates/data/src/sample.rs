//! A sample of the training text of a source, small enough to train a tokenizer on.
//!
//! The content of the sample is the identity of the tokenizer, so it is read every time a study is
//! opened. It reads a bounded part of a source of any size: the beginnings of some files. It keeps
//! documents by a keyed hash of their text.

use std::collections::BTreeMap;

use sparkjoy_base::{Key, Ppm, Purpose, Seed};

use crate::blocks;
use crate::compression::damage;
use crate::encode::{each_document, side};
use crate::error::BadDocument;
use crate::prepare::Sizes;
use crate::source::{Input, OnBadDocument, SourceFiles, Validation, list};
use crate::{DataError, Part};

/// Bytes of text read per byte kept, so that the sample is spread over more documents.
const READ_PER_KEPT: u64 = 8;
/// The most files that are read.
const FILES: usize = 64;
/// One document is at most 1/16 of the sample, so that a book cannot be all of it.
const DOCUMENT_PART: u64 = 16;

/// The documents with the smallest keys, up to a limit of bytes, and at least one.
struct Kept {
    by_key: BTreeMap<[u64; 4], String>,
    bytes: u64,
    limit: u64,
}

impl Kept {
    fn add(&mut self, key: [u64; 4], text: &str) {
        let duplicate = self.by_key.insert(key, text.to_owned());
        self.bytes += text.len() as u64;
        self.bytes -= duplicate.map_or(0, |text| text.len() as u64);
        while self.bytes > self.limit && self.by_key.len() > 1 {
            let (_, last) = self.by_key.pop_last().expect("more than one is kept");
            self.bytes -= last.len() as u64;
        }
    }
}

/// About `bytes` bytes of the training text of `source`, in whole documents where they are short.
///
/// # Guarantees
///
/// Depends only on the text, the names of the files and the seed. Holds no held-out document.
/// Reads at most about eight times `bytes` of text, plus a block per file.
///
/// # Errors
///
/// As [`crate::prepare`] for text that cannot be used, as far as it is read.
pub fn sample_documents(
    source: &SourceFiles,
    seed: Seed,
    bytes: u64,
) -> Result<Vec<String>, DataError> {
    let inputs: Vec<Input> =
        list(source)?.into_iter().filter(|input| input.part != Some(Part::Validation)).collect();
    let files = inputs.len().min(FILES);
    let per_file = READ_PER_KEPT * bytes / files.max(1) as u64;
    let mut kept = Kept { by_key: BTreeMap::new(), bytes: 0, limit: bytes };
    for i in 0..files {
        // Evenly over all files, including the first.
        let input = &inputs[i * inputs.len() / files];
        read_beginning(source, input, per_file, |text| {
            let hash = blake3::hash(text.as_bytes());
            let key = Key::new(seed, Purpose::TokenizerSample, &[hash.as_bytes()]);
            kept.add(key.words(), beginning(text, bytes / DOCUMENT_PART));
        })?;
    }
    Ok(kept.by_key.into_values().collect())
}

/// Gives training documents of one file to `take` until `bytes` of text have been read.
fn read_beginning(
    source: &SourceFiles,
    input: &Input,
    bytes: u64,
    mut take: impl FnMut(&str),
) -> Result<(), DataError> {
    let split = match source.validation {
        Validation::Split(ppm) => ppm,
        Validation::Files(_) | Validation::All => Ppm(0),
    };
    let (mut read, mut result) = (0, Ok(()));
    let sizes = Sizes { block_bytes: bytes.clamp(1 << 14, 1 << 20) as usize, ..Sizes::USUAL };
    blocks::read(0, input, &source.rows, &sizes, |block| {
        let taken = each_document(&block, &source.rows, |place, text| {
            match text {
                Ok(text) => {
                    read += text.len() as u64;
                    let part = input.part.unwrap_or_else(|| side(&text, split.0));
                    if part == Part::Train {
                        take(&text);
                    }
                }
                Err(fault) if source.on_bad_document == OnBadDocument::Refuse => {
                    let bad = BadDocument { path: input.name.clone(), place, fault };
                    return Err(damage(input).unwrap_or_else(|| bad.into()));
                }
                Err(_) => {}
            }
            Ok(())
        });
        result = taken.map(drop);
        result.is_ok() && read < bytes
    })?;
    result
}

/// The first `bytes` bytes of `text`, or up to three less, so that no character is cut.
fn beginning(text: &str, bytes: u64) -> &str {
    &text[..text.floor_char_boundary(bytes as usize)]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sparkjoy_base::{SourceName, write_atomic};

    use super::*;
    use crate::row_text::Rows;

    fn source(root: &Path, paths: &[&str], validation: Validation) -> SourceFiles {
        SourceFiles {
            name: SourceName::new("web").unwrap(),
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
            root: root.to_owned(),
            rows: Rows::default(),
            on_bad_document: OnBadDocument::Refuse,
            validation,
        }
    }

    fn lines(root: &Path, name: &str, documents: impl Iterator<Item = String>) {
        let lines: Vec<String> =
            documents.map(|text| format!("{{\"text\":\"{text}\"}}\n")).collect();
        write_atomic(&root.join(name), lines.concat().as_bytes()).unwrap();
    }

    #[test]
    fn a_sample_follows_from_text_and_seed_alone() {
        let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        for root in [&one, &other] {
            lines(root.path(), "a.jsonl", (0..4000).map(|i| format!("document number {i}")));
        }
        let sample = |root: &Path, seed| {
            let source = source(root, &["a.jsonl"], Validation::Split(Ppm(100_000)));
            sample_documents(&source, Seed(seed), 2000).unwrap()
        };
        let first = sample(one.path(), 1);
        assert_eq!(first, sample(other.path(), 1));
        assert_ne!(first, sample(one.path(), 2));
        let bytes: usize = first.iter().map(String::len).sum();
        assert!((1900..=2000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn a_sample_holds_no_held_out_document() {
        let root = tempfile::tempdir().unwrap();
        lines(root.path(), "a.jsonl", (0..200).map(|i| format!("document number {i}")));
        lines(root.path(), "held.jsonl", (0..200).map(|i| format!("held {i}")));
        let split = source(root.path(), &["a.jsonl"], Validation::Split(Ppm(500_000)));
        let sample = sample_documents(&split, Seed(1), 1 << 20).unwrap();
        assert!((60..140).contains(&sample.len()), "{}", sample.len());
        assert!(sample.iter().all(|text| side(text, 500_000) == Part::Train));

        let files = Validation::Files(vec!["held.jsonl".to_owned()]);
        let files = source(root.path(), &["a.jsonl"], files);
        let sample = sample_documents(&files, Seed(1), 1 << 20).unwrap();
        assert_eq!(sample.len(), 200);
        assert!(sample.iter().all(|text| text.starts_with("document")));
    }

    #[test]
    fn one_long_document_is_not_the_whole_sample() {
        let root = tempfile::tempdir().unwrap();
        write_atomic(&root.path().join("a.txt"), "é".repeat(5000).as_bytes()).unwrap();
        write_atomic(&root.path().join("b.txt"), b"short").unwrap();
        let source = source(root.path(), &["a.txt", "b.txt"], Validation::Split(Ppm(0)));
        let mut sample = sample_documents(&source, Seed(1), 1000).unwrap();
        sample.sort();
        assert_eq!(sample, ["short".to_owned(), "é".repeat(31)]);
    }

    #[test]
    fn a_broken_document_is_refused_or_passed_over_as_the_study_says() {
        let root = tempfile::tempdir().unwrap();
        write_atomic(&root.path().join("a.jsonl"), b"{\"text\":\"good\"}\n{\"text\":3}\n").unwrap();
        let mut source = source(root.path(), &["a.jsonl"], Validation::Split(Ppm(0)));
        let error = sample_documents(&source, Seed(1), 1000).unwrap_err();
        assert_eq!(error.to_string(), "`a.jsonl` line 2: `text` is a number, expected a string");
        source.on_bad_document = OnBadDocument::Skip;
        assert_eq!(sample_documents(&source, Seed(1), 1000).unwrap(), ["good"]);
    }
}

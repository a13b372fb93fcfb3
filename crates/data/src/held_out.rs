//! Held-out text that is trained on: files that one source holds out and another trains on, and
//! documents that stand on both sides.
//!
//! A document is told by a hash of its tokens, which are those of its text. So what is compared is
//! what is prepared, whenever that was, and only the hashes of held-out documents are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Problem, SourceName};
use xxhash_rust::xxh3::Xxh3;

use crate::source::{SourceFiles, list};
use crate::{Corpus, DataError, Part, Tokenizer};

/// Tokens read at a time.
const STRIDE: usize = 1 << 16;
/// Tokens of a document that are shown.
const SHOWN: usize = 24;

/// Held-out documents of a source that stand in training text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// The source that holds them out.
    pub source: SourceName,
    /// How many of its held-out documents.
    pub documents: u64,
    /// All its held-out documents.
    pub of_documents: u64,
    /// Tokens of these documents.
    pub tokens: u64,
    /// All its held-out tokens.
    pub of_tokens: u64,
    /// The sources that train on them.
    pub within: Vec<SourceName>,
    /// The first of them, and where it stands on both sides.
    pub first: String,
}

impl TrainedOn {
    /// Whether it is more than what meets by chance: a thousandth of the held-out tokens.
    pub fn counts(&self) -> bool {
        1000 * self.tokens >= self.of_tokens
    }
}

/// Refuses a file that one source holds out and another trains on. Lists folders, reads no file.
///
/// # Errors
///
/// Such a file, with both sources; as [`crate::scan`].
pub fn check_files(sources: &[&SourceFiles]) -> Result<(), DataError> {
    let mut held_out: BTreeMap<PathBuf, &SourceName> = BTreeMap::new();
    let mut others = Vec::new();
    for source in sources {
        for input in list(source)? {
            if input.part == Some(Part::Validation) {
                held_out.insert(input.path, &source.name);
            } else {
                others.push((input, &source.name));
            }
        }
    }
    for (input, trains) in others {
        let Some(holds_out) = held_out.get(&input.path) else { continue };
        let text = format!(
            "`{}` is held out by source `{holds_out}` and taken in by source `{trains}`, expected \
             held-out text that nothing trains on",
            input.name
        );
        let hint = format!("give source `{trains}` a path that leaves this file out");
        return Err(Problem::new(text).with_hint(hint).into());
    }
    Ok(())
}

/// A document that is held out.
struct HeldOut {
    source: usize,
    /// Its place among the held-out documents of its source, from 1.
    number: u64,
    tokens: u64,
}

/// Held-out documents that are trained on, by source.
///
/// # Guarantees
///
/// Every held-out document is compared with every training document of every source. Memory grows
/// with the held-out documents only.
///
/// # Errors
///
/// Tokens that are not as written; [`DataError::Interrupted`] if `stop` is set.
pub fn trained_on(
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    stop: &AtomicBool,
) -> Result<Vec<TrainedOn>, DataError> {
    let mut held_out: BTreeMap<u128, Vec<HeldOut>> = BTreeMap::new();
    for (source, corpus) in corpora.iter().enumerate() {
        each_document(corpus, Part::Validation, stop, |hash, number, tokens, _| {
            held_out.entry(hash).or_default().push(HeldOut { source, number, tokens });
        })?;
    }
    // For each document that is found: the sources that train on it, and where it first stands.
    let mut found: BTreeMap<u128, (BTreeSet<usize>, String)> = BTreeMap::new();
    for (source, corpus) in corpora.iter().enumerate() {
        each_document(corpus, Part::Train, stop, |hash, number, _, beginning| {
            if held_out.contains_key(&hash) {
                let place = || {
                    let text = tokenizer.decode(beginning);
                    format!("{} of {}: {text:?}", place(corpus, Part::Train, number), corpus.name())
                };
                found.entry(hash).or_insert_with(|| (BTreeSet::new(), place())).0.insert(source);
            }
        })?;
    }
    let of_source = |source: usize| {
        let of = |hash: &u128| held_out[hash].iter().filter(move |held| held.source == source);
        let theirs = || found.iter().flat_map(|(hash, at)| of(hash).map(move |held| (held, at)));
        let (first, (_, at)) = theirs().min_by_key(|(held, _)| held.number)?;
        let within: BTreeSet<usize> =
            theirs().flat_map(|(_, (within, _))| within).copied().collect();
        let corpus = &corpora[source];
        Some(TrainedOn {
            source: corpus.name().clone(),
            documents: theirs().count() as u64,
            of_documents: corpus.documents(Part::Validation),
            tokens: theirs().map(|(held, _)| held.tokens).sum(),
            of_tokens: corpus.tokens(Part::Validation),
            within: within.into_iter().map(|source| corpora[source].name().clone()).collect(),
            first: format!("{} is {at}", place(corpus, Part::Validation, first.number)),
        })
    };
    Ok((0..corpora.len()).filter_map(of_source).collect())
}

/// `held-out document 3 (`odd/val.jsonl`)`, the file where it follows from the number.
fn place(corpus: &Corpus, part: Part, number: u64) -> String {
    let file = corpus.file_of(part, number).map(|file| format!(" (`{file}`)")).unwrap_or_default();
    let side = if part == Part::Train { "document" } else { "held-out document" };
    format!("{side} {number}{file}")
}

/// Calls `see` for each document of a part: its hash, its place from 1, its tokens with the one
/// that ends it, and the first of them. Documents without text are passed over.
fn each_document(
    corpus: &Corpus,
    part: Part,
    stop: &AtomicBool,
    mut see: impl FnMut(u128, u64, u64, &[u32]),
) -> Result<(), DataError> {
    let (mut hasher, mut bytes) = (Xxh3::new(), Vec::new());
    let (mut number, mut length, mut beginning) = (1, 0, Vec::new());
    let mut tokens = vec![0; STRIDE];
    for shard in corpus.opened(part) {
        let (all, end_of_text) = (shard.header().tokens, shard.header().end_of_text);
        for first in (0..all).step_by(STRIDE) {
            if stop.load(Ordering::Relaxed) {
                return Err(DataError::Interrupted);
            }
            let tokens = &mut tokens[..(all - first).min(STRIDE as u64) as usize];
            shard.read(first, tokens)?;
            for piece in tokens.split_inclusive(|&token| token == end_of_text) {
                let ends = piece.last() == Some(&end_of_text);
                let text = &piece[..piece.len() - usize::from(ends)];
                beginning.extend(text.iter().take(SHOWN - beginning.len().min(SHOWN)));
                bytes.clear();
                bytes.extend(text.iter().flat_map(|token| token.to_le_bytes()));
                hasher.update(&bytes);
                length += text.len() as u64;
                if ends {
                    if length > 0 {
                        see(hasher.digest128(), number, length + 1, &beginning);
                    }
                    hasher.reset();
                    (number, length) = (number + 1, 0);
                    beginning.clear();
                }
            }
        }
    }
    Ok(())
}

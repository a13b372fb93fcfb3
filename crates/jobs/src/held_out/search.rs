//! Looks for held-out documents in all training text: the same words by their hash, and most of the
//! words by their runs, in one pass over each source.
//!
//! A training document is nearly a held-out one if it holds, in runs that stand in few places of
//! held-out text, as many percent of its words as make an item of a task contaminated; and so are
//! several, of whatever sources, that hold them in long passages together. A short document must
//! stand in another whole. A document that is made of other runs, or is too short to be told from
//! chance, is compared as a whole alone, and it is counted.
//!
//! # Bounds
//!
//! Of every held-out document a hash is kept. Words take about 30 bytes of memory for each byte of
//! text, and what is found of them 5 more, so they are looked for in [`MOST_BYTES`] of held-out
//! text at most: where there is more, in documents that lie evenly over each source.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use sparkjoy_data::{
    Corpus, DataError, HeldOutDocument, NearCopies, OnlyWhole, Part, TextHash, Tokenizer, TrainedOn,
};
use sparkjoy_eval::{Found, OverlapIndex, Search, hash_of_words};

use crate::error::JobError;
use crate::training_text::{Reader, walk};
use crate::watcher::{Event, Watcher};

/// Bytes of held-out text whose words are looked for, over all sources.
pub(super) const MOST_BYTES: u64 = 16 << 20;
/// Bytes of one document whose words are looked for.
const LONGEST: usize = 1 << 20;
/// Bytes of a source that is searched within the blink of an eye.
const LONG: u64 = 64 << 20;
/// Bytes of a document that are shown.
const SHOWN: usize = 60;
/// Documents of a source that are shown.
const NAMED: usize = 4;

/// What is held out.
struct HeldOut {
    documents: Vec<Document>,
    /// The documents of each hash: of their words, or of a text without words.
    by_hash: BTreeMap<u128, Vec<usize>>,
    /// Words of some documents.
    index: OverlapIndex,
    /// The document of each item of the index.
    indexed: Vec<usize>,
}

struct Document {
    source: usize,
    /// Its place among the held-out documents of its source, from 1.
    number: u64,
    tokens: u64,
}

/// The first training document in which a held-out document is found.
struct Place {
    source: usize,
    number: u64,
    beginning: String,
    holds: Holds,
}

/// What of a held-out document stands in a training document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// All its words and no others.
    Equal,
    /// Enough of its words.
    Enough,
    /// Some; enough of them stand in several documents together.
    Part,
}

/// Held-out documents that are trained on, and how many are compared as a whole alone, by source.
///
/// - `most_bytes`: of held-out text whose words are looked for.
///
/// # Guarantees
///
/// The same for any number of threads.
///
/// # Errors
///
/// [`JobError::Interrupted`] when told to stop; tokens that are not as written.
pub(super) fn trained_on(
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    most_bytes: u64,
    threads: usize,
    watcher: &mut Watcher<'_>,
) -> Result<(Vec<TrainedOn>, Vec<OnlyWhole>), JobError> {
    let held_out = HeldOut::read(corpora, tokenizer, most_bytes, watcher.stop())?;
    let mut places: BTreeMap<usize, (Place, BTreeSet<usize>)> = BTreeMap::new();
    let mut note = |document: usize, place: Place| {
        let source = place.source;
        match places.entry(document) {
            Entry::Vacant(entry) => {
                entry.insert((place, BTreeSet::from([source])));
            }
            Entry::Occupied(mut entry) => {
                let (known, within) = entry.get_mut();
                within.insert(source);
                if place.holds == Holds::Equal && known.holds != Holds::Equal {
                    *known = place;
                }
            }
        }
    };
    // What was found in all sources, and the documents before each.
    let (mut together, mut before) = (Found::default(), Vec::new());
    for (source, corpus) in corpora.iter().enumerate() {
        let (mut equal, mut nearly) = (Vec::new(), Found::default());
        let reader = || Documents::new(&held_out);
        let takes_long = corpus.text_bytes(Part::Train) > LONG;
        let stop = watcher.stop();
        let mut tell = |event: Event<'_>| {
            if takes_long {
                watcher.tell(event);
            }
        };
        let told = ("held-out text", &mut Watcher::new(stop, &mut tell));
        walk(corpus, tokenizer, threads, told, reader, |stretch: InStretch| {
            let before = nearly.documents();
            let of_source = |copy: Copy| Copy { number: before + copy.number, ..copy };
            equal.extend(stretch.equal.into_iter().map(of_source));
            nearly.append(stretch.nearly);
        })?;
        for Copy { hash, number, beginning } in equal {
            for &document in &held_out.by_hash[&hash] {
                let (beginning, holds) = (beginning.clone(), Holds::Equal);
                note(document, Place { source, number, beginning, holds });
            }
        }
        let overlaps = nearly.overlaps(&held_out.index).into_iter();
        for overlap in overlaps.filter(|overlap| overlap.documents > 0) {
            let (number, beginning) = (overlap.first[0] + 1, overlap.beginning);
            let place = Place { source, number, beginning, holds: Holds::Enough };
            note(held_out.indexed[overlap.item], place);
        }
        before.push(together.documents());
        together.append(nearly);
    }
    for overlap in together.in_parts(&held_out.index) {
        for document in overlap.first {
            let source = before.partition_point(|&before| before <= document) - 1;
            let (number, beginning) = (document - before[source] + 1, overlap.beginning.clone());
            let place = Place { source, number, beginning, holds: Holds::Part };
            note(held_out.indexed[overlap.item], place);
        }
    }
    let sources = 0..corpora.len();
    let found = sources.clone().filter_map(|source| held_out.trained_on(corpora, source, &places));
    let only_whole = sources.map(|source| held_out.only_whole(corpora, source));
    Ok((found.collect(), only_whole.filter(|it| it.tokens > 0).collect()))
}

impl HeldOut {
    fn read(
        corpora: &[Corpus],
        tokenizer: &Tokenizer,
        most_bytes: u64,
        stop: &AtomicBool,
    ) -> Result<Self, JobError> {
        let (mut documents, mut by_hash) = (Vec::new(), BTreeMap::<u128, Vec<usize>>::new());
        let (mut indexed, mut texts) = (Vec::new(), Vec::new());
        let share = (most_bytes / corpora.len().max(1) as u64).max(1);
        for (source, corpus) in corpora.iter().enumerate() {
            let every = corpus.text_bytes(Part::Validation).div_ceil(share).max(1);
            let see = |seen: HeldOutDocument<'_>| {
                let HeldOutDocument { number, tokens, text } = seen;
                let hash = hash_of_words(text).unwrap_or_else(|| {
                    let mut hash = TextHash::default();
                    hash.add(text.as_bytes());
                    hash.take()
                });
                by_hash.entry(hash).or_default().push(documents.len());
                if (number - 1).is_multiple_of(every) {
                    indexed.push(documents.len());
                    texts.push(text[..text.floor_char_boundary(LONGEST)].to_owned());
                }
                documents.push(Document { source, number, tokens });
            };
            corpus.each_held_out(tokenizer, stop, see).map_err(|error| match error {
                DataError::Interrupted => JobError::Interrupted,
                error => error.into(),
            })?;
        }
        let index = OverlapIndex::of_documents(texts.into_iter());
        Ok(Self { documents, by_hash, index, indexed })
    }

    /// What is found of a source's held-out documents.
    ///
    /// - `places`: of documents, with the sources that train on them.
    fn trained_on(
        &self,
        corpora: &[Corpus],
        source: usize,
        places: &BTreeMap<usize, (Place, BTreeSet<usize>)>,
    ) -> Option<TrainedOn> {
        let is_of_it = |document: &&Document| document.source == source;
        let found: Vec<(&Document, &(Place, BTreeSet<usize>))> = places
            .iter()
            .map(|(&document, place)| (&self.documents[document], place))
            .filter(|(document, _)| is_of_it(document))
            .collect();
        // Documents are numbered in their order.
        let mut shown = found.iter().take(NAMED).map(|(document, (place, _))| {
            let trains = &corpora[place.source];
            format!(
                "{} is {}{} of {}{}: {:?}",
                corpora[source].place_of(Part::Validation, document.number),
                match place.holds {
                    Holds::Equal => "",
                    Holds::Enough => "nearly ",
                    Holds::Part => "in parts in ",
                },
                trains.place_of(Part::Train, place.number),
                trains.name(),
                if place.holds == Holds::Part { " and others" } else { "" },
                place.beginning
            )
        });
        let (first, next) = (shown.next()?, shown.collect());
        let within: BTreeSet<usize> = found.iter().flat_map(|(_, (_, w))| w).copied().collect();
        let in_parts = found.iter().filter(|(_, (place, _))| place.holds == Holds::Part).count();
        let near = found.iter().filter(|(_, (place, _))| place.holds != Holds::Equal);
        let near: Vec<u64> = near.map(|(document, _)| document.tokens).collect();
        let looked_for = self.indexed.iter().map(|&document| &self.documents[document]);
        let looked_for: Vec<u64> = looked_for.filter(is_of_it).map(|d| d.tokens).collect();
        let corpus = &corpora[source];
        Some(TrainedOn {
            source: corpus.name().clone(),
            documents: found.len() as u64,
            of_documents: corpus.documents(Part::Validation),
            tokens: found.iter().map(|(document, _)| document.tokens).sum(),
            of_tokens: corpus.tokens(Part::Validation),
            within: within.into_iter().map(|source| corpora[source].name().clone()).collect(),
            first,
            next,
            nearly: (!near.is_empty()).then(|| NearCopies {
                documents: near.len() as u64,
                tokens: near.iter().sum(),
                of_documents: looked_for.len() as u64,
                of_tokens: looked_for.iter().sum(),
                in_parts: in_parts as u64,
            }),
        })
    }

    /// How many of a source's held-out documents are compared as a whole alone.
    fn only_whole(&self, corpora: &[Corpus], source: usize) -> OnlyWhole {
        let mut only = OnlyWhole {
            source: corpora[source].name().clone(),
            few_words: 0,
            common: 0,
            beyond: 0,
            of_documents: corpora[source].documents(Part::Validation),
            tokens: 0,
            of_tokens: corpora[source].tokens(Part::Validation),
        };
        let (few_words, common) = (self.index.too_short(), self.index.common());
        let of_source = |(_, document): &(usize, &Document)| document.source == source;
        for (i, document) in self.documents.iter().enumerate().filter(of_source) {
            // Items, and what is said of them, ascend.
            let item = self.indexed.binary_search(&i).ok();
            let is_in = |items: &[usize]| item.is_some_and(|i| items.binary_search(&i).is_ok());
            let count = match item {
                None => &mut only.beyond,
                Some(_) if is_in(few_words) => &mut only.few_words,
                Some(_) if is_in(common) => &mut only.common,
                Some(_) => continue,
            };
            *count += 1;
            only.tokens += document.tokens;
        }
        only
    }
}

/// Reads training documents; one per thread.
struct Documents<'a> {
    held_out: &'a HeldOut,
    hash: TextHash,
    words: Search<'a>,
    /// How the document begins.
    beginning: String,
    /// Documents read since the last call of `take`.
    read: u64,
    equal: Vec<Copy>,
}

/// A training document that is a held-out one.
struct Copy {
    hash: u128,
    /// From 1 in what was read.
    number: u64,
    beginning: String,
}

/// What a stretch of documents holds.
struct InStretch {
    /// The first of each hash.
    equal: Vec<Copy>,
    nearly: Found,
}

impl<'a> Documents<'a> {
    fn new(held_out: &'a HeldOut) -> Self {
        Self {
            held_out,
            hash: TextHash::default(),
            words: Search::new(&held_out.index),
            beginning: String::new(),
            read: 0,
            equal: Vec::new(),
        }
    }
}

impl Reader for Documents<'_> {
    type Found = InStretch;

    fn read(&mut self, piece: &str) {
        self.hash.add(piece.as_bytes());
        self.words.read(piece);
        let left = SHOWN.saturating_sub(self.beginning.len());
        self.beginning.push_str(&piece[..piece.floor_char_boundary(left)]);
    }

    fn end_document(&mut self) {
        self.read += 1;
        let (of_bytes, number) = (self.hash.take(), self.read);
        let hash = self.words.end_document().unwrap_or(of_bytes);
        let is_held_out = self.held_out.by_hash.contains_key(&hash);
        if is_held_out && self.equal.iter().all(|copy| copy.hash != hash) {
            let beginning = self.beginning.clone();
            self.equal.push(Copy { hash, number, beginning });
        }
        self.beginning.clear();
    }

    fn take(&mut self) -> InStretch {
        self.read = 0;
        InStretch { equal: std::mem::take(&mut self.equal), nearly: self.words.take() }
    }
}

#[cfg(test)]
pub(super) mod tests;

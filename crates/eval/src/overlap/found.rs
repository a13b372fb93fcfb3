//! What was found of items in documents, and what it amounts to.

use std::collections::{BTreeMap, BTreeSet};

use super::COVERED_PERCENT;
use super::index::{OverlapIndex, Place};

/// Documents that are named of an item.
const NAMED: usize = 3;

/// What was found in some documents, one after the other.
///
/// # Guarantees
///
/// What was found in several stretches of documents, [appended](Found::append) in their order, is
/// what would have been found in all of them at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    documents: u64,
    /// The first document in which each gram stands, from 0.
    grams: BTreeMap<usize, u64>,
    /// By item, documents that hold all it takes.
    holders: BTreeMap<usize, Holders>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Holders {
    documents: u64,
    /// The first of them, from 0.
    first: Vec<u64>,
}

/// An item that stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Which, from 0.
    pub item: usize,
    /// Words that are covered, of the text of the item that is covered best.
    pub covered: usize,
    /// Words of that text.
    pub words: usize,
    /// Its first words.
    pub beginning: String,
    /// Documents that hold as much of it by themselves.
    pub documents: u64,
    /// The first of them, from 0; where there are none, those in which its runs are first met.
    pub first: Vec<u64>,
}

impl Found {
    /// Documents read.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Adds what was found in documents that come after these.
    pub fn append(&mut self, later: Self) {
        let before = self.documents;
        self.documents += later.documents;
        for (gram, document) in later.grams {
            self.grams.entry(gram).or_insert(before + document);
        }
        for (item, holders) in later.holders {
            let all = self.holders.entry(item).or_default();
            all.documents += holders.documents;
            all.first.extend(holders.first.into_iter().map(|document| before + document));
            all.first.truncate(NAMED);
        }
    }

    /// Adds a document.
    ///
    /// - `grams`: those that stand in it, each once, ascending.
    pub(super) fn add_document(&mut self, index: &OverlapIndex, grams: &[usize]) {
        let document = self.documents;
        self.documents += 1;
        if grams.is_empty() {
            return;
        }
        for &gram in grams {
            self.grams.entry(gram).or_insert(document);
        }
        for item in standing(index, grams.iter().copied()).into_keys() {
            let holders = self.holders.entry(item).or_default();
            holders.documents += 1;
            if holders.first.len() < NAMED {
                holders.first.push(document);
            }
        }
    }

    /// The items that stand in all documents together, ascending.
    pub fn overlaps(&self, index: &OverlapIndex) -> Vec<Overlap> {
        let named = |mut overlap: Overlap| {
            overlap.first.truncate(NAMED);
            overlap
        };
        self.all(index).map(named).collect()
    }

    /// Of these, those that stand in no document by itself, with all documents in which their runs
    /// are first met.
    pub fn in_parts(&self, index: &OverlapIndex) -> Vec<Overlap> {
        self.all(index).filter(|overlap| overlap.documents == 0).collect()
    }

    fn all(&self, index: &OverlapIndex) -> impl Iterator<Item = Overlap> {
        let best = standing(index, self.grams.keys().copied());
        let in_parts = best.iter().filter(|(item, _)| !self.holders.contains_key(item));
        let mut met = self.met(index, in_parts.map(|(_, best)| best.text));
        best.into_iter().map(move |(item, Best { text, covered })| {
            let Holders { documents, first } = self.holders.get(&item).cloned().unwrap_or_default();
            let met = met.remove(&text).unwrap_or_default();
            let first = if documents > 0 { first } else { met.into_iter().collect() };
            let (words, beginning) = (index.texts[text].words, index.beginning(text));
            Overlap { item, covered, words, beginning, documents, first }
        })
    }

    /// The documents in which runs of some texts are first met.
    fn met(
        &self,
        index: &OverlapIndex,
        texts: impl Iterator<Item = usize>,
    ) -> BTreeMap<usize, BTreeSet<u64>> {
        let mut met: BTreeMap<_, _> = texts.map(|text| (text, BTreeSet::new())).collect();
        if met.is_empty() {
            return met;
        }
        for (&gram, &document) in &self.grams {
            for place in index.places(gram) {
                if let Some(documents) = met.get_mut(&place.text) {
                    documents.insert(document);
                }
            }
        }
        met
    }
}

/// The text of an item that is covered best.
struct Best {
    text: usize,
    covered: usize,
}

/// The items of which enough is covered by `grams`.
fn standing(index: &OverlapIndex, grams: impl Iterator<Item = usize>) -> BTreeMap<usize, Best> {
    let mut places: Vec<(Place, usize)> =
        grams.flat_map(|gram| index.places(gram).iter().map(move |&place| (place, gram))).collect();
    places.sort_unstable();
    let mut best: BTreeMap<usize, Best> = BTreeMap::new();
    for of_text in places.chunk_by(|a, b| a.0.text == b.0.text) {
        let text = of_text[0].0.text;
        let (item, words) = (index.texts[text].item, index.texts[text].words);
        let (mut covered, mut to) = (0, 0);
        for &(place, gram) in of_text {
            let end = place.word + index.grams[gram].words;
            covered += end - place.word.max(to);
            to = end;
        }
        if 100 * covered as u64 >= COVERED_PERCENT * words as u64 {
            let better =
                |known: &Best| covered * index.texts[known.text].words > known.covered * words;
            if best.get(&item).is_none_or(better) {
                best.insert(item, Best { text, covered });
            }
        }
    }
    best
}

//! What was found of items in documents, and what it amounts to.

use std::collections::BTreeMap;

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
        let best = standing(index, self.grams.keys().copied());
        let overlap = |(item, Best { text, covered })| {
            let holders = self.holders.get(&item).cloned().unwrap_or_default();
            let first =
                if holders.first.is_empty() { self.met(index, text) } else { holders.first };
            let (words, beginning) = (index.texts[text].words, index.beginning(text));
            Overlap { item, covered, words, beginning, documents: holders.documents, first }
        };
        best.into_iter().map(overlap).collect()
    }

    /// The first documents in which runs of a text are first met.
    fn met(&self, index: &OverlapIndex, text: usize) -> Vec<u64> {
        let is_of = |gram: &usize| index.places(*gram).iter().any(|place| place.text == text);
        let of_text = self.grams.iter().filter(|(gram, _)| is_of(gram));
        let mut documents: Vec<u64> = of_text.map(|(_, document)| *document).collect();
        documents.sort_unstable();
        documents.dedup();
        documents.truncate(NAMED);
        documents
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

//! What was found of items in documents, and what it amounts to.

use std::collections::{BTreeMap, BTreeSet};

use super::COVERED_PERCENT;
use super::index::{OverlapIndex, PASSAGE, Place};

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
    /// Of these, grams of passages of documents that are looked for, and the first document in
    /// which each stands in one.
    passages: BTreeMap<usize, u64>,
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
        for (gram, document) in later.passages {
            self.passages.entry(gram).or_insert(before + document);
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
        let places = places(index, grams.iter());
        for item in standing(index, &places).into_keys() {
            let holders = self.holders.entry(item).or_default();
            holders.documents += 1;
            if holders.first.len() < NAMED {
                holders.first.push(document);
            }
        }
        let follows = |(a, _): &(Place, usize), (b, _): &(Place, usize)| {
            (a.text, a.word + 1) == (b.text, b.word)
        };
        let passages = places.chunk_by(follows).filter(|passage| passage.len() >= PASSAGE);
        for &(_, gram) in passages.flatten().filter(|_| index.is_of_documents) {
            self.passages.entry(gram).or_insert(document);
        }
    }

    /// The items that stand in all documents together, ascending.
    pub fn overlaps(&self, index: &OverlapIndex) -> Vec<Overlap> {
        let named = |mut overlap: Overlap| {
            overlap.first.truncate(NAMED);
            overlap
        };
        self.of(index, &self.grams).map(named).collect()
    }

    /// The items of [`OverlapIndex::of_documents`] that stand in no document by itself, and in long
    /// passages of several together; with all documents in which these are first met.
    pub fn in_parts(&self, index: &OverlapIndex) -> Vec<Overlap> {
        self.of(index, &self.passages).filter(|overlap| overlap.documents == 0).collect()
    }

    /// The items that stand in some grams.
    fn of(
        &self,
        index: &OverlapIndex,
        grams: &BTreeMap<usize, u64>,
    ) -> impl Iterator<Item = Overlap> {
        let best = standing(index, &places(index, grams.keys()));
        let in_parts = best.iter().filter(|(item, _)| !self.holders.contains_key(item));
        let mut met = met(index, grams, in_parts.map(|(_, best)| best.text));
        best.into_iter().map(move |(item, Best { text, covered })| {
            let Holders { documents, first } = self.holders.get(&item).cloned().unwrap_or_default();
            let met = met.remove(&text).unwrap_or_default();
            let first = if documents > 0 { first } else { met.into_iter().collect() };
            let (words, beginning) = (index.texts[text].words, index.beginning(text));
            Overlap { item, covered, words, beginning, documents, first }
        })
    }
}

/// The documents in which grams of some texts are first met.
fn met(
    index: &OverlapIndex,
    grams: &BTreeMap<usize, u64>,
    texts: impl Iterator<Item = usize>,
) -> BTreeMap<usize, BTreeSet<u64>> {
    let mut met: BTreeMap<_, _> = texts.map(|text| (text, BTreeSet::new())).collect();
    if met.is_empty() {
        return met;
    }
    for (&gram, &document) in grams {
        for place in index.places(gram) {
            if let Some(documents) = met.get_mut(&place.text) {
                documents.insert(document);
            }
        }
    }
    met
}

/// Where some grams stand in the texts of items, sorted.
fn places<'a>(index: &OverlapIndex, grams: impl Iterator<Item = &'a usize>) -> Vec<(Place, usize)> {
    let of = |&gram: &usize| index.places(gram).iter().map(move |&place| (place, gram));
    let mut places: Vec<(Place, usize)> = grams.flat_map(of).collect();
    places.sort_unstable();
    places
}

/// The text of an item that is covered best.
struct Best {
    text: usize,
    covered: usize,
}

/// The items of which enough is covered by grams that stand at `places`.
fn standing(index: &OverlapIndex, places: &[(Place, usize)]) -> BTreeMap<usize, Best> {
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
        let is_covered = 100 * covered as u64 >= COVERED_PERCENT * words as u64;
        if is_covered && of_text.len() >= index.texts[text].needed {
            let better =
                |known: &Best| covered * index.texts[known.text].words > known.covered * words;
            if best.get(&item).is_none_or(better) {
                best.insert(item, Best { text, covered });
            }
        }
    }
    best
}

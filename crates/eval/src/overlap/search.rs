//! Reads documents and notes what of the items stands in them.

use super::LEAST;
use super::RUN;
use super::found::Found;
use super::index::OverlapIndex;
use super::words::Words;

/// Grams noted before those noted twice are dropped.
const MANY: usize = 1 << 16;

/// One reader of documents; one per thread.
#[derive(Debug)]
pub struct Search<'a> {
    index: &'a OverlapIndex,
    words: Words,
    /// Grams that stand in the document being read.
    seen: Seen,
    found: Found,
}

/// Grams, at first with repetitions.
#[derive(Debug, Default)]
struct Seen {
    grams: Vec<usize>,
    /// How many of them are known to be distinct.
    distinct: usize,
}

impl Seen {
    fn add(&mut self, gram: usize) {
        self.grams.push(gram);
        if self.grams.len() > MANY + 2 * self.distinct {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.grams.sort_unstable();
        self.grams.dedup();
        self.distinct = self.grams.len();
    }
}

impl<'a> Search<'a> {
    /// Begins a search.
    pub fn new(index: &'a OverlapIndex) -> Self {
        Self { index, words: Words::new(), seen: Seen::default(), found: Found::default() }
    }

    /// Reads the next piece of a document, cut between any two characters.
    pub fn read(&mut self, piece: &str) {
        let Self { index, words, seen, .. } = self;
        words.read(piece, &mut |words: &Words| note(index, words, seen));
    }

    /// Ends a document: no run reaches from one into the next.
    pub fn end_document(&mut self) {
        let Self { index, words, seen, found } = self;
        words.end(&mut |words: &Words| note(index, words, seen));
        seen.settle();
        found.add_document(index, &seen.grams);
        seen.grams.clear();
        seen.distinct = 0;
    }

    /// What was found in the documents since the search began, or since the last call.
    pub fn take(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }
}

/// Notes the grams that end with the last word.
#[inline]
fn note(index: &OverlapIndex, words: &Words, seen: &mut Seen) {
    let count = words.count();
    if index.runs.may_have(words.run()) && count >= RUN {
        for gram in index.runs.of(words.run()) {
            if words.last(RUN) == index.spelled(gram) {
                seen.add(gram);
            }
        }
    }
    if !index.shorts.is_empty() && index.shorts.may_have(words.least()) && count >= LEAST {
        for gram in index.shorts.of(words.least()) {
            let n = index.grams[gram].words;
            if count >= n && words.last(n) == index.spelled(gram) {
                seen.add(gram);
            }
        }
    }
}

//! Reads documents and notes what of the items stands in them.

use super::found::Found;
use super::index::OverlapIndex;
use super::words::{BACK, Words};

/// Grams noted before those noted twice are dropped.
const MANY: usize = 1 << 16;

/// One reader of documents; one per thread.
#[derive(Debug)]
pub struct Search<'a> {
    index: &'a OverlapIndex,
    words: Words,
    pending: Pending,
    /// Grams that stand in the document being read.
    seen: Seen,
    found: Found,
}

/// The hashes of the last words, looked up together: filters are larger than caches, and a
/// processor waits for many places at once as long as for one.
#[derive(Debug)]
struct Pending {
    runs: [u64; BACK],
    leasts: [u64; BACK],
    len: usize,
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

/// A hash of all words of a text; none where it has no words. Two texts that differ in case,
/// punctuation and space alone have the same.
pub fn hash_of_words(text: &str) -> Option<u128> {
    let mut words = Words::new();
    words.read(text, &mut |_| {});
    words.end_word(&mut |_| {});
    words.clear()
}

impl<'a> Search<'a> {
    /// Begins a search.
    pub fn new(index: &'a OverlapIndex) -> Self {
        Self {
            index,
            words: Words::new(),
            pending: Pending { runs: [0; BACK], leasts: [0; BACK], len: 0 },
            seen: Seen::default(),
            found: Found::default(),
        }
    }

    /// Reads the next piece of a document, cut between any two characters.
    pub fn read(&mut self, piece: &str) {
        let Self { index, words, pending, seen, .. } = self;
        words.read(piece, &mut |words: &Words| pending.take(index, words, seen));
    }

    /// Ends a document: no run reaches from one into the next. Returns its [`hash_of_words`].
    pub fn end_document(&mut self) -> Option<u128> {
        let Self { index, words, pending, seen, found } = self;
        words.end_word(&mut |words: &Words| pending.take(index, words, seen));
        pending.look_up(index, words, seen);
        let hash = words.clear();
        seen.settle();
        found.add_document(index, &seen.grams);
        seen.grams.clear();
        seen.distinct = 0;
        hash
    }

    /// What was found in the documents since the search began, or since the last call.
    pub fn take(&mut self) -> Found {
        std::mem::take(&mut self.found)
    }
}

impl Pending {
    /// Takes the hashes of the words up to the last one.
    #[inline]
    fn take(&mut self, index: &OverlapIndex, words: &Words, seen: &mut Seen) {
        (self.runs[self.len], self.leasts[self.len]) = (words.run(), words.least());
        self.len += 1;
        if self.len == BACK {
            self.look_up(index, words, seen);
        }
    }

    /// Notes the grams that end with one of the pending words.
    fn look_up(&mut self, index: &OverlapIndex, words: &Words, seen: &mut Seen) {
        let first = words.count() - self.len;
        for (table, hashes) in [(&index.runs, &self.runs), (&index.shorts, &self.leasts)] {
            if table.is_empty() {
                continue;
            }
            let mut known = table.which(&hashes[..self.len]);
            while known != 0 {
                let at = known.trailing_zeros() as usize;
                known &= known - 1;
                let (count, back) = (first + at + 1, self.len - at - 1);
                for gram in table.of(hashes[at]) {
                    let n = index.grams[gram].words;
                    if count >= n && words.last(n, back) == index.spelled(gram) {
                        seen.add(gram);
                    }
                }
            }
        }
        self.len = 0;
    }
}

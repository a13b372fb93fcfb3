//! Which document each held-out sequence is of: sequences of one document are no independent items.

use sparkjoy_data::{Corpus, DataError, Part};

/// Numbers the documents of sequences that are given in ascending order.
///
/// A sequence belongs to the document that has most of its tokens, the first of equals. Two
/// sequences have the same number if no end-of-text token lies between their documents' tokens.
/// Numbers ascend; documents that hold no sequence may use numbers up.
pub(crate) struct Documents<'a> {
    corpus: &'a Corpus,
    context: usize,
    end_of_text: u32,
    /// The sequence after the last one that was seen.
    next: u64,
    /// The document that the last seen token is of, and whether it ended there.
    open: u64,
    ended: bool,
}

impl<'a> Documents<'a> {
    pub(crate) fn new(corpus: &'a Corpus, context: usize, end_of_text: u32) -> Self {
        Self { corpus, context, end_of_text, next: 0, open: 0, ended: true }
    }

    /// The document of sequence `ordinal`, whose tokens are `row`.
    ///
    /// # Errors
    ///
    /// Tokens before it that are not as written.
    pub(crate) fn of(&mut self, ordinal: u64, row: &[u32]) -> Result<u64, DataError> {
        let mut between = vec![0; self.context];
        // One end of a document is enough to know that another one follows.
        while self.next < ordinal && !self.ended {
            self.corpus.read(Part::Validation, self.next, &mut between)?;
            self.ended = between.contains(&self.end_of_text);
            self.next += 1;
        }
        self.next = ordinal + 1;
        let (mut longest, mut document) = (0, self.open);
        for tokens in row.split_inclusive(|&token| token == self.end_of_text) {
            self.open += u64::from(self.ended);
            if tokens.len() > longest {
                (longest, document) = (tokens.len(), self.open);
            }
            self.ended = tokens.last() == Some(&self.end_of_text);
        }
        Ok(document)
    }
}

//! Documents back from their tokens, range by range.
//!
//! A part is cut into token_ranges on paper. Whoever reads one reads the documents that begin in it,
//! to their ends, so that several can be read at once and together they are every document once.

use std::ops::Range;

use crate::shard::Shard;
use crate::{Corpus, DataError, Part, Tokenizer};

/// Tokens decoded at a time: what a document takes of memory, however long it is.
const STRIDE: usize = 1 << 16;

/// Some documents of a part: those that begin within some tokens of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRange {
    part: Part,
    shard: usize,
    /// Within the shard.
    tokens: Range<u64>,
}

/// What is read of documents, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// More of the document being read; cut between two characters.
    Piece(&'a str),
    /// The document ends.
    End,
}

impl Corpus {
    /// Stretches of about `tokens` tokens that together hold all documents of a part, in order.
    ///
    /// # Panics
    ///
    /// If `tokens` is 0.
    pub fn token_ranges(&self, part: Part, tokens: u64) -> Vec<TokenRange> {
        assert!(tokens > 0, "a range has tokens");
        let of_shard = |(shard, opened): (usize, &Shard)| {
            let all = opened.header().tokens;
            let starts = (0..all).step_by(usize::try_from(tokens).unwrap_or(usize::MAX));
            let range =
                move |from| TokenRange { part, shard, tokens: from..all.min(from + tokens) };
            starts.map(range).collect::<Vec<_>>()
        };
        self.opened(part).iter().enumerate().flat_map(of_shard).collect()
    }

    /// Reads the documents of a range as text, until `take` says no.
    ///
    /// # Guarantees
    ///
    /// Memory does not grow with the length of a document.
    ///
    /// # Errors
    ///
    /// [`crate::ShardError`] for tokens that are not as written.
    ///
    /// # Panics
    ///
    /// If the tokenizer is not the one the source was prepared with, or the range is of another
    /// source.
    pub fn read_documents(
        &self,
        range: &TokenRange,
        tokenizer: &Tokenizer,
        mut take: impl FnMut(Text<'_>) -> bool,
    ) -> Result<(), DataError> {
        assert_eq!(tokenizer.fingerprint(), self.tokenizer(), "the tokenizer of `{}`", self.name());
        let shard = &self.opened(range.part)[range.shard];
        let (end_of_text, all) = (shard.header().end_of_text, shard.header().tokens);
        let Range { start, end } = range.tokens;
        // Whether a document begins at the first token, the one before it says.
        let mut beginning = start == 0;
        let mut at = start.saturating_sub(1);
        let (mut tokens, mut bytes) = (vec![0; STRIDE], Vec::new());
        while at < all {
            let n = (all - at).min(STRIDE as u64) as usize;
            shard.read(at, &mut tokens[..n])?;
            let mut rest = &tokens[..n];
            while !rest.is_empty() {
                let len = rest.iter().position(|&token| token == end_of_text);
                let (document, later) = rest.split_at(len.unwrap_or(rest.len()));
                if beginning {
                    tokenizer.append_bytes(document, &mut bytes);
                    if !take_whole(&mut bytes, &mut take) {
                        return Ok(());
                    }
                }
                if len.is_none() {
                    break;
                }
                if beginning {
                    assert!(bytes.is_empty(), "a document ends within a character");
                    if !take(Text::End) {
                        return Ok(());
                    }
                }
                beginning = true;
                rest = &later[1..];
                if at + (n - rest.len()) as u64 >= end {
                    return Ok(());
                }
            }
            at += n as u64;
            if !beginning && at >= end {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Hands over what is there but for a character that is not whole yet.
fn take_whole(bytes: &mut Vec<u8>, take: &mut impl FnMut(Text<'_>) -> bool) -> bool {
    let Some(chunk) = bytes.utf8_chunks().next() else { return true };
    let whole = chunk.valid().len();
    // No character is longer than four bytes.
    assert!(bytes.len() - whole < 4, "the tokens of a text spell that text");
    let go_on = whole == 0 || take(Text::Piece(chunk.valid()));
    bytes.drain(..whole);
    go_on
}

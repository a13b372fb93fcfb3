//! Reads documents back from tokens.
//!
//! A split is divided into ranges. The reader of a range reads the documents that start in it, to
//! their ends. So ranges can be read in parallel, and together they hold every document once.

use std::ops::Range;

use crate::shard::Shard;
use crate::{Corpus, DataError, Part, Tokenizer};

/// Tokens decoded at a time; this bounds the memory for a document of any length.
const STRIDE: usize = 1 << 16;

/// A range of tokens of a shard. It stands for the documents that start in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRange {
    part: Part,
    shard: usize,
    /// Tokens of the shard.
    tokens: Range<u64>,
}

/// A piece of the documents being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// The next piece of the document, cut between two characters.
    Piece(&'a str),
    /// The end of the document.
    End,
}

impl Corpus {
    /// Divides a part into ranges of about `tokens` tokens, in order.
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

    /// Reads the documents that start in a range as text, until `take` returns false.
    ///
    /// # Guarantees
    ///
    /// Memory does not grow with the length of a document.
    ///
    /// # Errors
    ///
    /// Tokens that are not as written.
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
        // A document starts at the first token if the token before it is end-of-text.
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

/// Passes the complete characters of `bytes` to `take`, and keeps an incomplete last one.
fn take_whole(bytes: &mut Vec<u8>, take: &mut impl FnMut(Text<'_>) -> bool) -> bool {
    let Some(chunk) = bytes.utf8_chunks().next() else { return true };
    let whole = chunk.valid().len();
    // No character is longer than four bytes.
    assert!(bytes.len() - whole < 4, "the tokens of a text spell that text");
    let go_on = whole == 0 || take(Text::Piece(chunk.valid()));
    bytes.drain(..whole);
    go_on
}

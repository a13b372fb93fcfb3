//! Encodes the documents of a block; runs on the worker threads.

use std::borrow::Cow;

use sparkjoy_base::bytes;

use crate::blocks::{Block, Content};
use crate::compression::damage;
use crate::error::{BadDocument, Fault, Place};
use crate::json;
use crate::parquet_text::Row;
use crate::row_text::{LeftOutRows, Plan, Rows};
use crate::source::{Input, OnBadDocument};
use crate::tokenizer::longest_word;
use crate::{DataError, Encoder, Part};

/// The most bytes of a word, which is letters, marks or spaces without a break. Its tokens are
/// found all together, which takes 60 times as much memory.
const WORD_BYTES_MAX: usize = 8 << 20;

/// How documents are read and assigned to a part; the same for every block.
pub(crate) struct Rule<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) on_bad_document: OnBadDocument,
    /// Share of documents held out by hash, in parts per million.
    pub(crate) split_ppm: u32,
    pub(crate) end_of_text: u32,
    /// The last document of each part that is already prepared.
    pub(crate) reached: ByPart<Reached>,
}

/// One value for each part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct ByPart<T> {
    pub(crate) train: T,
    pub(crate) validation: T,
}

impl<T> ByPart<T> {
    pub(crate) fn of(&self, part: Part) -> &T {
        match part {
            Part::Train => &self.train,
            Part::Validation => &self.validation,
        }
    }

    pub(crate) fn of_mut(&mut self, part: Part) -> &mut T {
        match part {
            Part::Train => &mut self.train,
            Part::Validation => &mut self.validation,
        }
    }
}

/// The last document of a part in a finished shard, and the number of finished shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Reached {
    /// Finished shards.
    pub(crate) shards: u64,
    /// Index of the file the last document is in.
    pub(crate) file: usize,
    /// Its line or row, from 1; 0 before the file's first.
    pub(crate) place: u64,
}

/// The documents of one block as tokens.
#[derive(Default)]
pub(crate) struct Encoded {
    pub(crate) file: usize,
    /// Tokens of all documents, each with its end-of-text.
    pub(crate) tokens: Vec<u32>,
    pub(crate) documents: Vec<EncodedDocument>,
    /// Usable documents in the block, also those prepared before.
    pub(crate) usable: u64,
    /// Documents left out as broken.
    pub(crate) bad: Vec<BadDocument>,
    /// Rows of which there is no document.
    pub(crate) left_out: LeftOutRows,
    /// Bytes of the file read up to here, as stored.
    pub(crate) stored_bytes: u64,
}

/// One document of a block.
pub(crate) struct EncodedDocument {
    /// Line or row, from 1.
    pub(crate) place: u64,
    pub(crate) part: Part,
    /// Where its tokens end in the block's.
    pub(crate) end: usize,
    pub(crate) text_bytes: u64,
}

/// Encodes the documents of `block`, which was read from `input`.
///
/// # Errors
///
/// The first broken document, if the rule is to refuse it.
pub(crate) fn encode(
    block: &Block,
    input: &Input,
    rule: &Rule<'_>,
    encoder: &mut Encoder,
) -> Result<Encoded, DataError> {
    let (file, stored_bytes) = (block.file, block.stored_bytes);
    let mut out = Encoded { file, stored_bytes, ..Encoded::default() };
    let take = |place: Place, text: Result<Cow<'_, str>, Fault>| match text {
        Ok(text) => {
            out.add(input, place, &text, rule, encoder);
            Ok(())
        }
        Err(fault) => {
            let bad = BadDocument { path: input.name.clone(), place, fault };
            match rule.on_bad_document {
                OnBadDocument::Refuse => Err(damage(input).unwrap_or_else(|| bad.into())),
                OnBadDocument::Skip => {
                    out.left_out.count(&bad.fault);
                    out.bad.push(bad);
                    Ok(())
                }
            }
        }
    };
    let filtered = each_document(block, rule.rows, take)?;
    out.left_out.filtered = filtered;
    Ok(out)
}

/// Calls `take` for each document of `block`: its place, and its text or what is wrong. Returns the
/// number of rows that are not read.
///
/// # Errors
///
/// The first error of `take`.
pub(crate) fn each_document(
    block: &Block,
    rows: &Rows,
    mut take: impl FnMut(Place, Result<Cow<'_, str>, Fault>) -> Result<(), DataError>,
) -> Result<u64, DataError> {
    let plan = Plan::new(rows);
    let mut filtered = 0;
    match &block.content {
        Content::Lines { bytes, first_line } => {
            for (line, number) in lines(bytes).zip(*first_line..) {
                // A blank line is not a document; many programs write one at the end.
                if line.trim_ascii().is_empty() {
                    continue;
                }
                match json::document(line, &plan).transpose() {
                    Some(text) => take(Place::Line(number), text.and_then(bounded))?,
                    None => filtered += 1,
                }
            }
        }
        Content::TextLines { bytes, first_line } => {
            for (line, number) in lines(bytes).zip(*first_line..) {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if !line.trim_ascii().is_empty() {
                    take(Place::Line(number), utf8(line).and_then(bounded))?;
                }
            }
        }
        Content::Rows(rows) => {
            for (row, number) in rows.rows().zip(rows.first_row..) {
                match row {
                    Row::Text(text) => take(Place::Row(number), utf8(text).and_then(bounded))?,
                    Row::Fault(fault) => take(Place::Row(number), Err(fault.clone()))?,
                    Row::Filtered => filtered += 1,
                }
            }
        }
        Content::Document(bytes) => take(Place::File, utf8(bytes).and_then(bounded))?,
    }
    Ok(filtered)
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n')
}

/// Bytes as text.
pub(crate) fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let text = std::str::from_utf8(bytes);
    text.map(Cow::Borrowed).map_err(|error| Fault::not_utf8(bytes, error))
}

/// Refuses a text with a word that is too long.
fn bounded(text: Cow<'_, str>) -> Result<Cow<'_, str>, Fault> {
    if text.len() <= WORD_BYTES_MAX {
        return Ok(text);
    }
    let longest = longest_word(&text);
    if longest <= WORD_BYTES_MAX {
        return Ok(text);
    }
    let (longest, most) = (bytes(longest as u64), bytes(WORD_BYTES_MAX as u64));
    let text = format!("{longest} without a break, expected words of at most {most}");
    Err(Fault::new(text, "break the run of letters or spaces"))
}

impl Encoded {
    fn add(
        &mut self,
        input: &Input,
        place: Place,
        text: &str,
        rule: &Rule<'_>,
        encoder: &mut Encoder,
    ) {
        self.usable += 1;
        let part = input.part.unwrap_or_else(|| side(text, rule.split_ppm));
        let place = match place {
            Place::Line(n) | Place::Row(n) => n,
            Place::File => 1,
        };
        let reached = rule.reached.of(part);
        if (self.file, place) <= (reached.file, reached.place) {
            return;
        }
        encoder.encode(text, &mut self.tokens);
        self.tokens.push(rule.end_of_text);
        let (end, text_bytes) = (self.tokens.len(), text.len() as u64);
        self.documents.push(EncodedDocument { place, part, end, text_bytes });
    }
}

/// The part of a document by the hash of its text, so that duplicates are in the same part.
pub(crate) fn side(text: &str, split_ppm: u32) -> Part {
    if millionth(hash(text)) < split_ppm { Part::Validation } else { Part::Train }
}

/// The hash of a text that decides whether it is held out.
pub(crate) fn hash(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("8 bytes"))
}

/// A hash scaled to 0 up to a million: texts below the share are held out.
pub(crate) fn millionth(hash: u64) -> u32 {
    ((u128::from(hash) * 1_000_000) >> 64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_past_the_bound_is_refused_and_long_texts_of_words_are_not() {
        for run in ["a", " ", "!", "\n", "é"] {
            let text = run.repeat((WORD_BYTES_MAX + 100) / run.len());
            let fault = bounded(text.into()).unwrap_err().to_string();
            assert_eq!(fault, "8.0 MiB without a break, expected words of at most 8.0 MiB");
        }
        assert!(bounded("a word ".repeat(WORD_BYTES_MAX / 6).into()).is_ok());
        assert!(bounded("a".repeat(WORD_BYTES_MAX).into()).is_ok());
    }

    #[test]
    fn a_split_takes_its_share_and_a_larger_one_takes_more_of_the_same() {
        let texts: Vec<String> = (0..20_000).map(|i| format!("document {i}")).collect();
        let held = |ppm| -> Vec<&String> {
            texts.iter().filter(|t| side(t, ppm) == Part::Validation).collect()
        };
        let (few, more) = (held(10_000), held(50_000));
        // Binomial: 200 ± 14 and 1000 ± 31; five deviations allowed.
        assert!((130..270).contains(&few.len()), "{}", few.len());
        assert!((846..1154).contains(&more.len()), "{}", more.len());
        assert!(few.iter().all(|text| more.contains(text)));
        assert!(held(0).is_empty());
        assert_eq!(held(1_000_000).len(), texts.len());
    }
}

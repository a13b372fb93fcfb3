//! Held-out text that is trained on: files that one source holds out and another trains on, and
//! what a search for documents that stand on both sides is made of.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Problem, SourceName};
use xxhash_rust::xxh3::Xxh3;

use crate::source::{SourceFiles, list};
use crate::{Corpus, DataError, Part, Tokenizer};

/// Tokens read at a time.
const STRIDE: usize = 1 << 16;
/// Held-out documents of a source that stand in training text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// The source that holds them out.
    pub source: SourceName,
    /// How many of its held-out documents.
    pub documents: u64,
    /// All its held-out documents.
    pub of_documents: u64,
    /// Tokens of these documents.
    pub tokens: u64,
    /// All its held-out tokens.
    pub of_tokens: u64,
    /// The sources that train on them.
    pub within: Vec<SourceName>,
    /// The first of them, and where it stands on both sides.
    pub first: String,
    /// The next few, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
    /// Those of them that stand there with other words between, where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearly: Option<NearCopies>,
}

/// Held-out documents of which most words stand in training documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearCopies {
    /// How many.
    pub documents: u64,
    /// Their tokens.
    pub tokens: u64,
    /// Documents whose words were looked for.
    pub of_documents: u64,
    /// Their tokens.
    pub of_tokens: u64,
    /// How many stand in several training documents together, and in none by itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub in_parts: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Held-out documents of a source that are compared as a whole alone: a training document with the
/// same words is found, one that holds them among others is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlyWhole {
    /// The source that holds them out.
    pub source: SourceName,
    /// Documents with too few words to be told from chance.
    pub few_words: u64,
    /// Documents that repeat themselves, or are made of what stands in many places.
    pub common: u64,
    /// Documents beyond the text whose words are kept in memory.
    pub beyond: u64,
    /// All its held-out documents.
    pub of_documents: u64,
    /// Tokens of the documents that are compared as a whole alone.
    pub tokens: u64,
    /// All its held-out tokens.
    pub of_tokens: u64,
}

impl OnlyWhole {
    /// Whether it is as much as would be refused if it were trained on ([`TrainedOn::counts`]).
    pub fn counts(&self) -> bool {
        self.tokens > 0 && 1000 * self.tokens >= self.of_tokens
    }
}

impl TrainedOn {
    /// Whether it is more than what meets by chance: a thousandth of the held-out tokens, or of
    /// those whose words were looked for.
    pub fn counts(&self) -> bool {
        let nearly = self.nearly.is_some_and(|near| 1000 * near.tokens >= near.of_tokens);
        nearly || 1000 * self.tokens >= self.of_tokens
    }
}

/// Refuses a file that one source holds out and another trains on. Lists folders, reads no file.
///
/// # Errors
///
/// Such a file, with both sources; as [`crate::scan`].
pub fn check_files(sources: &[&SourceFiles]) -> Result<(), DataError> {
    let mut held_out: BTreeMap<PathBuf, &SourceName> = BTreeMap::new();
    let mut others = Vec::new();
    for source in sources {
        for input in list(source)? {
            if input.part == Some(Part::Validation) {
                held_out.insert(input.path, &source.name);
            } else {
                others.push((input, &source.name));
            }
        }
    }
    for (input, trains) in others {
        let Some(holds_out) = held_out.get(&input.path) else { continue };
        let text = format!(
            "`{}` is held out by source `{holds_out}` and taken in by source `{trains}`, expected \
             held-out text that nothing trains on",
            input.name
        );
        let hint = format!("give source `{trains}` a path that leaves this file out");
        return Err(Problem::new(text).with_hint(hint).into());
    }
    Ok(())
}

/// A hash of a text that comes in pieces.
#[derive(Default)]
pub struct TextHash(Xxh3);

impl TextHash {
    /// Adds the next piece.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of what was added since the last call.
    pub fn take(&mut self) -> u128 {
        let hash = self.0.digest128();
        self.0.reset();
        hash
    }
}

impl fmt::Debug for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextHash")
    }
}

/// A document that is held out.
#[derive(Clone, Copy, Debug)]
pub struct HeldOutDocument<'a> {
    /// Its place among the held-out documents of its source, from 1.
    pub number: u64,
    /// Its tokens, with the one that ends it.
    pub tokens: u64,
    /// Its text.
    pub text: &'a str,
}

impl Corpus {
    /// `held-out document 3 (`odd/val.jsonl`)`, the file where it follows from the number.
    ///
    /// - `number`: of a document of the part, from 1.
    pub fn place_of(&self, part: Part, number: u64) -> String {
        let file = self.file_of(part, number).map(|file| format!(" (`{file}`)"));
        let side = if part == Part::Train { "document" } else { "held-out document" };
        format!("{side} {number}{}", file.unwrap_or_default())
    }

    /// Calls `see` for each held-out document in order; those without text are passed over.
    ///
    /// # Errors
    ///
    /// Tokens that are not as written; [`DataError::Interrupted`] if `stop` is set.
    pub fn each_held_out(
        &self,
        tokenizer: &Tokenizer,
        stop: &AtomicBool,
        mut see: impl FnMut(HeldOutDocument<'_>),
    ) -> Result<(), DataError> {
        let mut bytes = Vec::new();
        let (mut number, mut length) = (1, 0);
        let mut tokens = vec![0; STRIDE];
        for shard in self.opened(Part::Validation) {
            let (all, end_of_text) = (shard.header().tokens, shard.header().end_of_text);
            for first in (0..all).step_by(STRIDE) {
                if stop.load(Ordering::Relaxed) {
                    return Err(DataError::Interrupted);
                }
                let tokens = &mut tokens[..(all - first).min(STRIDE as u64) as usize];
                shard.read(first, tokens)?;
                for piece in tokens.split_inclusive(|&token| token == end_of_text) {
                    let ends = piece.last() == Some(&end_of_text);
                    let piece = &piece[..piece.len() - usize::from(ends)];
                    tokenizer.append_bytes(piece, &mut bytes);
                    length += piece.len() as u64;
                    if ends {
                        if length > 0 {
                            let text = &String::from_utf8_lossy(&bytes);
                            see(HeldOutDocument { number, tokens: length + 1, text });
                        }
                        (number, length) = (number + 1, 0);
                        bytes.clear();
                    }
                }
            }
        }
        Ok(())
    }
}

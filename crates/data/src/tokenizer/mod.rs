//! Text to token ids and back.
//!
//! Two tokenizers, one machine: a byte-level BPE over the split of `cl100k_base`, with the ranks
//! of GPT-4 or with ranks trained on the study's own text. Both are saved as the files
//! `transformers` reads, and both give there the ids they give here. Text is never parsed for
//! special tokens: web pages spell `<|endoftext|>`, and only the joint of two documents is one.

mod cl100k;
mod error;
mod file;
mod foreign;
mod merges;
mod model;
mod train;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Fingerprint;

pub use error::TokenizerError;
pub use model::{ModelEncoder, ModelTokenizer};

use crate::DataError;

/// The token that joins documents, as it is spelled in the saved files.
const END_OF_TEXT: &str = "<|endoftext|>";

/// Which tokenizer a study asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenizerKind {
    /// The paper's: GPT-4's `cl100k_base`, embedded.
    Cl100k,
    /// A byte-level BPE trained on a sample of the sources.
    Bpe {
        /// Vocabulary size, end-of-text included.
        vocab: u32,
    },
}

/// A tokenizer: text to ids and back. Cheap to clone and to share between threads.
///
/// # Guarantees
///
/// Every text is encoded, and decoding its ids gives the text back.
#[derive(Clone)]
pub struct Tokenizer(Arc<Inner>);

struct Inner {
    /// Splits, merges and holds the bytes of every ordinary token. It knows no special token.
    bpe: splintr::Tokenizer,
    kind: TokenizerKind,
    /// Tokens that stand for no text, by id, ascending; end-of-text first.
    specials: Vec<(u32, &'static str)>,
    /// `[vocab]`.
    byte_lengths: Vec<u16>,
    fingerprint: Fingerprint,
}

impl Tokenizer {
    /// `cl100k_base`, identical to tiktoken's `encode_ordinary`.
    ///
    /// Its vocabulary counts 100,277 ids; 100,256 and 100,261 to 100,275 stand for nothing.
    pub fn cl100k() -> Self {
        cl100k::shared().clone()
    }

    /// Trains a byte-level BPE of `vocab` entries (256 bytes and end-of-text included).
    ///
    /// # Guarantees
    ///
    /// The same texts give the same tokenizer, in whatever order they come. No token is longer
    /// than 128 bytes, as in `cl100k_base`. End-of-text is the last id.
    ///
    /// # Errors
    ///
    /// [`TokenizerError::Problem`] below 257 entries, [`TokenizerError::TooLittleText`] where
    /// nothing is left to merge before there are `vocab` of them.
    pub fn train_bpe(texts: &[String], vocab: u32) -> Result<Self, DataError> {
        Ok(train::train(texts, vocab)?)
    }

    /// Opens a `tokenizer.json` written by [`Tokenizer::save`].
    ///
    /// # Errors
    ///
    /// [`TokenizerError::Problem`] for any other, even one that reads the same text: the split, the
    /// merges and every other field must be what [`Tokenizer::save`] would write.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        Ok(file::open(folder)?)
    }

    /// Writes `tokenizer.json` and `tokenizer_config.json` as transformers reads them.
    ///
    /// # Guarantees
    ///
    /// The same tokenizer gives the same bytes. `AutoTokenizer.from_pretrained(folder)` gives the
    /// ids of [`Encoder::encode`], told `split_special_tokens=True` where text spells a special
    /// token.
    ///
    /// # Errors
    ///
    /// [`TokenizerError::File`] if the folder cannot be written to.
    pub fn save(&self, folder: &Path) -> Result<(), DataError> {
        Ok(file::save(self, folder)?)
    }

    /// Which one it is.
    pub fn kind(&self) -> &TokenizerKind {
        &self.0.kind
    }

    /// One past the largest id.
    pub fn vocab(&self) -> u32 {
        self.0.byte_lengths.len() as u32
    }

    /// The id that joins documents.
    pub fn end_of_text(&self) -> u32 {
        self.0.specials[0].0
    }

    /// Bytes of text each id stands for, `[vocab]`; 0 for end-of-text and unused ids.
    pub fn byte_lengths(&self) -> &[u16] {
        &self.0.byte_lengths
    }

    /// Identity: two tokenizers with it equal give the same ids for every text.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// An encoder with its own caches; one per thread.
    pub fn encoder(&self) -> Encoder {
        // A clone of the library's tokenizer shares the tables and starts with an empty cache, so
        // that threads do not wait for each other's.
        Encoder { bpe: self.0.bpe.clone() }
    }

    /// Ids back to text; bytes that are not UTF-8 become U+FFFD.
    ///
    /// Ids that stand for no text (end-of-text, unused ones, ids past the vocabulary that a padded
    /// model may draw) give none.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> =
            ids.iter().filter_map(|&id| self.bytes_of(id)).flatten().copied().collect();
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// Appends the bytes that ids stand for; a character may be cut at either end.
    pub(crate) fn append_bytes(&self, ids: &[u32], bytes: &mut Vec<u8>) {
        for token in ids.iter().filter_map(|&id| self.bytes_of(id)) {
            bytes.extend_from_slice(token);
        }
    }

    /// The bytes an ordinary token stands for.
    fn bytes_of(&self, id: u32) -> Option<&[u8]> {
        self.0.bpe.decoder().get(id)
    }

    /// A tokenizer around the library's, whose ids are merge ranks.
    ///
    /// `specials` stand for no text; end-of-text comes first, the last one has the largest id.
    fn new(
        bpe: splintr::Tokenizer,
        kind: TokenizerKind,
        specials: Vec<(u32, &'static str)>,
    ) -> Self {
        let vocab = specials.last().expect("end-of-text is special").0 + 1;
        let length = |id| bpe.decoder().get(id).map_or(0, <[u8]>::len);
        let byte_lengths = (0..vocab)
            .map(|id| u16::try_from(length(id)).expect("no token is longer than 128 bytes"))
            .collect();
        let fingerprint = identity(&bpe, vocab, &specials);
        Self(Arc::new(Inner { bpe, kind, specials, byte_lengths, fingerprint }))
    }
}

/// Bytes of the longest word of `text`, as it is split before tokens are merged.
pub(crate) fn longest_word(text: &str) -> usize {
    let mut longest = 0;
    let split = &cl100k::shared().0.bpe;
    split.for_each_pre_token(text, |word| longest = longest.max(word.len()));
    longest
}

/// A hash of what determines the ids of every text: the split and the ranks.
fn identity(bpe: &splintr::Tokenizer, vocab: u32, specials: &[(u32, &'static str)]) -> Fingerprint {
    let mut bytes = b"byte-level bpe, ids are ranks, split of cl100k, v1".to_vec();
    for id in 0..vocab {
        let token = bpe.decoder().get(id).unwrap_or_default();
        bytes.extend_from_slice(&(token.len() as u32).to_le_bytes());
        bytes.extend_from_slice(token);
    }
    for (id, name) in specials {
        bytes.extend_from_slice(&id.to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    Fingerprint::of_bytes(&bytes)
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokenizer({:?}, {})", self.0.kind, self.0.fingerprint)
    }
}

/// Encodes texts, remembering pieces it has seen.
///
/// # Guarantees
///
/// What it has encoded before changes its speed, never its ids.
pub struct Encoder {
    bpe: splintr::Tokenizer,
}

impl Encoder {
    /// Appends the ids of `text`; special-token text is ordinary text.
    pub fn encode(&mut self, text: &str, ids: &mut Vec<u32>) {
        ids.append(&mut self.bpe.encode_ordinary(text));
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoder")
    }
}

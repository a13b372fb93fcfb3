//! The tokenizer of a model folder: one of ours, or whatever the Hugging Face library reads.

use std::path::Path;

use sparkjoy_base::Fingerprint;

use super::{Encoder, Tokenizer};
use crate::DataError;

/// Text to the ids a model was trained on, and back. Cheap to clone and to share between threads.
#[derive(Clone, Debug)]
pub struct ModelTokenizer {
    ours: Tokenizer,
}

impl ModelTokenizer {
    /// Opens the `tokenizer.json` of a model folder.
    ///
    /// # Errors
    ///
    /// [`TokenizerError`](super::TokenizerError) if there is none or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        Ok(Self { ours: Tokenizer::open(folder)? })
    }

    /// One past the largest id.
    pub fn vocab(&self) -> u32 {
        self.ours.vocab()
    }

    /// The id that ends a text, if the tokenizer has one.
    pub fn end_of_text(&self) -> Option<u32> {
        Some(self.ours.end_of_text())
    }

    /// Identity: two tokenizers with it equal give the same ids for every text.
    pub fn fingerprint(&self) -> Fingerprint {
        self.ours.fingerprint()
    }

    /// An encoder with its own caches; one per thread.
    pub fn encoder(&self) -> ModelEncoder {
        ModelEncoder { ours: self.ours.encoder() }
    }

    /// Ids back to text, special tokens left out; bytes that are not UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.ours.decode(ids)
    }
}

impl From<Tokenizer> for ModelTokenizer {
    fn from(ours: Tokenizer) -> Self {
        Self { ours }
    }
}

/// Encodes texts, remembering pieces it has seen.
#[derive(Debug)]
pub struct ModelEncoder {
    ours: Encoder,
}

impl ModelEncoder {
    /// Appends the ids of `text`; special-token text is ordinary text.
    pub fn encode(&mut self, text: &str, ids: &mut Vec<u32>) {
        self.ours.encode(text, ids);
    }

    /// Appends what the tokenizer puts before every text: nothing for ours, a beginning-of-text
    /// token for some.
    pub fn begin(&mut self, _ids: &mut Vec<u32>) {}
}

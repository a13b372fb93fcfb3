//! The tokenizer of a model folder: one of ours, or whatever the Hugging Face library reads.

use std::path::Path;
use std::sync::Arc;

use sparkjoy_base::{Fingerprint, Problem};

use super::foreign::{Foreign, end_of_text_ids};
use super::{Encoder, Tokenizer, file};
use crate::DataError;

/// Text to the ids a model was trained on, and back. Cheap to clone and to share between threads.
#[derive(Clone, Debug)]
pub struct ModelTokenizer(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Ours(Tokenizer),
    Foreign(Arc<Foreign>),
}

impl ModelTokenizer {
    /// Opens the `tokenizer.json` of a model folder: as ours if it is what we write, and else as
    /// transformers would, with the special tokens `tokenizer_config.json` names beside it.
    ///
    /// # Errors
    ///
    /// [`TokenizerError`](super::TokenizerError) if there is none, if it cannot be read, or if it
    /// would put something behind every text.
    pub fn open(folder: &Path) -> Result<Self, DataError> {
        Ok(Self(match file::open(folder) {
            Ok(ours) => Kind::Ours(ours),
            // Whatever it is, the other reader says it better.
            Err(_) => Kind::Foreign(Arc::new(Foreign::open(folder)?)),
        }))
    }

    /// Whether sparkjoy made it.
    pub fn is_ours(&self) -> bool {
        matches!(self.0, Kind::Ours(_))
    }

    /// One past the largest id.
    pub fn vocab(&self) -> u32 {
        match &self.0 {
            Kind::Ours(ours) => ours.vocab(),
            Kind::Foreign(foreign) => foreign.vocab,
        }
    }

    /// The id that ends a text: the tokenizer's own, else the one the model's configs name.
    pub fn end_of_text(&self) -> Option<u32> {
        match &self.0 {
            Kind::Ours(ours) => Some(ours.end_of_text()),
            Kind::Foreign(foreign) => foreign.end_of_text,
        }
    }

    /// Says that a config of the model's folder names other ids as the end of text than the one
    /// that is used; none where they agree.
    ///
    /// # Errors
    ///
    /// A config that cannot be read.
    pub fn other_end_of_text(&self, folder: &Path) -> Result<Option<String>, DataError> {
        let Some(own) = self.end_of_text() else { return Ok(None) };
        for (file, ids) in end_of_text_ids(folder)? {
            if !ids.contains(&own) {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                return Ok(Some(format!(
                    "`{file}` names {} as the end of text, and {own} is used: what the tokenizer \
                     names comes first, then `generation_config.json`",
                    ids.join(", ")
                )));
            }
        }
        Ok(None)
    }

    /// Identity: two tokenizers with it equal give the same ids for every text.
    pub fn fingerprint(&self) -> Fingerprint {
        match &self.0 {
            Kind::Ours(ours) => ours.fingerprint(),
            Kind::Foreign(foreign) => foreign.fingerprint,
        }
    }

    /// An encoder with its own caches; one per thread.
    pub fn encoder(&self) -> ModelEncoder {
        ModelEncoder(match &self.0 {
            Kind::Ours(ours) => EncoderKind::Ours(Box::new(ours.encoder())),
            Kind::Foreign(foreign) => EncoderKind::Foreign(Arc::clone(foreign)),
        })
    }

    /// Ids back to text, special tokens left out; bytes that are not UTF-8 become U+FFFD, and so do
    /// ids that a tokenizer of somebody else gives up on.
    ///
    /// # Source
    ///
    /// `decode(ids, skip_special_tokens=True)` of transformers 5: spaces before punctuation are
    /// cleaned away where the tokenizer's config says so and it is no BPE.
    pub fn decode(&self, ids: &[u32]) -> String {
        match &self.0 {
            Kind::Ours(ours) => ours.decode(ids),
            Kind::Foreign(foreign) => foreign.decode(ids),
        }
    }
}

impl From<Tokenizer> for ModelTokenizer {
    fn from(ours: Tokenizer) -> Self {
        Self(Kind::Ours(ours))
    }
}

/// Encodes texts, remembering pieces it has seen.
#[derive(Debug)]
pub struct ModelEncoder(EncoderKind);

#[derive(Debug)]
enum EncoderKind {
    Ours(Box<Encoder>),
    Foreign(Arc<Foreign>),
}

impl ModelEncoder {
    /// Appends the ids of `text`, without what [`ModelEncoder::begin`] puts before it.
    ///
    /// Text that spells a special token is ordinary text for ours. For others it is that token,
    /// as `tokenizer(text)` has it and with it LLM Foundry's evaluation, unless their config says
    /// `split_special_tokens`.
    ///
    /// # Errors
    ///
    /// A text that a tokenizer of somebody else gives up on; ours reads every text.
    pub fn encode(&mut self, text: &str, ids: &mut Vec<u32>) -> Result<(), Problem> {
        match &mut self.0 {
            EncoderKind::Ours(ours) => {
                ours.encode(text, ids);
                Ok(())
            }
            EncoderKind::Foreign(foreign) => foreign.encode(text, ids),
        }
    }

    /// Appends what the tokenizer puts before every text: nothing for ours, a beginning-of-text
    /// token for some.
    pub fn begin(&mut self, ids: &mut Vec<u32>) {
        if let EncoderKind::Foreign(foreign) = &self.0 {
            ids.extend_from_slice(&foreign.begin);
        }
    }
}

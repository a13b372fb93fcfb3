//! INTERFACE SKETCH, to be split by subject.

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Hint, Seed, SourceName, Tokens};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_nn::Engine;

/// What went wrong in scoring.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// Data could not be read.
    #[error(transparent)]
    Data(#[from] sparkjoy_data::DataError),
}

impl Hint for EvalError {
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Held-out loss of one source, item by item (an item is a sequence).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutScore {
    /// The source.
    pub source: SourceName,
    /// Which sequences, by ordinal.
    pub ordinals: Vec<u64>,
    /// Nats summed over the targets of each sequence.
    pub nats: Vec<f64>,
    /// Bytes of text of the targets of each sequence.
    pub bytes: Vec<u64>,
}

impl HeldOutScore {
    /// Bits per byte: all nats over all bytes, in bits.
    pub fn bits_per_byte(&self) -> f64 {
        todo!()
    }
}

/// Scores up to `budget` tokens of each corpus's held-out part: the same sequences for every model.
pub fn held_out(
    engine: &mut Engine,
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    seed: Seed,
    budget: Tokens,
) -> Result<Vec<HeldOutScore>, EvalError> {
    let _ = (engine, corpora, tokenizer, seed, budget);
    todo!()
}

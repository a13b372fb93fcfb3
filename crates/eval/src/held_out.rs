//! Held-out loss in bits per byte.
//!
//! Bits per byte is the cross-entropy of the text itself: the nats a model needs for the tokens of
//! some held-out text, divided by ln 2 and by the bytes of UTF-8 those tokens stand for. Unlike
//! loss per token it can be compared between tokenizers. What counts, exactly:
//!
//! - A sequence is `context` tokens cut from the held-out part as training sequences are cut.
//!   Its first token is never a target and adds neither nats nor bytes; the other `context − 1`
//!   tokens are targets, each predicted from those before it in the sequence.
//! - An end-of-text token costs nats (a model must know where a document ends) but adds no bytes.
//! - Nothing else is masked. The rest of the part that does not fill a sequence is never read.
//! - A source's figure is all nats over all bytes of its sampled sequences: sequences weigh by
//!   their bytes. How sources are joined to domains is the caller's to say.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Seed, SourceName, Tokens};
use sparkjoy_data::{Corpus, Part, Tokenizer};
use sparkjoy_spec::{LanguageModel, LanguageModelError};

use crate::documents::Documents;
use crate::{EvalError, sample};

/// Sequences read at a time; a model may cut them further.
const CHUNK: usize = 64;
/// More than the loss of any sequence, in nats: a context of a million tokens at 100 nats each.
pub const MOST_NATS: f64 = 1e8;

/// Held-out loss of one source, item by item (an item is a sequence).
///
/// # Shapes
///
/// `ordinals`, `nats`, `bytes` and, unless it is empty, `documents` have one element per sequence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutScore {
    /// The source.
    pub source: SourceName,
    /// Which sequences of its held-out part, ascending.
    pub ordinals: Vec<u64>,
    /// Nats summed over the targets of each sequence.
    pub nats: Vec<f64>,
    /// Bytes of text of the targets of each sequence; 0 where all are end-of-text.
    pub bytes: Vec<u64>,
    /// The document that most of each sequence is of: equal numbers, one document. Empty in
    /// scores of versions before 0.2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<u64>,
}

impl HeldOutScore {
    /// Bits per byte: all nats over all bytes, in bits.
    pub fn bits_per_byte(&self) -> f64 {
        let nats: f64 = self.nats.iter().sum();
        let bytes: u64 = self.bytes.iter().sum();
        nats / std::f64::consts::LN_2 / bytes as f64
    }
}

/// Scores up to `budget` tokens of each corpus's held-out part, in sequences of `context` tokens:
/// the same sequences for every model.
///
/// # Guarantees
///
/// The same weights give the same bits, if the model promises them.
///
/// # Errors
///
/// As [`sample`]; [`EvalError::NoText`] and [`EvalError::NotFinite`] rather than a figure that is
/// not a number; [`EvalError::Data`] if tokens cannot be read; [`EvalError::Model`] if the model
/// fails, and [`LanguageModelError::stopped`] in it once `stop` is set.
///
/// # Panics
///
/// If the tokenizer is not that of the model, that is, larger than its vocabulary.
pub fn held_out(
    model: &mut dyn LanguageModel,
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    context: usize,
    seed: Seed,
    budget: Tokens,
    stop: &AtomicBool,
) -> Result<Vec<HeldOutScore>, EvalError> {
    assert!(
        tokenizer.vocab() as usize <= model.info().vocab,
        "the model was trained on this tokenizer"
    );
    corpora
        .iter()
        .map(|corpus| {
            let ordinals = sample(corpus, context, seed, budget)?;
            score(model, corpus, tokenizer, (context, ordinals), stop)
        })
        .collect()
}

/// Scores the given sequences of one corpus.
fn score(
    model: &mut dyn LanguageModel,
    corpus: &Corpus,
    tokenizer: &Tokenizer,
    (context, ordinals): (usize, Vec<u64>),
    stop: &AtomicBool,
) -> Result<HeldOutScore, EvalError> {
    let (mut nats, mut bytes, mut documents) = (Vec::new(), Vec::new(), Vec::new());
    let mut document = Documents::new(corpus, context, tokenizer.end_of_text());
    for chunk in ordinals.chunks(CHUNK) {
        if stop.load(Ordering::Relaxed) {
            return Err(LanguageModelError::stopped().into());
        }
        let mut tokens = vec![0; chunk.len() * context];
        for (row, &ordinal) in tokens.chunks_exact_mut(context).zip(chunk) {
            corpus.read(Part::Validation, ordinal, row)?;
            documents.push(document.of(ordinal, row)?);
        }
        let target_nats = model.losses(context, &tokens)?;
        nats.extend(target_nats.chunks_exact(context - 1).map(sum));
        let rows = tokens.chunks_exact(context);
        bytes.extend(rows.map(|row| text_bytes(row, tokenizer.byte_lengths())));
    }
    let score = HeldOutScore { source: corpus.name().clone(), ordinals, nats, bytes, documents };
    check(score)
}

/// Summed in f64 and in order: the same bits everywhere.
fn sum(nats: &[f32]) -> f64 {
    nats.iter().map(|&n| f64::from(n)).sum()
}

/// Bytes of the targets of one sequence, which are all its tokens but the first.
fn text_bytes(row: &[u32], byte_lengths: &[u16]) -> u64 {
    row[1..].iter().map(|&id| u64::from(byte_lengths[id as usize])).sum()
}

/// Refuses a score that cannot be: what is written is read back only if it can.
fn check(score: HeldOutScore) -> Result<HeldOutScore, EvalError> {
    if let Some(i) = score.nats.iter().position(|n| !(0.0..=MOST_NATS).contains(n)) {
        return Err(EvalError::NotFinite {
            source_name: score.source,
            ordinal: score.ordinals[i],
            nats: score.nats[i],
        });
    }
    if score.bytes.iter().all(|&b| b == 0) {
        return Err(EvalError::NoText { source_name: score.source, sequences: score.bytes.len() });
    }
    Ok(score)
}

#[cfg(test)]
mod tests {
    use sparkjoy_base::Hint;

    use super::*;

    fn score(nats: &[f64], bytes: &[u64]) -> HeldOutScore {
        let source = SourceName::new("tales").unwrap();
        let ordinals = (0..nats.len() as u64).collect();
        let (nats, bytes) = (nats.to_vec(), bytes.to_vec());
        HeldOutScore { source, ordinals, nats, bytes, documents: Vec::new() }
    }

    #[test]
    fn a_sequence_without_text_costs_nats_all_the_same() {
        // 3 + 1 nats for 2 bytes: 2 nats a byte.
        let score = check(score(&[3.0, 1.0], &[2, 0])).unwrap();
        assert!((score.bits_per_byte() - 2.0 / std::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn the_first_token_is_no_target() {
        assert_eq!(text_bytes(&[1, 2, 0, 2], &[0, 5, 3]), 6);
    }

    #[test]
    fn held_out_text_without_text_is_refused() {
        let error = check(score(&[3.0, 1.0], &[0, 0])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the 2 held-out sequences of source `tales` hold no text, only end-of-text tokens"
        );
        assert_eq!(
            error.hint().unwrap(),
            "look at the validation text of `[sources.tales]`: its documents are empty"
        );
    }
}

//! What can go wrong in scoring.

use sparkjoy_base::{Hint, SourceName, Tokens, thousands};

/// What went wrong in scoring.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// Held-out tokens could not be read.
    #[error(transparent)]
    Data(#[from] sparkjoy_data::DataError),
    /// A source's held-out part is shorter than one sequence.
    #[error(
        "source `{source_name}` has {} held-out tokens, expected at least one context of {}",
        thousands(*.tokens),
        thousands(*.context as u64)
    )]
    TooShort {
        /// The source.
        source_name: SourceName,
        /// Tokens in its held-out part.
        tokens: u64,
        /// Tokens per sequence.
        context: usize,
    },
    /// The budget does not pay for one sequence.
    #[error("{budget} held-out tokens per source are asked for, expected at least one context of {}", thousands(*.context as u64))]
    Budget {
        /// Held-out tokens per source as asked for.
        budget: Tokens,
        /// Tokens per sequence.
        context: usize,
    },
    /// The sampled targets of a source stand for no text at all.
    #[error("the {} held-out sequences of source `{source_name}` hold no text, only end-of-text tokens", thousands(*.sequences as u64))]
    NoText {
        /// The source.
        source_name: SourceName,
        /// Sequences scored.
        sequences: usize,
    },
    /// A loss is not a finite number, so the model is broken.
    #[error(
        "the model's loss on held-out sequence {ordinal} of source `{source_name}` is {nats}, expected a finite number"
    )]
    NotFinite {
        /// The source.
        source_name: SourceName,
        /// Which sequence of its held-out part.
        ordinal: u64,
        /// Nats over its targets.
        nats: f64,
    },
}

impl Hint for EvalError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Data(error) => error.hint(),
            Self::TooShort { source_name, .. } => Some(format!(
                "give `[sources.{source_name}]` more validation text, or lower `context` in `[model]`"
            )),
            Self::Budget { context, .. } => {
                Some(format!("set `held_out` in `[evaluation]` to at least {context}"))
            }
            Self::NoText { source_name, .. } => Some(format!(
                "look at the validation text of `[sources.{source_name}]`: its documents are empty"
            )),
            Self::NotFinite { .. } => Some(
                "the training diverged: lower `lr` or set `grad_clip` in `[training]`, and run again"
                    .to_owned(),
            ),
        }
    }
}

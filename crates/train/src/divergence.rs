//! `diverged-<step>.json`: what was in the batch that broke a run.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, SourceName, read};

use crate::TrainError;

/// The step at which loss or gradient was no longer a finite number. Nothing of it is in the
/// weights of any checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// The step that could not be taken (steps done before it, plus one).
    pub step: u64,
    /// The run.
    pub run: Fingerprint,
    /// Mean nats per token of the batch.
    #[serde(with = "number_or_text")]
    pub loss: f64,
    /// Global gradient norm before clipping.
    #[serde(with = "number_or_text")]
    pub grad_norm: f64,
    /// Learning rate of the step.
    pub lr: f64,
    /// The batch, row by row.
    pub rows: Vec<DivergedRow>,
}

/// One row of the batch: which sequence, and its loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DivergedRow {
    /// The source.
    pub source: SourceName,
    /// How often the source had been read through before.
    pub epoch: u64,
    /// Which of its sequences.
    pub ordinal: u64,
    /// Mean nats per token.
    #[serde(with = "number_or_text")]
    pub loss: f64,
}

impl Divergence {
    /// Reads a `diverged-<step>.json`.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] or [`TrainError::Json`].
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        serde_json::from_slice(&read(path)?)
            .map_err(|source| TrainError::Json { path: path.to_owned(), source })
    }
}

/// JSON has no `NaN` and no `inf`, and they are the point here: they are written as text.
mod number_or_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.is_finite() {
            serializer.serialize_f64(*number)
        } else {
            serializer.collect_str(number)
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(number),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_survives_json() {
        let row = |loss| DivergedRow {
            source: SourceName::new("web").unwrap(),
            epoch: 1,
            ordinal: 40,
            loss,
        };
        let divergence = Divergence {
            step: 3,
            run: Fingerprint::of_bytes(b"run"),
            loss: f64::INFINITY,
            grad_norm: f64::NAN,
            lr: 0.1,
            rows: vec![row(2.5), row(f64::NEG_INFINITY)],
        };
        let json = serde_json::to_string(&divergence).unwrap();
        assert!(json.contains(r#""loss":"inf","grad_norm":"NaN","lr":0.1"#), "{json}");
        let back: Divergence = serde_json::from_str(&json).unwrap();
        assert!(back.grad_norm.is_nan());
        assert_eq!((back.loss, back.rows), (divergence.loss, divergence.rows));
    }
}

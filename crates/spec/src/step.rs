//! What is recorded of a step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;

/// One step, as written to `metrics.jsonl`. Holds no time: two runs of the same spec write the
/// same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Steps done, this one included.
    pub step: u64,
    /// Mean nats per token of the batch.
    pub loss: f64,
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
    /// Learning rate of the step.
    pub lr: f64,
    /// Tokens per source in this step.
    pub tokens: BTreeMap<SourceName, u64>,
    /// Mean nats per token per source in this step.
    pub losses: BTreeMap<SourceName, f64>,
}

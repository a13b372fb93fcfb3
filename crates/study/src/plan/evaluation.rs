//! How branches are scored.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{SourceName, Tokens};
use sparkjoy_eval::{BaselineVersion, Selection};

/// How sure intervals and marks are, unless a study says otherwise.
pub const CONFIDENCE: f64 = 0.95;

/// How branches are scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Held-out tokens per source.
    pub held_out: Tokens,
    /// How sure intervals and marks are.
    #[serde(default = "usual_confidence", skip_serializing_if = "is_usual")]
    pub confidence: f64,
    /// Tasks, where there are any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tasks: Option<TaskPlan>,
    /// Sources that may hold items of the tasks.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub contaminated: BTreeSet<SourceName>,
}

fn usual_confidence() -> f64 {
    CONFIDENCE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_usual(confidence: &f64) -> bool {
    (confidence - CONFIDENCE).abs() < f64::EPSILON
}

/// Which tasks are scored, how, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskPlan {
    /// Tasks and suites with their definitions.
    pub selection: Selection,
    /// Which baselines are subtracted.
    pub baselines: BaselineVersion,
    /// Items of each task at most; without it, all.
    pub limit: Option<u64>,
    /// Steps of the trunk that are scored beside the branches, ascending.
    pub at: Vec<u64>,
}

//! All scores of a model on tasks, on one page.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Fingerprint;

use crate::{BaselineVersion, SuiteScore, TaskScore};

/// The scores of a model on tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// Identity of the model.
    pub model: Fingerprint,
    /// Identity of its tokenizer.
    pub tokenizer: Fingerprint,
    /// Tokens it read at once.
    pub context: usize,
    /// Whose baselines are subtracted.
    pub baselines: BaselineVersion,
    /// Items of each task at most, where that was asked for.
    pub limit: Option<u64>,
    /// What computed the results.
    pub kernels: BTreeSet<String>,
    /// Scores, in the order asked.
    pub tasks: Vec<TaskScore>,
    /// Tasks whose file is not there.
    pub missing: Vec<MissingTask>,
    /// Tasks that could not be scored.
    pub failed: Vec<FailedTask>,
    /// Averages of the suites asked for.
    pub suites: Vec<SuiteScore>,
}

/// A task whose file is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingTask {
    /// The task.
    pub task: String,
    /// The files it could be in, from the data folder.
    pub tried: Vec<String>,
}

/// A task that could not be scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTask {
    /// The task.
    pub task: String,
    /// What went wrong.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl FailedTask {
    /// Task and reason, each on a line of its own below what is said before.
    pub fn list(failed: &[Self]) -> String {
        failed.iter().fold(String::new(), |mut text, Self { task, why, .. }| {
            let _ = write!(text, "\n  {task}: {why}");
            text
        })
    }
}

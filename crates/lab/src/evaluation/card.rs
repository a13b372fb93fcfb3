//! All scores of a model on one page.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Fingerprint;
use sparkjoy_eval::{BaselineVersion, Computed, SuiteScore, TaskScore};

use super::TaskRequest;

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

impl Scorecard {
    /// A card without scores.
    pub(super) fn new(
        request: &TaskRequest<'_>,
        model: Fingerprint,
        tokenizer: Fingerprint,
    ) -> Self {
        Self {
            model,
            tokenizer,
            context: request.context,
            baselines: request.baselines,
            limit: request.limit,
            kernels: BTreeSet::new(),
            tasks: Vec::new(),
            missing: Vec::new(),
            failed: Vec::new(),
            suites: Vec::new(),
        }
    }
}

/// What answering a task took this time. Kept apart from scores: times differ from run to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskWork {
    /// The task.
    pub task: String,
    /// Items that were missing and are answered now.
    pub items: usize,
    /// Sequences scored or written for them.
    pub sequences: u64,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Tokens of these sequences, each computed by itself.
    pub separate_tokens: u64,
    /// Tokens of these sequences, each padded to the context: what the original computes.
    pub padded_tokens: u64,
    /// Wall-clock seconds, without loading the model and reading the rows.
    pub seconds: f64,
}

impl TaskWork {
    pub(super) fn new(task: &str, items: usize) -> Self {
        let task = task.to_owned();
        let (sequences, tokens, separate_tokens, padded_tokens) = (0, 0, 0, 0);
        Self { task, items, sequences, tokens, separate_tokens, padded_tokens, seconds: 0.0 }
    }

    /// Counts what a decoder has computed since `before`.
    pub(super) fn count(
        &mut self,
        now: Computed,
        before: Computed,
        context: usize,
        time: Duration,
    ) {
        self.sequences = now.sequences - before.sequences;
        self.tokens = now.tokens - before.tokens;
        self.separate_tokens = now.separate_tokens - before.separate_tokens;
        self.padded_tokens = self.sequences * context as u64;
        self.seconds = time.as_secs_f64();
    }
}

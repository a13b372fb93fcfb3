//! What answering a task took.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sparkjoy_eval::Computed;

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
    pub(crate) fn new(task: &str, items: usize) -> Self {
        let task = task.to_owned();
        let (sequences, tokens, separate_tokens, padded_tokens) = (0, 0, 0, 0);
        Self { task, items, sequences, tokens, separate_tokens, padded_tokens, seconds: 0.0 }
    }

    /// Counts what a decoder has computed since `before`.
    pub(crate) fn count(
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

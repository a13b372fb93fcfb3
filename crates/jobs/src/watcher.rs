//! Who follows a call: is told what happens, and says when to stop.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sparkjoy_answers::Checked;
use sparkjoy_base::SourceName;
use sparkjoy_data::PrepareProgress;
use sparkjoy_spec::{KernelChange, StepRecord, Tolerated};

/// Who follows a call.
pub struct Watcher<'a> {
    stop: &'a AtomicBool,
    observe: &'a mut dyn FnMut(Event<'_>),
}

impl<'a> Watcher<'a> {
    /// - `stop`: set to save and stop.
    /// - `observe`: told what happens.
    pub fn new(stop: &'a AtomicBool, observe: &'a mut dyn FnMut(Event<'_>)) -> Self {
        Self { stop, observe }
    }

    pub(crate) fn tell(&mut self, event: Event<'_>) {
        (self.observe)(event);
    }

    /// Whether the call is to save and stop.
    pub(crate) fn wants_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What is set to save and stop.
    pub(crate) fn stop(&self) -> &'a AtomicBool {
        self.stop
    }
}

impl fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("stop", self.stop).finish_non_exhaustive()
    }
}

/// What happens while a study runs, for whoever shows it.
#[derive(Debug)]
pub enum Event<'a> {
    /// A source is being prepared.
    Preparing(&'a SourceName, PrepareProgress),
    /// The text has changed so that a new tokenizer is trained in place of this one.
    OtherTokenizer(&'a str),
    /// The tokenizer is being trained.
    TrainingTokenizer,
    /// Training text is searched.
    Checking {
        /// For what: `items of tasks`, `held-out text`.
        looked_for: &'static str,
        /// The source being read.
        source: &'a SourceName,
        /// Bytes of its text read.
        text_bytes: u64,
        /// Bytes it has.
        of: u64,
    },
    /// What was found of items of tasks in training text.
    Checked(&'a Checked),
    /// Job `index` of `of` begins (or is skipped because it is done).
    Job {
        /// Its name.
        name: &'a str,
        /// From 1.
        index: usize,
        /// How many there are.
        of: usize,
        /// Done before.
        done: bool,
        /// The step it continues from, where it was begun before.
        from: Option<u64>,
    },
    /// A training step was taken in the current job.
    Step {
        /// The record.
        record: &'a StepRecord,
        /// Step the job ends at.
        target: u64,
        /// Training tokens the whole study still needs, this job's rest included.
        tokens_left: u64,
    },
    /// The current job continues from steps that another instruction set computed.
    OtherKernel(&'a KernelChange),
    /// Steps that were computed before came out close, not equal.
    Tolerated(&'a Tolerated),
    /// The current job is told to save and stop.
    Stopping,
    /// It has stopped: its last checkpoint is of this step, and it continues from there.
    Stopped {
        /// Its name.
        name: &'a str,
        /// Steps done.
        step: u64,
    },
    /// The last checkpoint of the current job was saved.
    Saved(&'a Path),
    /// A branch is being scored.
    Scoring(&'a str),
    /// A model is asked for a task.
    Task {
        /// The model.
        model: &'a str,
        /// The task.
        task: &'a str,
        /// From 1.
        index: usize,
        /// How many there are.
        of: usize,
    },
    /// Items of the task are answered.
    Items {
        /// So far.
        done: usize,
        /// All that are asked.
        of: usize,
    },
}

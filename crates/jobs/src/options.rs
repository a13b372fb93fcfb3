//! Where a study runs and who is told about it; nothing here changes a number.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sparkjoy_base::SourceName;
use sparkjoy_data::PrepareProgress;
use sparkjoy_eval::{Interpreter, Limits, Protection, Sandbox, SandboxError};
use sparkjoy_train::{KernelChange, StepRecord};

use sparkjoy_answers::Checked;

/// Where and how, never what.
pub struct Options<'a> {
    /// Folder of all runs.
    pub runs: PathBuf,
    /// Folder of prepared shards.
    pub prepared: PathBuf,
    /// Threads.
    pub threads: usize,
    /// Whether training keeps only the input of each block for the backward pass and computes the
    /// rest again: less memory, more time.
    pub recompute: bool,
    /// How much training a kill may cost: a checkpoint is saved when this much time has passed.
    /// Where saving itself takes long (a large model), it is done more rarely, so that it takes at
    /// most a twentieth of the time.
    pub save_every: Duration,
    /// Folder of task files; where it is none, the study's own.
    pub eval_data: Option<PathBuf>,
    /// How programs that a model writes are run.
    pub programs: Programs,
    /// Set to save and stop.
    pub stop: &'a AtomicBool,
    /// Told what happens.
    pub observe: &'a mut dyn FnMut(Event<'_>),
}

/// How programs that a model writes are run.
#[derive(Clone, Debug)]
pub struct Programs {
    protection: Protection,
    /// The program that confines: this one.
    launcher: Option<PathBuf>,
}

impl Programs {
    /// By this program, which must hand over to [`sparkjoy_eval::confined`] when it is started with
    /// [`sparkjoy_eval::HIDDEN_ARGUMENT`].
    ///
    /// - `unprotected`: without a sandbox, for machines that may be lost.
    pub fn run_by(unprotected: bool) -> Self {
        let protection = if unprotected { Protection::None } else { Protection::Full };
        Self { protection, launcher: std::env::current_exe().ok() }
    }

    /// The sandbox they run in, tried once.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] with the layer this machine lacks, or without an interpreter.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let interpreter = Interpreter::find("python3")?;
        let launcher = self.launcher.clone().unwrap_or_default();
        Sandbox::new(interpreter, launcher, self.protection, Limits::HUMAN_EVAL)
    }
}

/// What happens while a study runs, for whoever shows it.
#[derive(Debug)]
pub enum Event<'a> {
    /// A source is being prepared.
    Preparing(&'a SourceName, PrepareProgress),
    /// The tokenizer is being trained.
    TrainingTokenizer,
    /// Training text is searched for items of tasks.
    Checking {
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
    /// The current job continues from steps that another kernel computed.
    OtherKernel(&'a KernelChange),
    /// A checkpoint was saved.
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

//! INTERFACE SKETCH of what runs a plan and reads its results.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_train::StepRecord;

use crate::{LabError, Plan, Study};

/// Where and how, never what.
pub struct Options<'a> {
    /// Folder of all runs.
    pub runs: PathBuf,
    /// Folder of prepared shards.
    pub prepared: PathBuf,
    /// Threads.
    pub threads: usize,
    /// Set to save and stop.
    pub stop: &'a AtomicBool,
    /// Told what happens.
    pub observe: &'a mut dyn FnMut(Event<'_>),
}

/// What happens while a study runs, for whoever shows it.
pub enum Event<'a> {
    /// A source is being prepared.
    Preparing(&'a SourceName, sparkjoy_data::PrepareProgress),
    /// The tokenizer is being trained.
    TrainingTokenizer,
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
    /// A checkpoint was saved.
    Saved(&'a Path),
    /// A branch is being scored.
    Scoring(&'a str),
}

/// Prepares (or opens) tokenizer and sources of a study.
pub fn corpora(
    study: &Study,
    options: &mut Options<'_>,
) -> Result<(Tokenizer, Vec<Corpus>), LabError> {
    let _ = (study, options);
    todo!()
}

/// Whether a job is done, begun or missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Nothing there.
    Missing,
    /// Begun; continues from this step.
    Begun {
        /// Steps done.
        step: u64,
    },
    /// Whole.
    Done,
}

/// State of each job of a plan (trunk first, then branches), by name.
pub fn job_states(plan: &Plan, options: &Options<'_>) -> Result<Vec<(String, JobState)>, LabError> {
    let _ = (plan, options);
    todo!()
}

/// Runs what is missing: trunk to its branch points, branches, scores. `only`: one job by name.
pub fn run(
    study: &Study,
    plan: &Plan,
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    only: Option<&str>,
    options: &mut Options<'_>,
) -> Result<(), LabError> {
    let _ = (study, plan, corpora, tokenizer, only, options);
    todo!()
}

/// The answers of a finished (or partly finished) study.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answers;

/// Computes the answers from what is scored.
pub fn answers(plan: &Plan, options: &Options<'_>) -> Result<Answers, LabError> {
    let _ = (plan, options);
    todo!()
}

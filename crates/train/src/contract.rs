//! INTERFACE SKETCH, to be split by subject.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Hint, Seed, SourceName};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_mix::{Ledger, Phase, Supply};
use sparkjoy_nn::{Engine, OptimizerKind, Schedule, Shape};

/// What went wrong in a run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Loss or gradient is not finite.
    #[error("loss is {loss} at step {step}")]
    Diverged {
        /// Step.
        step: u64,
        /// Loss.
        loss: f64,
    },
}

impl Hint for TrainError {
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Where a run's state before its first step comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// New weights drawn from the seed.
    Fresh,
    /// A checkpoint of another run, named by that run's fingerprint; where it lies is not identity.
    Branch {
        /// The fingerprint of the run it belongs to.
        run: Fingerprint,
    },
}

/// Everything that determines a run's numbers, and nothing else. Its JSON is hashed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// Model.
    pub shape: Shape,
    /// Tokenizer identity.
    pub tokenizer: Fingerprint,
    /// Optimizer.
    pub optimizer: OptimizerKind,
    /// Rate over the whole budget (trunk and branches share it).
    pub schedule: Schedule,
    /// Global-norm clipping.
    pub grad_clip: Option<f32>,
    /// Sequences per step.
    pub batch: u64,
    /// Seed of weights and orders.
    pub seed: Seed,
    /// Data order of the phases below; 0 is the trunk's.
    pub replicate: u32,
    /// Sources the phases name.
    pub supplies: Vec<Supply>,
    /// Sequences drawn before the first step.
    pub opening: Ledger,
    /// Number of the first phase (0 trunk, 1 branch).
    pub first_phase: u32,
    /// Phases, in steps × batch slots.
    pub phases: Vec<Phase>,
    /// The step the run starts at (steps are counted from the trunk's start).
    pub first_step: u64,
    /// State before it.
    pub start: Start,
}

impl RunSpec {
    /// The run's identity.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_value(self)
    }

    /// One past the last step the phases cover.
    pub fn last_step(&self) -> u64 {
        todo!()
    }
}

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

/// What the observer of a run wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    Continue,
    /// Save a checkpoint to continue from, then go on.
    Save,
    /// Save and stop.
    Stop,
}

/// How a call of [`run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target step is reached and its checkpoint is whole.
    Done,
    /// Stopped on request; the checkpoint of this step is whole.
    Stopped {
        /// Steps done.
        step: u64,
    },
}

/// A checkpoint folder: a Hugging Face model plus what is needed to continue bit for bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its folder.
    pub folder: PathBuf,
    /// Steps done.
    pub step: u64,
    /// The run it belongs to.
    pub run: Fingerprint,
}

impl Checkpoint {
    /// Opens a checkpoint, checking that it is whole.
    pub fn open(folder: &Path) -> Result<Self, TrainError> {
        let _ = folder;
        todo!()
    }

    /// All whole checkpoints of a run folder, by step.
    pub fn list(run_folder: &Path) -> Result<Vec<Self>, TrainError> {
        let _ = run_folder;
        todo!()
    }
}

/// One call of [`run`]: what to train, from which data, where, and how far.
#[derive(Clone, Copy, Debug)]
pub struct RunRequest<'a> {
    /// Everything that determines the numbers.
    pub spec: &'a RunSpec,
    /// The sources `spec.supplies` names, in any order.
    pub corpora: &'a [Corpus],
    /// The tokenizer the sources were encoded with; saved with every checkpoint.
    pub tokenizer: &'a Tokenizer,
    /// The run folder.
    pub folder: &'a Path,
    /// The parent's checkpoint at `spec.first_step`; needed by a branch until it has one of its own.
    pub start_from: Option<&'a Path>,
    /// The step to reach, counted from the trunk's start.
    pub target: u64,
    /// Steps whose checkpoints are never cleaned away (`target` is always kept).
    pub keep: &'a [u64],
    /// Threads that compute. Changes the time, never a bit of the result.
    pub threads: usize,
}

/// Brings the run in `request.folder` to `request.target` and keeps a checkpoint there.
///
/// - Continues from the last whole checkpoint at or before `target` in the folder; starts from
///   `start_from` (a checkpoint of the parent run at `first_step`) or fresh otherwise.
/// - Refuses a folder whose `run.json` has another fingerprint, and a `start_from` that is not
///   the parent named in the spec at `first_step`.
/// - `observe` is called after each step and decides when to save.
pub fn run(
    request: RunRequest<'_>,
    observe: &mut dyn FnMut(&StepRecord) -> Signal,
) -> Result<Outcome, TrainError> {
    let _ = (request, observe);
    todo!()
}

/// All steps recorded in the `metrics.jsonl` of a run or checkpoint folder.
pub fn read_metrics(folder: &Path) -> Result<Vec<StepRecord>, TrainError> {
    let _ = folder;
    todo!()
}

/// Loads the weights of a checkpoint into a fresh engine for evaluation.
pub fn load_model(checkpoint: &Path, batch: usize, threads: usize) -> Result<Engine, TrainError> {
    let _ = (checkpoint, batch, threads);
    todo!()
}

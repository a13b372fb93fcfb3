//! One call: bring a run to a step.

use std::path::{Path, PathBuf};

use sparkjoy_base::{Fingerprint, SourceName};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_mix::{Draw, Ledger, Order};
use sparkjoy_nn::Compute;
use sparkjoy_spec::{Observer, Outcome, Promise, RunSpec, Start};

use crate::checkpoint::Checkpoint;
use crate::inputs;
use crate::log::Log;
use crate::metrics::{METRICS, Metrics, has_metrics};
use crate::run_folder::RunFolder;
use crate::state::TrainState;
use crate::step_loop::train;
use crate::{ImportError, TrainError};

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
    /// The parent's checkpoint at `spec.first_step`, the last one of a run that is this one
    /// [cut](RunSpec::cut) after some of its phases, or the folder of the model an imported run
    /// starts from; needed until the run has a checkpoint of its own.
    pub start_from: Option<&'a Path>,
    /// The step to reach, counted from the trunk's start.
    pub target: u64,
    /// Steps whose checkpoints are saved on passing and never cleaned away (`target` always is).
    pub keep: &'a [u64],
    /// Threads that compute. Changes the time, never a bit of the result.
    pub threads: usize,
    /// Keeps only the input of each block for the backward pass and computes the rest again.
    /// Changes memory and time, never a bit of the result.
    pub recompute: bool,
}

/// A request whose inputs have been found to be the ones the spec was made for.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) spec: &'a RunSpec,
    pub(crate) order: &'a Order,
    /// Indexed by [`Draw::source`].
    pub(crate) corpora: &'a [&'a Corpus],
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) target: u64,
    pub(crate) compute: Compute,
}

impl<'a> Run<'a> {
    pub(crate) fn source_name(self, draw: &Draw) -> &'a SourceName {
        &self.order.sources()[draw.source].name
    }

    /// The sequences drawn of each source when `done` steps have been taken.
    pub(crate) fn ledger(self, done: u64) -> Ledger {
        self.order.ledger_at(self.spec.slots(done).start)
    }
}

/// Brings the run in `request.folder` to `request.target` and keeps a checkpoint there.
///
/// Continues from the last whole checkpoint at or before the target that is in the folder; without
/// one it starts fresh, or from `start_from`. The observer is told of each step and decides when to
/// save and when to stop.
///
/// # Guarantees
///
/// - Stopping after any step and continuing, or being killed at any instant and run again, ends in
///   the same weights, moments and metrics, bit for bit, as never stopping, on the same
///   instruction set.
/// - Going on with another instruction set is told to the observer and recorded in every later
///   checkpoint.
/// - [`Outcome::Done`] means that the checkpoint at exactly the target is whole. A run that is
///   beyond the target already computes it again and leaves later checkpoints and metrics alone.
/// - Besides the kept checkpoints at most two exist at any time.
///
/// # Errors
///
/// [`TrainError`] if the folder, the parent or the data is not what the spec was made for, if the
/// target is outside the phases, if the run diverges, or if the disk refuses.
///
/// # Panics
///
/// If the spec starts fresh and `start_from` is given, or its phases do not fill whole batches.
pub fn run(request: RunRequest<'_>, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
    let RunRequest { spec, tokenizer, target, threads, recompute, .. } = request;
    let order = ordered(spec, target)?;
    let corpora = inputs::matched(spec, &order, request.corpora, tokenizer)?;
    let compute = Compute { precision: spec.precision, recompute, threads };
    let run = Run { spec, order: &order, corpora: &corpora, tokenizer, target, compute };

    let keep: Vec<u64> = request.keep.iter().copied().chain([target]).collect();
    let mut folder = RunFolder::open(request.folder, spec, &keep)?;
    let Some(Opening { mut state, recorded, .. }) = opened(run, &mut folder, request.start_from)?
    else {
        return Ok(Outcome::Done);
    };
    let last = folder.last();
    let metrics = Metrics::restore(request.folder, last, recorded, Promise::SameBits)?;
    if let Some(change) = state.take_over() {
        observer.kernel_changed(&change);
    }
    train(run, &mut state, &mut Log { run, folder, metrics }, observer)
}

/// The order of a run that can be brought to `target`.
pub(crate) fn ordered(spec: &RunSpec, target: u64) -> Result<Order, TrainError> {
    let (first, last) = (spec.first_step, spec.last_step());
    if !(first..=last).contains(&target) {
        return Err(TrainError::Target { target, first, last });
    }
    Ok(spec.order()?)
}

/// What the next step continues from.
pub(crate) struct Opening {
    pub(crate) state: TrainState,
    /// Bytes of metrics before it.
    pub(crate) recorded: u64,
    /// The run's own checkpoint, if it has one at or before the target.
    pub(crate) own: Option<PathBuf>,
}

/// The state to continue from; `None` if the checkpoint of the target is there.
pub(crate) fn opened(
    run: Run<'_>,
    folder: &mut RunFolder,
    start_from: Option<&Path>,
) -> Result<Option<Opening>, TrainError> {
    let Some(checkpoint) = folder.last_up_to(run.target) else {
        return Ok(Some(Opening { state: started(run, start_from)?, recorded: 0, own: None }));
    };
    let checkpoint = Checkpoint::open(&checkpoint.folder)?;
    let recorded = checkpoint.recorded(METRICS)?.bytes;
    if checkpoint.step == run.target {
        folder.remove_passed(run.target)?;
        if !has_metrics(folder.path(), folder.last())? {
            Metrics::restore(folder.path(), folder.last(), recorded, Promise::SameBits)?;
        }
        return Ok(None);
    }
    let state = continued(run, &checkpoint)?;
    Ok(Some(Opening { state, recorded, own: Some(checkpoint.folder) }))
}

fn continued(run: Run<'_>, checkpoint: &Checkpoint) -> Result<TrainState, TrainError> {
    check_ledger(checkpoint, &run.ledger(checkpoint.step))?;
    TrainState::restored(run.spec, run.compute, checkpoint)
}

/// The state before the first step.
fn started(run: Run<'_>, start_from: Option<&Path>) -> Result<TrainState, TrainError> {
    let parent = match (&run.spec.start, start_from) {
        (Start::Fresh, None) => return TrainState::fresh(run.spec, run.compute),
        (Start::Fresh, Some(path)) => panic!("a fresh run does not start from {}", path.display()),
        (Start::Branch { run: parent }, _) => *parent,
        (&Start::Imported { model, moments }, Some(folder)) => {
            return TrainState::imported(run.spec, run.compute, folder, (model, moments));
        }
        (Start::Imported { .. }, None) => {
            return Err(ImportError::NotGiven { step: run.spec.first_step }.into());
        }
    };
    let step = run.spec.first_step;
    let Some(folder) = start_from else {
        return Err(TrainError::NoParent { step, run: parent });
    };
    let checkpoint = Checkpoint::open(folder)?;
    let cuts = if run.spec.anneal.is_some() { 1 } else { run.spec.phases.len() };
    let beginning =
        (1..cuts).map(|n| run.spec.cut(n)).find(|cut| cut.fingerprint() == checkpoint.run);
    if let Some(cut) = beginning {
        check_parent(&checkpoint, checkpoint.run, cut.last_step())?;
        check_ledger(&checkpoint, &run.ledger(cut.last_step()))?;
    } else {
        check_parent(&checkpoint, parent, step)?;
        check_ledger(&checkpoint, &run.spec.opening)?;
    }
    TrainState::restored(run.spec, run.compute, &checkpoint)
}

fn check_parent(checkpoint: &Checkpoint, run: Fingerprint, step: u64) -> Result<(), TrainError> {
    let folder = checkpoint.folder.clone();
    if checkpoint.run != run {
        return Err(TrainError::OtherParent { folder, found: checkpoint.run, expected: run });
    }
    if checkpoint.step != step {
        return Err(TrainError::OtherStep { folder, found: checkpoint.step, expected: step });
    }
    Ok(())
}

/// A checkpoint must have read what the order says was read before its step.
fn check_ledger(checkpoint: &Checkpoint, expected: &Ledger) -> Result<(), TrainError> {
    let found = checkpoint.inspect()?.ledger;
    let names = found.iter().chain(expected.iter()).map(|(name, _)| name);
    for name in names {
        let (found, expected) = (found.drawn(name), expected.drawn(name));
        if found != expected {
            return Err(TrainError::OtherLedger {
                folder: checkpoint.folder.clone(),
                source_name: name.clone(),
                found,
                expected,
            });
        }
    }
    Ok(())
}

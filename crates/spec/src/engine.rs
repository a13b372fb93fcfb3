//! The port to whatever trains: bring a run to a step, report each step, stop on request.
//!
//! Who starts a run needs no more than [`Engine`]; what computes, on which machine and in which
//! language, is the implementor's.

use std::error::Error;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::{Promise, RunSpec, StepRecord};

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

/// How a call of [`Engine::run`] ended.
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

/// A run goes on elsewhere than where it was computed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelChange {
    /// Steps done.
    pub step: u64,
    /// What computed the steps so far.
    pub found: String,
    /// What computes the steps to come.
    pub now: String,
}

/// Recorded steps that were computed again and came out close, not equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerated {
    /// The steps.
    pub steps: RangeInclusive<u64>,
    /// The largest difference of a loss, in nats per token.
    pub difference: f64,
    /// The largest that would have been accepted.
    pub tolerance: f64,
}

/// Whoever watches a run. A closure that takes a step's record watches steps alone.
pub trait Observer {
    /// A step has been taken; what next?
    fn stepped(&mut self, record: &StepRecord) -> Signal;

    /// Nothing has happened for a moment; what next? Asked several times a second by engines that
    /// compute elsewhere, so that a run can be stopped between two long steps.
    fn waiting(&mut self) -> Signal {
        Signal::Continue
    }

    /// Before the first step: the run continues, or branches off, from steps that something else
    /// computed.
    fn kernel_changed(&mut self, _change: &KernelChange) {}

    /// Steps that a later checkpoint has recorded came out close, not equal, because one of the
    /// engines promises no more.
    fn tolerated(&mut self, _steps: &Tolerated) {}
}

impl<F: FnMut(&StepRecord) -> Signal> Observer for F {
    fn stepped(&mut self, record: &StepRecord) -> Signal {
        self(record)
    }
}

/// What an engine is asked for: a run, where it lies, and how far to bring it.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Everything that determines the numbers.
    pub spec: &'a RunSpec,
    /// The run folder.
    pub folder: &'a Path,
    /// The checkpoint or the model folder the run starts from, unless it is fresh; needed until the
    /// run has a checkpoint of its own.
    pub start_from: Option<&'a Path>,
    /// The step to reach, counted from the trunk's start.
    pub target: u64,
    /// Steps whose checkpoints are saved on passing and never cleaned away (`target` always is).
    pub keep: &'a [u64],
}

/// Something that can train.
///
/// # Guarantees
///
/// - [`Engine::run`] continues from the last whole checkpoint at or before the target.
/// - [`Outcome::Done`] means that the checkpoint at exactly the target is whole.
/// - A checkpoint has its name only once it is whole and was checked.
/// - What computed which steps is recorded in every checkpoint, and in no fingerprint.
/// - Steps that a later checkpoint has recorded come out the same to the byte where both that
///   engine and this one promise [`Promise::SameBits`]; elsewhere they are held to a tolerance, and
///   the observer is told.
pub trait Engine {
    /// Why a job could not be done.
    type Error: Error;

    /// What it promises about steps computed twice.
    fn promise(&self) -> Promise;

    /// Brings the run of `job` to its target and keeps checkpoints on the way.
    ///
    /// # Errors
    ///
    /// If the folder, the data or the start is not what the spec was made for, if the run diverges,
    /// or if what computes fails.
    fn run(&mut self, job: Job<'_>, observer: &mut dyn Observer) -> Result<Outcome, Self::Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_promised_only_where_both_sides_do() {
        use Promise::{SameBits, WithinNoise};
        assert_eq!(SameBits.and(SameBits), SameBits);
        for (a, b) in [(SameBits, WithinNoise), (WithinNoise, SameBits), (WithinNoise, WithinNoise)]
        {
            assert_eq!(a.and(b), WithinNoise);
        }
    }
}

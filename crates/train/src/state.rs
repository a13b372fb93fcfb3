//! Everything that changes between steps.
//!
//! If a value can influence the next step and is not in [`TrainState`], that is a bug; the tests
//! of `resume` look for it. Which sequences come next is not state: it follows from the step.

use std::path::Path;

use sparkjoy_base::Fingerprint;
use sparkjoy_nn::{Compute, Engine, Optimizer};
use sparkjoy_spec::{KernelChange, Moments, Promise, RunSpec};

use crate::TrainError;
use crate::checkpoint::{self, Checkpoint, Numbers};
use crate::kernels::Kernels;
use crate::{import, tensors};

/// A model in training, after `step` steps.
pub(crate) struct TrainState {
    pub(crate) engine: Engine,
    pub(crate) optimizer: Optimizer,
    /// Steps done, counted from the trunk's start.
    pub(crate) step: u64,
    /// What computed it so far.
    pub(crate) kernels: Kernels,
}

impl TrainState {
    /// New weights drawn from the seed, zero moments.
    pub(crate) fn fresh(spec: &RunSpec, compute: Compute) -> Result<Self, TrainError> {
        let mut state = Self::empty(spec, compute)?;
        state.engine.init(spec.seed);
        Ok(state)
    }

    /// The state a checkpoint holds. The checkpoint has been opened, so its files are as written.
    pub(crate) fn restored(
        spec: &RunSpec,
        compute: Compute,
        checkpoint: &Checkpoint,
    ) -> Result<Self, TrainError> {
        let mut state = Self::empty(spec, compute)?;
        checkpoint::read_weights(checkpoint, &mut state.engine)?;

        state.read_moments(&checkpoint.folder.join(checkpoint::OPTIMIZER))?;
        let info = checkpoint.inspect()?;
        state.optimizer.set_steps(info.optimizer_steps);
        state.kernels = info.kernels;
        state.step = checkpoint.step;
        Ok(state)
    }

    /// The state of a model trained elsewhere. What computed it is not known, or not by us.
    pub(crate) fn imported(
        spec: &RunSpec,
        compute: Compute,
        folder: &Path,
        start: (Fingerprint, Option<Moments>),
    ) -> Result<Self, TrainError> {
        let mut state = Self::empty(spec, compute)?;
        import::read(&mut state, folder, start)?;
        Ok(state)
    }

    /// Reads the optimizer's moments from a file of exactly these.
    pub(crate) fn read_moments(&mut self, path: &Path) -> Result<(), TrainError> {
        let layout = self.engine.shape().tensors();
        let mut moments = self.optimizer.moments_mut();
        let targets = moments
            .iter_mut()
            .flat_map(|(moment, values)| tensors::targets(&layout, &format!("{moment}."), values));
        tensors::read(path, targets.collect())
    }

    /// Notes that the next step is computed on this machine; returns what that changes.
    pub(crate) fn take_over(&mut self) -> Option<KernelChange> {
        self.kernels.take_over(self.step, self.engine.instruction_set(), Promise::SameBits)
    }

    fn empty(spec: &RunSpec, compute: Compute) -> Result<Self, TrainError> {
        let engine = Engine::new(*spec.model.shape(), spec.batch as usize, compute)?;
        let optimizer = Optimizer::new(spec.optimizer, engine.weights().len());
        Ok(Self { engine, optimizer, step: spec.first_step, kernels: Kernels::default() })
    }

    /// Its numbers, to save them.
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        Numbers {
            step: self.step,
            shape: self.engine.shape(),
            weights: self.engine.weights(),
            optimizer: &self.optimizer,
            kernels: &self.kernels,
        }
    }
}

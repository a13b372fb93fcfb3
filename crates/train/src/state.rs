//! Everything that changes between steps.
//!
//! If a value can influence the next step and is not in [`TrainState`], that is a bug; the tests
//! of `resume` look for it. Which sequences come next is not state: it follows from the step.

use sparkjoy_nn::{Compute, Engine, Optimizer};

use crate::TrainError;
use crate::checkpoint::{self, Checkpoint};
use crate::spec::RunSpec;
use crate::tensors;

/// A model in training, after `step` steps.
pub(crate) struct TrainState {
    pub(crate) engine: Engine,
    pub(crate) optimizer: Optimizer,
    /// Steps done, counted from the trunk's start.
    pub(crate) step: u64,
}

impl TrainState {
    /// New weights drawn from the seed, zero moments.
    pub(crate) fn fresh(spec: &RunSpec, threads: usize) -> Result<Self, TrainError> {
        let mut state = Self::empty(spec, threads)?;
        state.engine.init(spec.seed);
        Ok(state)
    }

    /// The state a checkpoint holds. The checkpoint has been opened, so its files are as written.
    pub(crate) fn restored(
        spec: &RunSpec,
        checkpoint: &Checkpoint,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let mut state = Self::empty(spec, threads)?;
        checkpoint::read_weights(checkpoint, &mut state.engine)?;

        let layout = spec.shape.tensors();
        let mut moments = state.optimizer.moments_mut();
        let targets = moments
            .iter_mut()
            .flat_map(|(moment, values)| tensors::targets(&layout, &format!("{moment}."), values));
        tensors::read(&checkpoint.folder.join(checkpoint::OPTIMIZER), targets.collect())?;
        state.optimizer.set_steps(checkpoint.inspect()?.optimizer_steps);
        state.step = checkpoint.step;
        Ok(state)
    }

    fn empty(spec: &RunSpec, threads: usize) -> Result<Self, TrainError> {
        let engine = Engine::new(spec.shape, spec.batch as usize, Compute::exact(threads))?;
        let optimizer = Optimizer::new(spec.optimizer, engine.weights().len());
        Ok(Self { engine, optimizer, step: spec.first_step })
    }

    /// The first tensor with a weight that is not a finite number, if there is one.
    pub(crate) fn broken_tensor(&self) -> Option<String> {
        let index = self.engine.weights().iter().position(|weight| !weight.is_finite())?;
        let layout = self.engine.shape().tensors();
        let tensor = layout.into_iter().rfind(|tensor| tensor.offset <= index);
        Some(tensor.expect("the first tensor starts at 0").name)
    }
}

//! Where a run in progress leaves its traces: metrics, checkpoints, and what was in the batch when
//! it broke.

use sparkjoy_mix::Draw;

use crate::TrainError;
use crate::checkpoint::Contents;
use crate::disk;
use crate::divergence::{DivergedRow, Divergence};
use crate::metrics::{Metrics, StepRecord};
use crate::run::Run;
use crate::run_folder::RunFolder;
use crate::state::TrainState;

/// The one place the loop tells what happened.
pub(crate) struct Log<'a> {
    pub(crate) run: Run<'a>,
    pub(crate) folder: RunFolder,
    pub(crate) metrics: Metrics,
}

impl Log<'_> {
    /// Takes note of a step.
    pub(crate) fn stepped(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        self.metrics.record(record)
    }

    /// Whether the checkpoint of this step stays.
    pub(crate) fn keeps(&self, step: u64) -> bool {
        self.folder.keeps(step)
    }

    /// Makes sure the checkpoint of the state's step is there; then earlier ones that need not
    /// stay are removed.
    pub(crate) fn save(&mut self, state: &TrainState) -> Result<(), TrainError> {
        if let Some(tensor) = state.broken_tensor() {
            return Err(TrainError::BrokenWeights { step: state.step, tensor });
        }
        let contents = Contents {
            run: self.folder.run(),
            state,
            ledger: self.run.ledger(state.step),
            tokenizer: self.run.tokenizer,
            metrics: &self.metrics,
        };
        self.folder.save(&contents)
    }

    /// Writes down the batch that broke the run; returns the error that tells of it.
    pub(crate) fn diverged(
        &self,
        record: &StepRecord,
        draws: &[Draw],
        row_losses: &[f64],
    ) -> TrainError {
        let &StepRecord { step, loss, grad_norm, lr, .. } = record;
        let rows = draws.iter().zip(row_losses).map(|(draw, &loss)| DivergedRow {
            source: self.run.source_name(draw).clone(),
            epoch: draw.epoch,
            ordinal: draw.ordinal,
            loss,
        });
        let run = self.folder.run();
        let divergence = Divergence { step, run, loss, grad_norm, lr, rows: rows.collect() };
        let json = serde_json::to_vec_pretty(&divergence).expect("NaN is written as text");
        let path = self.folder.path().join(format!("diverged-{step}.json"));
        if let Err(error) = disk::write(&path, &json) {
            return error.into();
        }
        let tokens = record.tokens.clone();
        TrainError::Diverged { step, loss, grad_norm, lr, tokens, path }
    }
}

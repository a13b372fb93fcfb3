//! Where a run in progress leaves its traces: metrics, checkpoints, and what was in the batch when
//! it broke.

use std::path::PathBuf;

use sparkjoy_mix::Draw;
use sparkjoy_spec::{Observer, StepRecord};

use crate::TrainError;
use crate::checkpoint::{Contents, Numbers};
use crate::disk;
use crate::divergence::{DivergedRow, Divergence};
use crate::metrics::Metrics;
use crate::run::Run;
use crate::run_folder::RunFolder;

/// The one place the loop tells what happened.
pub(crate) struct Log<'a> {
    pub(crate) run: Run<'a>,
    pub(crate) folder: RunFolder,
    pub(crate) metrics: Metrics,
}

impl Log<'_> {
    /// Takes note of a step.
    pub(crate) fn stepped(
        &mut self,
        record: &StepRecord,
        observer: &mut dyn Observer,
    ) -> Result<(), TrainError> {
        self.metrics.record(record)?;
        if let Some(tolerated) = self.metrics.take_tolerated(record.step == self.run.target) {
            observer.tolerated(&tolerated);
        }
        Ok(())
    }

    /// Whether the checkpoint of this step stays.
    pub(crate) fn keeps(&self, step: u64) -> bool {
        self.folder.keeps(step)
    }

    /// Makes sure the checkpoint of these numbers' step is there; then earlier ones that need not
    /// stay are removed. Returns where it lies.
    pub(crate) fn save(&mut self, numbers: Numbers<'_>) -> Result<PathBuf, TrainError> {
        let step = numbers.step;
        if let Some(tensor) = numbers.broken_tensor() {
            return Err(TrainError::BrokenWeights { step, tensor });
        }
        let contents = Contents {
            run: self.folder.run(),
            numbers,
            ledger: self.run.ledger(step),
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

//! The loop: from the state after one step to the state after another, in the order it happens.

use std::thread;

use sparkjoy_spec::{Observer, Outcome, Signal, StepRecord};

use crate::TrainError;
use crate::loader::read_ahead;
use crate::log::Log;
use crate::metrics::by_source;
use crate::run::Run;
use crate::state::TrainState;

/// Takes the steps from `state.step` to `run.target`, saving where the folder keeps a checkpoint
/// and where the observer asks for one.
pub(crate) fn train(
    run: Run<'_>,
    state: &mut TrainState,
    log: &mut Log<'_>,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    let mut row_losses = vec![0.0; run.spec.batch as usize];
    thread::scope(|scope| {
        let batches = read_ahead(scope, run, state.step..run.target);
        while state.step < run.target {
            let batch = batches.recv().expect("the loader sends every batch or an error")?;
            let lr = run.spec.lr(state.step);
            let loss = state.engine.loss_and_gradients(&batch.tokens, &mut row_losses);
            let grad_norm = state.engine.clip_gradients(run.spec.grad_clip);
            let (tokens, losses) = by_source(run, &batch.draws, &row_losses);
            let record = StepRecord { step: state.step + 1, loss, grad_norm, lr, tokens, losses };
            if !(loss.is_finite() && grad_norm.is_finite()) {
                return Err(log.diverged(&record, &batch.draws, &row_losses));
            }
            state.engine.update(&mut state.optimizer, lr);
            state.step += 1;

            log.stepped(&record, observer)?;
            let signal = observer.stepped(&record);
            if signal != Signal::Continue || log.keeps(state.step) {
                log.save(state.numbers())?;
            }
            if signal == Signal::Stop && state.step < run.target {
                return Ok(Outcome::Stopped { step: state.step });
            }
        }
        log.save(state.numbers())?;
        Ok(Outcome::Done)
    })
}

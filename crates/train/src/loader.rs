//! Reads the tokens of the next batch while this one is computed.
//!
//! One thread, one batch ahead. Which sequences a batch holds follows from its step alone, so
//! reading ahead can change nothing but the time.

use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use sparkjoy_data::Part;
use sparkjoy_mix::Draw;

use crate::TrainError;
use crate::run::Run;

/// The sequences of one step. B sequences, T positions.
pub(crate) struct Batch {
    /// `[B]`: where each row comes from.
    pub(crate) draws: Vec<Draw>,
    /// `[B × T]`, row-major.
    pub(crate) tokens: Vec<u32>,
}

/// Starts reading the batches of `steps`, in order; ends early once nobody receives them.
pub(crate) fn read_ahead<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    run: Run<'env>,
    steps: Range<u64>,
) -> Receiver<Result<Batch, TrainError>> {
    let (sender, receiver) = sync_channel(1);
    scope.spawn(move || {
        for done in steps {
            let batch = read(run, done);
            let is_last = batch.is_err();
            if sender.send(batch).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// The batch that is read when `done` steps have been taken.
fn read(run: Run<'_>, done: u64) -> Result<Batch, TrainError> {
    let draws: Vec<Draw> = run.order.sequences(run.spec.slots(done)).collect();
    let context = run.spec.model.context();
    let mut tokens = vec![0; draws.len() * context];
    for (draw, row) in draws.iter().zip(tokens.chunks_exact_mut(context)) {
        run.corpora[draw.source].read(Part::Train, draw.ordinal, row).map_err(|source| {
            TrainError::Read {
                step: done + 1,
                source_name: run.source_name(draw).clone(),
                source: Box::new(source),
            }
        })?;
    }
    Ok(Batch { draws, tokens })
}

//! Watches a run: passes on what happens, and decides when to save and when to stop.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sparkjoy_train::{KernelChange, Observer, Signal, StepRecord};

use crate::{Event, Options};

/// Time between saves in times a save takes: a checkpoint of 100 GB is not written every minute.
const SAVING_SHARE: u32 = 20;

/// The observer of one training job.
pub(super) struct Watch<'a, 'o> {
    options: &'a mut Options<'o>,
    target: u64,
    /// Steps of the jobs after this one.
    steps_after: u64,
    tokens_per_step: u64,
    saved: Instant,
    /// Whether the last step ended in a save.
    saving: bool,
    /// Time from save to save.
    wait: Duration,
}

impl<'a, 'o> Watch<'a, 'o> {
    /// Watches a job to `target`, with `steps_after` steps of other jobs to come.
    pub(super) fn new(
        options: &'a mut Options<'o>,
        target: u64,
        steps_after: u64,
        tokens_per_step: u64,
    ) -> Self {
        let (saved, wait) = (Instant::now(), options.save_every);
        Self { options, target, steps_after, tokens_per_step, saved, saving: false, wait }
    }
}

impl Observer for Watch<'_, '_> {
    fn stepped(&mut self, record: &StepRecord) -> Signal {
        if std::mem::take(&mut self.saving) {
            // A step has passed as well, so a save is taken to be longer than it was.
            self.wait = self.options.save_every.max(self.saved.elapsed() * SAVING_SHARE);
        }
        let target = self.target;
        let tokens_left = (self.steps_after + target - record.step) * self.tokens_per_step;
        (self.options.observe)(Event::Step { record, target, tokens_left });
        if self.options.stop.load(Ordering::Relaxed) {
            Signal::Stop
        } else if self.saved.elapsed() >= self.wait {
            (self.saved, self.saving) = (Instant::now(), true);
            Signal::Save
        } else {
            Signal::Continue
        }
    }

    fn kernel_changed(&mut self, change: &KernelChange) {
        (self.options.observe)(Event::OtherKernel(change));
    }
}

//! Watches a run: passes on what happens, and decides when to save and when to stop.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sparkjoy_train::{KernelChange, Observer, Signal, StepRecord};

use crate::tensorboard::Events;
use crate::{Event, Options};

/// Time between saves in times a save takes: a checkpoint of 100 GB is not written every minute.
const SAVING_SHARE: u32 = 20;

/// The event file of a job. Its metrics are whole only when the first step has been taken.
enum EventFile {
    NotBegun,
    Open(Events),
    /// It cannot be written; nothing depends on it.
    Without,
}

impl EventFile {
    fn add(&mut self, folder: &Path, record: &StepRecord, last: bool) {
        if matches!(self, Self::NotBegun) {
            *self = Events::begin(folder).map_or(Self::Without, Self::Open);
        }
        if let Self::Open(events) = self
            && events.add(record, last).is_err()
        {
            *self = Self::Without;
        }
    }
}

/// The observer of one training job.
pub(crate) struct Watch<'a, 'o> {
    options: &'a mut Options<'o>,
    folder: &'a Path,
    events: EventFile,
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
    /// Watches a job in the run folder `folder` to `target`, with `steps_after`
    /// steps of other jobs to come.
    pub(crate) fn new(
        options: &'a mut Options<'o>,
        folder: &'a Path,
        target: u64,
        steps_after: u64,
        tokens_per_step: u64,
    ) -> Self {
        let (saved, wait) = (Instant::now(), options.save_every);
        let (events, saving) = (EventFile::NotBegun, false);
        Self { options, folder, events, target, steps_after, tokens_per_step, saved, saving, wait }
    }
}

impl Observer for Watch<'_, '_> {
    fn stepped(&mut self, record: &StepRecord) -> Signal {
        if std::mem::take(&mut self.saving) {
            // A step has passed as well, so a save is taken to be longer than it was.
            self.wait = self.options.save_every.max(self.saved.elapsed() * SAVING_SHARE);
        }
        let target = self.target;
        self.events.add(self.folder, record, record.step == target);
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

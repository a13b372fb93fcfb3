//! The observer of a training job: passes on what happens, and decides when to save and to stop.

use std::path::Path;
use std::time::{Duration, Instant};

use sparkjoy_spec::{KernelChange, Observer, Signal, StepRecord, Tolerated};

use crate::tensorboard::Events;
use crate::watcher::{Event, Watcher};

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

pub(crate) struct TrainingObserver<'a, 'w> {
    watcher: &'a mut Watcher<'w>,
    folder: &'a Path,
    events: EventFile,
    target: u64,
    steps_after: u64,
    tokens_per_step: u64,
    save_every: Duration,
    saved: Instant,
    /// Whether the last step ended in a save.
    saving: bool,
    /// Whether it was told to stop.
    is_stopping: bool,
    /// Time from save to save.
    wait: Duration,
}

impl<'a, 'w> TrainingObserver<'a, 'w> {
    /// Watches a job in the run folder `folder` to `target`, with `steps_after`
    /// steps of other jobs to come.
    pub(crate) fn new(
        watcher: &'a mut Watcher<'w>,
        folder: &'a Path,
        target: u64,
        steps_after: u64,
        tokens_per_step: u64,
        save_every: Duration,
    ) -> Self {
        Self {
            watcher,
            folder,
            events: EventFile::NotBegun,
            target,
            steps_after,
            tokens_per_step,
            save_every,
            saved: Instant::now(),
            saving: false,
            is_stopping: false,
            wait: save_every,
        }
    }
}

impl Observer for TrainingObserver<'_, '_> {
    fn stepped(&mut self, record: &StepRecord) -> Signal {
        if std::mem::take(&mut self.saving) {
            // A step has passed as well, so a save is taken to be longer than it was.
            self.wait = self.save_every.max(self.saved.elapsed() * SAVING_SHARE);
        }
        let target = self.target;
        self.events.add(self.folder, record, record.step == target);
        let tokens_left = (self.steps_after + target - record.step) * self.tokens_per_step;
        self.watcher.tell(Event::Step { record, target, tokens_left });
        if self.waiting() == Signal::Stop {
            Signal::Stop
        } else if self.saved.elapsed() >= self.wait {
            (self.saved, self.saving) = (Instant::now(), true);
            Signal::Save
        } else {
            Signal::Continue
        }
    }

    fn waiting(&mut self) -> Signal {
        if !self.watcher.wants_stop() {
            return Signal::Continue;
        }
        if !std::mem::replace(&mut self.is_stopping, true) {
            self.watcher.tell(Event::Stopping);
        }
        Signal::Stop
    }

    fn kernel_changed(&mut self, change: &KernelChange) {
        self.watcher.tell(Event::OtherKernel(change));
    }

    fn tolerated(&mut self, steps: &Tolerated) {
        self.watcher.tell(Event::Tolerated(steps));
    }
}

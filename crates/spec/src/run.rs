//! What determines a run's numbers, and nothing else.
//!
//! Two runs with the same [`RunSpec`] write the same bytes; where a run lies, how many threads
//! compute it and how often it was interrupted is not in here.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Seed};
use sparkjoy_mix::{Ledger, MixError, Order, Phase, Source};

use crate::{Model, OptimizerKind, Precision, Schedule};

/// Where a run's state before its first step comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// New weights drawn from the seed.
    Fresh,
    /// A checkpoint of another run, named by that run's fingerprint; where it lies is not identity.
    Branch {
        /// The fingerprint of the run it belongs to.
        run: Fingerprint,
    },
    /// A model trained elsewhere, named by its numbers; where and how they lie is not identity.
    Imported {
        /// A hash of its weights; `docs/formats.md` says of what exactly.
        model: Fingerprint,
        /// The optimizer's state; without one, it begins with moments of zero.
        moments: Option<Moments>,
    },
}

/// The state of an optimizer that came with an imported model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    /// Of its numbers.
    pub content: Fingerprint,
    /// Steps it has taken (AdamW's bias correction counts them).
    pub steps: u64,
}

/// Everything that determines a run's numbers, and nothing else. Its JSON is hashed.
///
/// Steps are counted from the trunk's start everywhere: a branch from step 1,000 takes step 1,001
/// first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The model; its key in the JSON is `shape`, as when MPT was the only family.
    #[serde(rename = "shape")]
    pub model: Model,
    /// What the factors of its products are rounded to.
    pub precision: Precision,
    /// Tokenizer identity.
    pub tokenizer: Fingerprint,
    /// Optimizer.
    pub optimizer: OptimizerKind,
    /// Rate over the whole budget (trunk and branches share it).
    pub schedule: Schedule,
    /// Global-norm clipping.
    pub grad_clip: Option<f32>,
    /// Sequences per step.
    pub batch: u64,
    /// Seed of weights and orders.
    pub seed: Seed,
    /// Data order of the phases below; 0 is the trunk's.
    pub replicate: u32,
    /// Sources the phases name.
    pub supplies: Vec<Source>,
    /// Sequences drawn before the first step.
    pub opening: Ledger,
    /// Number of the first phase (0 trunk, 1 branch).
    pub first_phase: u32,
    /// Phases, in steps × batch slots.
    pub phases: Vec<Phase>,
    /// The step the run starts at (steps are counted from the trunk's start).
    pub first_step: u64,
    /// State before it.
    pub start: Start,
    /// A branch whose rate leaves the trunk's curve; without it, the rate follows `schedule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anneal: Option<Anneal>,
}

/// A learning rate that falls in a straight line to zero, as in annealing practice.
///
/// It begins with what `schedule` gives at `from` and would reach zero with the step after the
/// last one, so that every step learns something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anneal {
    /// The step before the first annealed one, counted from the trunk's start.
    pub from: u64,
    /// The step at which the rate would be zero.
    pub to: u64,
}

impl RunSpec {
    /// The run's identity.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_value(self)
    }

    /// The step after which the phases are used up.
    ///
    /// # Panics
    ///
    /// If the phases do not fill whole batches: a phase boundary inside a batch is undefined.
    pub fn last_step(&self) -> u64 {
        let slots: u64 = self.phases.iter().map(|phase| phase.slots).sum();
        assert!(slots.is_multiple_of(self.batch), "{slots} slots do not fill batches");
        self.first_step + slots / self.batch
    }

    /// Tokens trained on per step.
    pub fn tokens_per_step(&self) -> u64 {
        self.batch * self.model.context() as u64
    }

    /// The reading order of all phases.
    ///
    /// # Errors
    ///
    /// [`MixError`] for phases that cannot be read from the sources.
    pub fn order(&self) -> Result<Order, MixError> {
        Order::new(
            self.seed,
            self.replicate,
            self.supplies.clone(),
            self.opening.clone(),
            self.first_phase,
            self.phases.clone(),
        )
    }

    /// The slots of the order that the step after `done` steps reads: one per row of its batch.
    pub fn slots(&self, done: u64) -> Range<u64> {
        let start = (done - self.first_step) * self.batch;
        start..start + self.batch
    }

    /// The learning rate of the step that follows `done` steps.
    pub fn lr(&self, done: u64) -> f64 {
        let trunk = |done: u64| self.schedule.factor(done * self.tokens_per_step());
        self.optimizer.lr()
            * match self.anneal {
                Some(Anneal { from, to }) if done >= from => {
                    trunk(from) * to.saturating_sub(done) as f64 / (to - from) as f64
                }
                _ => trunk(done),
            }
    }

    /// This run as far as the end of its first `phases` phases: what it computes until then is
    /// what that run computes.
    ///
    /// # Panics
    ///
    /// If the run anneals: its rate depends on where it ends.
    #[must_use]
    pub fn cut(&self, phases: usize) -> Self {
        assert!(self.anneal.is_none(), "the beginning of an annealed run is no run of its own");
        let phases = self.phases[..phases].to_vec();
        let drawn = |source: &&Source| {
            phases.iter().any(|phase| phase.mixture.proportions().contains_key(&source.name))
        };
        let sources = self.supplies.iter().filter(drawn).cloned().collect();
        Self { supplies: sources, phases, ..self.clone() }
    }
}

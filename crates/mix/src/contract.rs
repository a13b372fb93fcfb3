//! INTERFACE SKETCH, to be split by subject (mixture.rs, ledger.rs, phase.rs, order.rs, …).

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Ppm, Seed, SourceName};

/// What went wrong with a mixture, a ledger or an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    /// Proportions do not sum to one.
    #[error("proportions sum to {sum}, expected exactly 100 %")]
    Sum {
        /// The sum found.
        sum: Ppm,
    },
}

/// The proportion of each source in one phase, in parts per million; sums to exactly 1 000 000,
/// none is zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mixture {
    proportions: BTreeMap<SourceName, Ppm>,
}

impl Mixture {
    /// Checks and keeps.
    pub fn new(proportions: BTreeMap<SourceName, Ppm>) -> Result<Self, MixError> {
        let _ = proportions;
        todo!()
    }

    /// The proportions, sorted by name.
    pub fn proportions(&self) -> &BTreeMap<SourceName, Ppm> {
        &self.proportions
    }
}

/// A source as the mixture sees it: a name, an identity, a number of sequences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    /// The name mixtures use.
    pub name: SourceName,
    /// The identity of its content; keys its order. Never its position in a list.
    pub fingerprint: Fingerprint,
    /// Sequences in one epoch.
    pub sequences: u64,
}

/// How many sequences of each source have been drawn so far. Sources never drawn may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger {
    drawn: BTreeMap<SourceName, u64>,
}

impl Ledger {
    /// A ledger with given counts (a trunk trained elsewhere).
    pub fn new(drawn: BTreeMap<SourceName, u64>) -> Self {
        Self { drawn }
    }

    /// Sequences of `source` drawn so far.
    pub fn drawn(&self, source: &SourceName) -> u64 {
        self.drawn.get(source).copied().unwrap_or(0)
    }

    /// All counts, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SourceName, u64)> {
        self.drawn.iter().map(|(name, &drawn)| (name, drawn))
    }
}

/// A stretch of training under one mixture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Who is drawn how often.
    pub mixture: Mixture,
    /// How many sequences.
    pub slots: u64,
}

/// One sequence of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Draw {
    /// Index into [`Order::supplies`].
    pub source: usize,
    /// How often the source has been read through before.
    pub epoch: u64,
    /// Which of its sequences, `0..supply.sequences`.
    pub ordinal: u64,
}

/// A reading order: phases one after the other from an opening ledger.
///
/// A trunk has an empty opening ledger, replicate 0 and first phase 0. A branch opens with the
/// trunk's ledger at the branch point, counts its phases from 1, and names its replicate.
/// Replicate 0 reads each source on in the trunk's own order; replicate r > 0 reads the same
/// unread remainder of the current epoch in another order, then fresh epochs of its own.
#[derive(Clone, Debug)]
pub struct Order {
    supplies: Vec<Supply>,
    phases: Vec<Phase>,
}

impl Order {
    /// Builds the order. `supplies` may be in any order and is kept sorted by name.
    pub fn new(
        seed: Seed,
        replicate: u32,
        supplies: Vec<Supply>,
        opening: Ledger,
        first_phase: u32,
        phases: Vec<Phase>,
    ) -> Result<Self, MixError> {
        let _ = (seed, replicate, supplies, opening, first_phase, phases);
        todo!()
    }

    /// Sources, sorted by name; [`Draw::source`] is an index into this.
    pub fn supplies(&self) -> &[Supply] {
        &self.supplies
    }

    /// The phases.
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// Slots of all phases together.
    pub fn slots(&self) -> u64 {
        todo!()
    }

    /// The sequence at `slot`, counted from the first phase's start. Panics past the end.
    pub fn sequence_at(&self, slot: u64) -> Draw {
        let _ = slot;
        todo!()
    }

    /// The sequences at `slots`, one after the other, cheaper than asking for each.
    pub fn sequences(&self, slots: Range<u64>) -> impl Iterator<Item = Draw> + '_ {
        let _ = slots;
        std::iter::empty()
    }

    /// How often each source (same index as `supplies`) is drawn in `slots`, in closed form.
    pub fn counts(&self, slots: Range<u64>) -> Vec<u64> {
        let _ = slots;
        todo!()
    }

    /// The ledger when `slot` is about to be read: opening plus all draws before it.
    pub fn ledger_at(&self, slot: u64) -> Ledger {
        let _ = slot;
        todo!()
    }
}

/// The slots of one batch that rank `rank` of `world` takes; for any world their union is the
/// batch and they are disjoint.
pub fn rank_slots(batch: Range<u64>, rank: u64, world: u64) -> Range<u64> {
    let _ = (batch, rank, world);
    todo!()
}

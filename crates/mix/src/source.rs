//! A source: its size, and the order in which its sequences are read.
//!
//! The order is keyed by the content of the source, not by its name or its place in a list. So
//! adding, removing or renaming a source does not change the order of any other.

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Key, Purpose, Seed, SourceName};

use crate::permutation::Permutation;

/// Epochs whose keys are derived when the order is built; those of later epochs are derived on
/// demand.
const EPOCHS_KEPT: u64 = 8;

/// A source that a mixture draws from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name in mixtures.
    pub name: SourceName,
    /// Hash of its content; the key of its order.
    pub fingerprint: Fingerprint,
    /// Sequences in one epoch.
    pub sequences: u64,
}

/// The seed of the study and the replicate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) seed: Seed,
    pub(crate) replicate: u32,
}

/// The order of a source over all epochs, from an opening position on.
#[derive(Clone, Debug)]
pub(crate) struct SourceOrder {
    reader: Reader,
    fingerprint: Fingerprint,
    sequences: u64,
    /// Draws before the order opened.
    opening: u64,
    /// The orders of the first epochs, beginning with the opening one.
    kept: Vec<EpochOrder>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct EpochOrder {
    /// The order of the whole epoch.
    whole: Permutation,
    /// In the opening epoch of a replicate: the order in which it reads the rest of that epoch.
    rest: Option<Rest>,
}

/// Positions from `start` to the end of an epoch, reordered among themselves.
#[derive(Clone, Copy, Debug)]
struct Rest {
    start: u64,
    order: Permutation,
}

impl EpochOrder {
    /// The ordinal of the sequence at `position` of the epoch.
    pub(crate) fn at(&self, position: u64) -> u64 {
        match &self.rest {
            None => self.whole.at(position),
            Some(rest) => self.whole.at(rest.start + rest.order.at(position - rest.start)),
        }
    }
}

impl SourceOrder {
    /// The order of `source` after `opening` draws, for at most `draws` more.
    pub(crate) fn new(reader: Reader, source: &Source, opening: u64, draws: u64) -> Self {
        let Source { name: _, fingerprint, sequences } = *source;
        let mut order = Self { reader, fingerprint, sequences, opening, kept: Vec::new() };
        if draws > 0 {
            let first = opening / sequences;
            let last = (opening + draws - 1) / sequences;
            order.kept =
                (first..=last.min(first + EPOCHS_KEPT - 1)).map(|e| order.derived(e)).collect();
        }
        order
    }

    pub(crate) fn sequences(&self) -> u64 {
        self.sequences
    }

    /// The order within `epoch`, the opening one or a later one.
    pub(crate) fn epoch(&self, epoch: u64) -> EpochOrder {
        let kept = epoch - self.opening / self.sequences;
        match self.kept.get(kept as usize) {
            Some(order) => *order,
            None => self.derived(epoch),
        }
    }

    /// Derives the keys of `epoch`.
    ///
    /// - Replicate 0 reads every epoch in the order of the trunk.
    /// - Another replicate reads the rest of the opening epoch, the same sequences for every
    ///   replicate, in an order of its own. The order of its later epochs is its own too.
    fn derived(&self, epoch: u64) -> EpochOrder {
        let Reader { seed, replicate } = self.reader;
        let content = self.fingerprint.as_bytes();
        let (epoch_bytes, replicate_bytes) = (epoch.to_le_bytes(), replicate.to_le_bytes());
        let trunk: [&[u8]; 2] = [content, &epoch_bytes];
        let own: [&[u8]; 3] = [content, &epoch_bytes, &replicate_bytes];
        let whole = |address: &[&[u8]]| {
            Permutation::new(self.sequences, &Key::new(seed, Purpose::SourceOrder, address))
        };
        if replicate == 0 {
            EpochOrder { whole: whole(&trunk), rest: None }
        } else if epoch == self.opening / self.sequences {
            let start = self.opening % self.sequences;
            let key = Key::new(seed, Purpose::ReplicateOrder, &own);
            let order = Permutation::new(self.sequences - start, &key);
            EpochOrder { whole: whole(&trunk), rest: Some(Rest { start, order }) }
        } else {
            EpochOrder { whole: whole(&own), rest: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(replicate: u32, sequences: u64, opening: u64) -> SourceOrder {
        let source = Source {
            name: SourceName::new("web").unwrap(),
            fingerprint: Fingerprint::of_bytes(b"web"),
            sequences,
        };
        let draws = 20 * sequences;
        SourceOrder::new(Reader { seed: Seed(17), replicate }, &source, opening, draws)
    }

    #[test]
    fn epochs_kept_are_the_epochs_derived() {
        for replicate in [0, 1] {
            let order = order(replicate, 50, 130);
            assert_eq!(order.kept.len() as u64, EPOCHS_KEPT);
            for epoch in 2..22 {
                let from = if epoch == 2 { 30 } else { 0 };
                for position in from..50 {
                    let (kept, derived) = (order.epoch(epoch), order.derived(epoch));
                    assert_eq!(kept.at(position), derived.at(position), "epoch {epoch}");
                }
            }
        }
    }

    #[test]
    fn a_replicate_that_opens_at_an_epochs_end_has_nothing_left_to_reorder() {
        let (trunk, replicate) = (order(0, 50, 99), order(1, 50, 99));
        assert_eq!(trunk.epoch(1).at(49), replicate.epoch(1).at(49), "only one is left");
        let orders = [trunk, replicate].map(|o| (0..50).map(|p| o.epoch(2).at(p)).collect());
        let [trunk, replicate]: [Vec<u64>; 2] = orders;
        assert_ne!(trunk, replicate);
    }
}

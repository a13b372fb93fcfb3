//! The layout of one phase: the source of each slot, and the count of each source before a slot.
//!
//! Slot j lies at `u = θ + j·φ` on a circle of 2^64 points, where φ is the fractional part of the
//! golden ratio times 2^64. Each source owns an interval of the circle whose length is its
//! proportion. The source of a slot is the owner of its point. Golden-ratio steps fill the circle
//! more evenly than any other step (three-distance theorem), so in every range of slots the count
//! of each source is within a few sequences of its proportion.

use sparkjoy_base::{Key, Ppm, Purpose};

use crate::Mixture;
use crate::floor_sum::{GOLDEN, golden_floor_sum};
use crate::source::Reader;

/// Number of points of the circle.
const CIRCLE: u128 = 1 << 64;

/// The owners of the intervals of the circle during one phase.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// θ, the point of slot 0.
    theta: u64,
    /// First point of each interval, ascending from 0; the last interval ends at 2^64.
    starts: Vec<u64>,
    /// Owner of each interval, an index chosen by the caller.
    owners: Vec<usize>,
}

impl Layout {
    /// The layout of `mixture`.
    ///
    /// - `owners`: the indices of its sources, in the order of their names.
    pub(crate) fn new(reader: Reader, phase: u64, mixture: &Mixture, owners: Vec<usize>) -> Self {
        assert_eq!(owners.len(), mixture.proportions().len());
        let address: [&[u8]; 2] = [&phase.to_le_bytes(), &reader.replicate.to_le_bytes()];
        let [theta, ..] = Key::new(reader.seed, Purpose::PhaseOffset, &address).words();
        let mut before = 0_u128;
        let starts = mixture.proportions().values().map(|ppm| {
            let start = (before * CIRCLE / u128::from(Ppm::ONE.0)) as u64;
            before += u128::from(ppm.0);
            start
        });
        Self { theta, starts: starts.collect(), owners }
    }

    pub(crate) fn point(&self, slot: u64) -> u64 {
        self.theta.wrapping_add(slot.wrapping_mul(GOLDEN))
    }

    /// The point of the slot after the one at `point`.
    pub(crate) fn next_point(point: u64) -> u64 {
        point.wrapping_add(GOLDEN)
    }

    /// The source that owns `point`.
    pub(crate) fn owner(&self, point: u64) -> usize {
        self.owners[self.interval(point)]
    }

    /// The source of `slot`, and how many slots before it have the same source.
    pub(crate) fn owner_and_count(&self, slot: u64) -> (usize, u64) {
        let interval = self.interval(self.point(slot));
        let start = u128::from(self.starts[interval]);
        let end = self.starts.get(interval + 1).map_or(CIRCLE, |&end| end.into());
        let count = self.turns(slot, start).wrapping_sub(self.turns(slot, end));
        (self.owners[interval], count as u64)
    }

    /// How many of the first `slots` slots each source has, as (source, count).
    pub(crate) fn counts(&self, slots: u64) -> impl Iterator<Item = (usize, u64)> {
        let ends = self.starts[1..].iter().map(|&end| end.into()).chain(std::iter::once(CIRCLE));
        let mut before = self.turns(slots, 0);
        self.owners.iter().zip(ends).map(move |(&owner, end)| {
            let after = self.turns(slots, end);
            let count = before.wrapping_sub(after);
            before = after;
            (owner, count as u64)
        })
    }

    fn interval(&self, point: u64) -> usize {
        // The first interval starts at 0, so at least one start is not above the point.
        self.starts.partition_point(|&start| start <= point) - 1
    }

    /// `Σ floor((θ + j·φ + 2^64 − by) / 2^64)` over the first `slots` slots j, for `by ≤ 2^64`.
    ///
    /// A term is smaller by 1 exactly if the point of its slot is below `by`. So the sum for the
    /// start of an interval, minus the sum for its end, is the number of slots inside.
    fn turns(&self, slots: u64, by: u128) -> u128 {
        golden_floor_sum(slots, u128::from(self.theta) + CIRCLE - by)
    }
}

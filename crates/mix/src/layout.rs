//! The layout of one phase: which source each slot belongs to, and how often each came before.
//!
//! Slot j sits at `u = θ + j·φ` on a circle of 2^64 points, φ being the golden ratio's part of the
//! circle. Each source owns an interval of the circle as long as its proportion; the source of a
//! slot is the owner of its point. Steps of the golden ratio fill the circle more evenly than any
//! others, so every stretch of slots, however short and wherever it starts, holds each source in
//! its proportion to within a few sequences.

use sparkjoy_base::{Key, Ppm, Purpose};

use crate::Mixture;
use crate::floor_sum::{GOLDEN, golden_floor_sum};
use crate::source::Reader;

/// The circle's points.
const CIRCLE: u128 = 1 << 64;

/// Who owns which part of the circle during one phase.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// θ, the point of slot 0.
    theta: u64,
    /// The first point of each owner's interval, ascending from 0; the last interval ends at 2^64.
    starts: Vec<u64>,
    /// The source that owns each interval, as an index chosen by the caller.
    owners: Vec<usize>,
}

impl Layout {
    /// Lays out `mixture`, whose sources have the indices `owners` in the order of their names.
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

    /// The point of slot `slot`.
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

    /// The source of `slot`, and how many of the slots before it are that source's.
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

    /// The interval that holds `point`.
    fn interval(&self, point: u64) -> usize {
        // The first interval starts at 0, so at least one start is not above the point.
        self.starts.partition_point(|&start| start <= point) - 1
    }

    /// The sum over the first `slots` slots of how many turns of the circle each has made, if all
    /// begin one turn ahead and are then moved back by `by ≤ 2^64`.
    ///
    /// A slot moved back loses a turn exactly if its point is below `by`. So a sum moved back to
    /// the start of an interval, less the one moved back to its end, counts the slots inside.
    fn turns(&self, slots: u64, by: u128) -> u128 {
        golden_floor_sum(slots, u128::from(self.theta) + CIRCLE - by)
    }
}

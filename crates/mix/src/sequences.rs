//! Iterates over an order slot by slot, with one cursor per source.

use std::ops::Range;

use crate::layout::Layout;
use crate::order::{Draw, Order};
use crate::source::{EpochOrder, SourceOrder};

/// The draws of a range of slots, one after the other.
///
/// Gives the same sequences as [`Order::sequence_at`], without counting anew for each slot: each
/// source keeps its epoch and position, also across phases. Tests compare the two.
pub(crate) struct Sequences<'a> {
    order: &'a Order,
    /// The slots not yet read.
    slots: Range<u64>,
    /// The phase of the next slot, as an index.
    phase: usize,
    /// The first slot after that phase.
    phase_end: u64,
    /// The point of the next slot.
    point: u64,
    /// How far each source has been read.
    cursors: Vec<Cursor>,
}

/// How far one source has been read.
struct Cursor {
    epoch: u64,
    position: u64,
    sequences: u64,
    order: EpochOrder,
}

impl Cursor {
    fn new(source: &SourceOrder, drawn: u64) -> Self {
        let sequences = source.sequences();
        let epoch = drawn / sequences;
        Self { epoch, position: drawn % sequences, sequences, order: source.epoch(epoch) }
    }
}

impl<'a> Sequences<'a> {
    /// Reads `slots` of `order`; the range must lie inside.
    pub(crate) fn new(order: &'a Order, slots: Range<u64>) -> Self {
        let cursors = order.drawn_before(slots.start).into_iter().zip(order.source_orders());
        let cursors = cursors.map(|(drawn, source)| Cursor::new(source, drawn)).collect();
        let mut sequences = Self { order, slots, phase: 0, phase_end: 0, point: 0, cursors };
        if !sequences.slots.is_empty() {
            sequences.enter(order.phase_of(sequences.slots.start));
        }
        sequences
    }

    /// Enters `phase` at the next slot.
    fn enter(&mut self, phase: usize) {
        let (first, layout) = self.order.layout(phase);
        self.phase = phase;
        self.phase_end = first + self.order.phases()[phase].slots;
        self.point = layout.point(self.slots.start - first);
    }
}

impl Iterator for Sequences<'_> {
    type Item = Draw;

    fn next(&mut self) -> Option<Draw> {
        if self.slots.is_empty() {
            return None;
        }
        if self.slots.start == self.phase_end {
            self.enter(self.phase + 1);
        }
        let source = self.order.layout(self.phase).1.owner(self.point);
        self.point = Layout::next_point(self.point);
        self.slots.start += 1;

        let cursor = &mut self.cursors[source];
        if cursor.position == cursor.sequences {
            cursor.epoch += 1;
            cursor.position = 0;
            cursor.order = self.order.source_orders()[source].epoch(cursor.epoch);
        }
        let ordinal = cursor.order.at(cursor.position);
        cursor.position += 1;
        Some(Draw { source, epoch: cursor.epoch, ordinal })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.slots.end.saturating_sub(self.slots.start));
        (left.unwrap_or(usize::MAX), left.ok())
    }
}

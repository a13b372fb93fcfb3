//! The two factors of a product as they lie in memory.

use super::{DEPTH_BYTES, Kernel};
use crate::aligned::Rest;
use crate::element::Element;

/// Columns of A are gathered this many rows at a time: those of the highest register tile, and two.
pub(crate) const LANES: usize = 16;
/// Groups of one pass.
const GROUPS: usize = DEPTH_BYTES / 4;
/// Groups between gathered rows, so that they do not fall on the same places of the cache.
const GAP: usize = 16;
/// Lines of an L1 cache that begin at a multiple of 4 KiB from each other share a place in it.
const PLACES: usize = 64;
/// Bytes of a line.
const LINE: usize = 64;

/// The left factor `A` of a product, `[m × k]`.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a, E> {
    /// `A[i, k] = data[i·row + k]`.
    Along {
        /// Values.
        data: &'a [E],
        /// Distance between rows.
        row: usize,
    },
    /// `A[i, k] = data[k·column + i]`.
    Across {
        /// Values.
        data: &'a [E],
        /// Distance between columns.
        column: usize,
    },
    /// Groups of [`Element::GROUP`] values along k side by side:
    /// `A[i, k] = data[(k / G)·column·G + i·G + k % G]`; a last group that is not full ends in
    /// zeros.
    Grouped {
        /// Values.
        data: &'a [E],
        /// Distance between groups of columns, in groups.
        column: usize,
    },
    /// Packed by [`pack_tiles`](super::pack_tiles): the register tiles one after another, [`LANES`]
    /// rows by all groups each.
    Tiled {
        /// Groups, from the first tile on.
        groups: &'a [u32],
        /// Terms of the whole packed matrix.
        k: usize,
    },
}

impl<E: Element> Left<'_, E> {
    /// The rows from `first` on.
    ///
    /// - `rows`: those of a register tile, a divisor of `first` where the factor is tiled.
    pub(crate) fn below(self, first: usize, rows: usize) -> Self {
        match self {
            Self::Along { data, row } => Self::Along { data: &data[first * row..], row },
            Self::Across { data, column } => Self::Across { data: &data[first..], column },
            Self::Grouped { data, column } => {
                Self::Grouped { data: &data[first * E::GROUP..], column }
            }
            Self::Tiled { groups, k } => {
                Self::Tiled { groups: &groups[first / rows * apart::<E>(k) * LANES..], k }
            }
        }
    }

    /// Panics if there are fewer than `m × k` values.
    pub(super) fn check(&self, m: usize, k: usize) {
        let (found, least) = match self {
            Self::Along { data, row } => (data.len(), (m - 1) * row + k),
            Self::Across { data, column } => (data.len(), (k - 1) * column + m),
            Self::Grouped { data, column } => {
                (data.len(), ((k.div_ceil(E::GROUP) - 1) * column + m) * E::GROUP)
            }
            // Each tile is cut off with a check of its own.
            Self::Tiled { .. } => return,
        };
        assert!(found >= least, "left factor too short: {found} values of {least}");
    }
}

impl<'a> Left<'a, f32> {
    /// Values, distance between rows, distance between columns.
    pub(super) fn strides(self) -> (&'a [f32], usize, usize) {
        match self {
            Self::Along { data, row } => (data, row, 1),
            Self::Across { data, column } | Self::Grouped { data, column } => (data, 1, column),
            Self::Tiled { .. } => unreachable!("the crate packs by itself"),
        }
    }
}

/// The right factor: columns in panels, each panel's groups of rows one after another.
///
/// With panels of `w` columns and groups of `G`, `B[k, j]` lies at
/// `(j / w)·apart·w·G + (k / G)·w·G + j % w·G + k % G`.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a, E> {
    /// Values.
    pub(crate) data: &'a [E],
    /// Rows of the whole packed matrix; [`apart`] of their groups lie between panels.
    pub(crate) rows: usize,
    /// Columns of the whole packed matrix.
    pub(crate) columns: usize,
    /// First row of this product, where a group begins.
    pub(crate) first: usize,
    /// First column of this product, where a panel begins.
    pub(crate) column: usize,
}

/// Values a packed `rows × columns` matrix takes.
pub(crate) fn packed_len<E: Element>(kernel: Kernel, rows: usize, columns: usize) -> usize {
    columns.next_multiple_of(E::panel(kernel, columns)) * apart::<E>(rows) * E::GROUP
}

/// Groups from one tile or panel of a packed factor to the next: those of `k` terms, made odd, so
/// that not all of them fall on the same places of the cache when they are written side by side.
pub(crate) fn apart<E: Element>(k: usize) -> usize {
    k.div_ceil(E::GROUP) | 1
}

/// Room in which parts of a left factor are put in the order a tile reads them.
pub(crate) struct Room<'a> {
    groups: &'a mut [u32],
}

/// A left factor's part as a tile reads it: group `g` of row `i` lies at `i·row + g·step`.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a, E> {
    pub(crate) data: &'a [E],
    pub(crate) row: usize,
    pub(crate) step: usize,
}

impl<'a> Room<'a> {
    /// Values of f32 it takes.
    pub(crate) const LEN: usize = LANES * (GROUPS + GAP);

    /// Takes [`Room::LEN`] values off a buffer.
    pub(crate) fn take(rest: &mut Rest<'a>) -> Self {
        Self { groups: rest.take(Self::LEN) }
    }

    /// `rows` rows from `i` on of `deep` columns from `k` on, where rows lie along.
    #[inline(always)]
    pub(super) fn along<'b, E: Element>(
        &'b mut self,
        (data, row): (&'b [E], usize),
        (i, rows): (usize, usize),
        (k, deep): (usize, usize),
    ) -> Part<'b, E> {
        let whole = deep.is_multiple_of(E::GROUP) && row.is_multiple_of(E::GROUP);
        if whole && spreads(row * size_of::<E>(), deep * size_of::<E>()) {
            return Part { data: &data[i * row + k..], row: row / E::GROUP, step: 1 };
        }
        let apart = deep.div_ceil(E::GROUP) + GAP;
        let values: &mut [E] = bytemuck::cast_slice_mut(&mut self.groups[..apart * rows]);
        for (r, out) in values.chunks_exact_mut(apart * E::GROUP).enumerate() {
            let start = (i + r) * row + k;
            out[..deep].copy_from_slice(&data[start..start + deep]);
            // Half a group is completed by zero.
            out[deep] = E::default();
        }
        Part { data: values, row: apart, step: 1 }
    }
}

/// Whether rows of `deep` bytes that begin `row` bytes apart can be read side by side: they are
/// short, or fall on enough different places of the cache.
fn spreads(row: usize, deep: usize) -> bool {
    let apart = row / LINE % PLACES;
    let places = PLACES / (1 << apart.trailing_zeros().min(6));
    deep <= 4 * LINE || (row.is_multiple_of(LINE) && places >= 4)
}

//! Memory layout of the two factors of a product.

use super::{DEPTH_BYTES, InstructionSet};
use crate::aligned::Rest;
use crate::element::Element;

/// Rows of A that are gathered at a time: 14, those of the largest register tile, rounded up to 16.
pub(crate) const LANES: usize = 16;
/// Groups of one pass.
const GROUPS: usize = DEPTH_BYTES / 4;
/// Groups between gathered rows, so that they do not map to the same cache sets.
const GAP: usize = 16;
/// Sets of an L1 cache: lines at a multiple of 4 KiB from each other share a set.
const CACHE_SETS: usize = 64;
/// Bytes of a cache line.
const LINE: usize = 64;

/// The left factor `A` of a product, `[m × k]`.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a, E> {
    /// `A[i, k] = data[i·row + k]`.
    Along {
        data: &'a [E],
        /// Distance between rows.
        row: usize,
    },
    /// `A[i, k] = data[k·column + i]`.
    Across {
        data: &'a [E],
        /// Distance between columns.
        column: usize,
    },
    /// Groups of [`Element::GROUP`] values along k side by side:
    /// `A[i, k] = data[(k / G)·column·G + i·G + k % G]`; a last group that is not full ends in
    /// zeros.
    Grouped {
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
            // Each tile is sliced with its own bounds check.
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

/// The packed right factor: blocks of columns, in each the groups of rows one after another.
///
/// With blocks of `w` columns and groups of `G`, `B[k, j]` lies at
/// `(j / w)·apart·w·G + (k / G)·w·G + j % w·G + k % G`.
#[derive(Clone, Copy)]
pub(crate) struct PackedRight<'a, E> {
    pub(crate) data: &'a [E],
    /// Rows of the whole packed matrix; blocks are [`apart`] groups apart.
    pub(crate) rows: usize,
    /// Columns of the whole packed matrix.
    pub(crate) columns: usize,
    /// First row of this product, where a group begins.
    pub(crate) first: usize,
    /// First column of this product, where a column block begins.
    pub(crate) column: usize,
}

/// Values a packed `rows × columns` matrix takes.
pub(crate) fn packed_len<E: Element>(isa: InstructionSet, rows: usize, columns: usize) -> usize {
    columns.next_multiple_of(E::block_columns(isa, columns)) * apart::<E>(rows) * E::GROUP
}

/// Groups from one tile or column block of a packed factor to the next: those of `k` terms, made
/// odd so that blocks written side by side do not all map to the same cache sets.
pub(crate) fn apart<E: Element>(k: usize) -> usize {
    k.div_ceil(E::GROUP) | 1
}

/// Buffer into which parts of a left factor are copied, in the order a tile reads them.
pub(crate) struct GatherBuffer<'a> {
    groups: &'a mut [u32],
}

/// A left factor's part as a tile reads it: group `g` of row `i` lies at `i·row + g·step`.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a, E> {
    pub(crate) data: &'a [E],
    pub(crate) row: usize,
    pub(crate) step: usize,
}

impl<'a> GatherBuffer<'a> {
    /// Its length in values of f32.
    pub(crate) const LEN: usize = LANES * (GROUPS + GAP);

    /// Takes [`GatherBuffer::LEN`] values off a buffer.
    pub(crate) fn take(rest: &mut Rest<'a>) -> Self {
        Self { groups: rest.take(Self::LEN) }
    }

    /// Rows `i..i + rows`, columns `k..k + deep` of a row-major matrix.
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
            // An incomplete group is filled up with zero.
            out[deep] = E::default();
        }
        Part { data: values, row: apart, step: 1 }
    }
}

/// Whether rows of `deep` bytes that begin `row` bytes apart can be read side by side: they are
/// short, or map to enough different cache sets.
fn spreads(row: usize, deep: usize) -> bool {
    let apart = row / LINE % CACHE_SETS;
    let sets = CACHE_SETS / (1 << apart.trailing_zeros().min(6));
    deep <= 4 * LINE || (row.is_multiple_of(LINE) && sets >= 4)
}

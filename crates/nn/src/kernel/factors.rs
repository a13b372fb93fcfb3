//! The two factors of a product as they lie in memory.

use super::{DEPTH_BYTES, Kernel};
use crate::element::Element;

/// Columns of A are gathered this many rows at a time: those of the highest register tile, and two.
pub(crate) const LANES: usize = 16;
/// Groups of one pass.
const GROUPS: usize = DEPTH_BYTES / 4;
/// The most register tiles of a block whose columns are gathered at once.
pub(super) const TILES: usize = 8;
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
}

impl<'a, E: Element> Left<'a, E> {
    /// The rows from `first` on.
    pub(crate) fn below(self, first: usize) -> Self {
        match self {
            Self::Along { data, row } => Self::Along { data: &data[first * row..], row },
            Self::Across { data, column } => Self::Across { data: &data[first..], column },
            Self::Grouped { data, column } => {
                Self::Grouped { data: &data[first * E::GROUP..], column }
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
        }
    }
}

/// The right factor: columns in panels, each panel's groups of rows one after another.
///
/// With panels of `w` columns and groups of `G`, `B[k, j]` lies at
/// `(j / w)·rows·w + (k / G)·w·G + j % w·G + k % G`, `rows` rounded up to whole groups.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a, E> {
    /// Values.
    pub(crate) data: &'a [E],
    /// Rows of the whole packed matrix.
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
    columns.next_multiple_of(E::panel(kernel, columns)) * rows.next_multiple_of(E::GROUP)
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
    pub(crate) const LEN: usize = TILES * LANES * GROUPS;

    /// Takes [`Room::LEN`] values off the front of a buffer.
    pub(crate) fn take(buffer: &mut &'a mut [f32]) -> Self {
        let values = buffer.split_off_mut(..Self::LEN).expect("scratch is sized for a room");
        Self { groups: bytemuck::cast_slice_mut(values) }
    }

    /// `rows` rows from `i` on of `deep` columns from `k` on, where rows lie along.
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

    /// A block of `m` rows from the first on of `deep` columns from `k` on, where columns lie along,
    /// in register tiles of `rows` rows.
    pub(super) fn across<E: Element>(
        &mut self,
        (data, column): (&[E], usize),
        (m, rows): (usize, usize),
        (k, deep): (usize, usize),
    ) {
        let groups = deep.div_ceil(E::GROUP);
        for g in 0..groups {
            let k = k + g * E::GROUP;
            let first = &data[k * column..];
            let second = if g * E::GROUP + 1 < deep { &data[(k + 1) * column..] } else { &[] };
            for (tile, i) in (0..m).step_by(rows).enumerate() {
                let out = &mut self.groups[(tile * groups + g) * LANES..];
                let out = out.first_chunk_mut().expect("a room for every group of every tile");
                *out = E::group(lanes(first, i), lanes(second, i));
            }
        }
    }

    /// What [`Room::across`] has made of a tile's rows.
    pub(super) fn tile<E: Element>(&self, tile: usize, groups: usize) -> Part<'_, E> {
        let data = &self.groups[tile * groups * LANES..][..groups * LANES];
        Part { data: bytemuck::cast_slice(data), row: 1, step: LANES }
    }
}

/// The values from `i` on, zeros past the last.
#[inline(always)]
fn lanes<E: Element>(values: &[E], i: usize) -> [E; LANES] {
    let values = values.get(i..).unwrap_or_default();
    match values.first_chunk() {
        Some(lanes) => *lanes,
        None => std::array::from_fn(|lane| values.get(lane).copied().unwrap_or_default()),
    }
}

/// Whether rows of `deep` bytes that begin `row` bytes apart can be read side by side: they are
/// short, or fall on enough different places of the cache.
fn spreads(row: usize, deep: usize) -> bool {
    let apart = row / LINE % PLACES;
    let places = PLACES / (1 << apart.trailing_zeros().min(6));
    deep <= 4 * LINE || (row.is_multiple_of(LINE) && places >= 8)
}

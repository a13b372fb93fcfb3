//! The two factors of a product as they lie in memory.

use std::mem::MaybeUninit;

use super::{DEPTH_BYTES, Kernel};
use crate::element::Element;

/// Columns of A are gathered this many rows at a time, the most rows of a register tile and two.
pub(crate) const LANES: usize = 16;
/// Rows of A at most this long (in bytes) are read where they lie: a few lines of cache each.
const SHORT: usize = 256;
/// Bytes between gathered rows, so that they do not fall on the same places of the cache.
const GAP_BYTES: usize = 64;
/// Room for the rows of a register tile (fp32 has the same bytes).
const ROOM_BYTES: usize = LANES * (DEPTH_BYTES + GAP_BYTES);

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

/// Room for the rows of one register tile, gathered so that they are read in order.
pub(super) struct Gathered<E> {
    values: [MaybeUninit<E>; ROOM_BYTES / 2],
}

impl<E: Element> Gathered<E> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { values: [MaybeUninit::uninit(); ROOM_BYTES / 2] }
    }

    /// `rows` rows from `i` on of `deep` columns from `k` on: groups, the distance between rows and
    /// that between groups.
    #[inline(always)]
    pub(super) fn tile<'a>(
        &'a mut self,
        a: Left<'a, E>,
        (i, rows): (usize, usize),
        (k, deep): (usize, usize),
    ) -> (&'a [E], usize, usize) {
        let groups = deep.div_ceil(E::GROUP);
        match a {
            Left::Grouped { data, column } => {
                (&data[(k / E::GROUP * column + i) * E::GROUP..], 1, column)
            }
            Left::Across { data, column } if E::GROUP == 1 && groups * 4 <= SHORT => {
                (&data[k * column + i..], 1, column)
            }
            Left::Along { data, row }
                if deep * size_of::<E>() <= SHORT
                    && deep.is_multiple_of(E::GROUP)
                    && row.is_multiple_of(E::GROUP) =>
            {
                (&data[i * row + k..], row / E::GROUP, 1)
            }
            Left::Along { data, row } => {
                let apart = groups + GAP_BYTES / 4;
                let gathered = self.values.chunks_exact_mut(apart * E::GROUP);
                for (r, out) in gathered.enumerate().take(rows) {
                    let start = (i + r) * row + k;
                    out[..deep].write_copy_of_slice(&data[start..start + deep]);
                    out[deep..].fill(MaybeUninit::new(E::default()));
                }
                (self.written(apart * rows), apart, 1)
            }
            Left::Across { data, column } => {
                let gathered = self.values.as_chunks_mut::<LANES>().0.chunks_exact_mut(E::GROUP);
                for (g, out) in gathered.enumerate().take(groups) {
                    let start = (k + g * E::GROUP) * column + i;
                    E::group(&data[start..], rows, (column, deep - g * E::GROUP), out);
                }
                (self.written(LANES * groups), 1, LANES)
            }
        }
    }

    /// The first `groups` groups.
    #[expect(unsafe_code, reason = "a buffer of plain numbers that is written before it is read")]
    fn written(&self, groups: usize) -> &[E] {
        // SAFETY: the caller has written them, zeros where there was nothing to gather.
        unsafe { self.values[..groups * E::GROUP].assume_init_ref() }
    }
}

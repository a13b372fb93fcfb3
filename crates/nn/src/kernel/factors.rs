//! The two factors of a product as they lie in memory.

use super::{DEPTH_BYTES, Kernel, versions};
use crate::aligned::Rest;
use crate::element::Element;

/// Columns of A are gathered this many rows at a time: those of the highest register tile, and two.
pub(crate) const LANES: usize = 16;
/// Groups of one pass.
const GROUPS: usize = DEPTH_BYTES / 4;
/// Register tiles whose columns are gathered together: their rows fill a few lines of cache.
const STRIP: usize = 8;
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
    /// Packed by [`Strips`].
    Tiled {
        /// All strips.
        strips: Strips<'a>,
        /// The first register tile.
        tile: usize,
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
            Self::Tiled { strips, tile } => Self::Tiled { strips, tile: tile + first / rows },
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
            // Each tile is cut from its strip with a check of its own.
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

/// A left factor whose columns lie along, packed in the order its tiles read it.
///
/// In units: the passes of the first strip of [`STRIP`] tiles, those of the next strip and so on; in
/// a unit the tiles one after another, [`LANES`] rows by a pass's groups each.
#[derive(Clone, Copy)]
pub(crate) struct Strips<'a> {
    pub(crate) groups: &'a [u32],
    pub(crate) size: StripSize,
}

/// How a factor is cut into strips and passes.
#[derive(Clone, Copy)]
pub(crate) struct StripSize {
    /// Rows of A.
    m: usize,
    /// Columns of A.
    k: usize,
    /// Rows of a register tile.
    rows: usize,
    passes: usize,
    /// Groups of a tile's row in a pass.
    deep: usize,
}

impl StripSize {
    /// For `A [m × k]` in tiles of `rows` rows.
    pub(crate) fn new<E: Element>((m, k): (usize, usize), rows: usize) -> Self {
        let groups = k.div_ceil(E::GROUP);
        Self { m, k, rows, passes: groups.div_ceil(GROUPS), deep: groups.min(GROUPS) }
    }

    /// Groups of a unit.
    pub(crate) fn unit(&self) -> usize {
        STRIP * LANES * self.deep
    }

    /// Groups of all units.
    pub(crate) fn len(&self) -> usize {
        self.m.div_ceil(STRIP * self.rows) * self.passes * self.unit()
    }
}

impl Strips<'_> {
    /// The groups of a tile in a pass.
    #[inline(always)]
    pub(super) fn tile<E: Element>(&self, tile: usize, pass: usize) -> Part<'_, E> {
        let room = self.size.deep * LANES;
        let unit = (tile / STRIP * self.size.passes + pass) * self.size.unit();
        let data = &self.groups[unit + tile % STRIP * room..][..room];
        Part { data: bytemuck::cast_slice(data), row: 1, step: LANES }
    }
}

versions! {
    /// Packs unit `index` of `A[i, k] = data[k·m + i]`.
    pub(crate) fn pack_unit<E: Element>(
        data: &[E], size: StripSize, index: usize, unit: &mut [u32],
    ) = pack_unit_body;
}

#[inline(always)]
fn pack_unit_body<E: Element>(data: &[E], size: StripSize, index: usize, unit: &mut [u32]) {
    let StripSize { m, k, rows, passes, deep } = size;
    let (strip, pass) = (index / passes, index % passes);
    let (first, k0) = (strip * STRIP * rows, pass * deep * E::GROUP);
    let tiles = STRIP.min((m - first).div_ceil(rows));
    let groups = deep.min((k - k0).div_ceil(E::GROUP));
    for g in 0..groups {
        let k0 = k0 + g * E::GROUP;
        let row = |k0: usize| if k0 < k { &data[k0 * m..(k0 + 1) * m] } else { &[] };
        let (one, two) = (row(k0), row(k0 + 1));
        for tile in 0..tiles {
            let i = first + tile * rows;
            let out = unit[(tile * deep + g) * LANES..].first_chunk_mut();
            let out = out.expect("a unit has room for every group");
            *out = match (one.get(i..i + LANES), two.get(i..i + LANES)) {
                (Some(one), Some(two)) => E::group(one, two),
                _ => E::group(&lanes(one, i), &lanes(two, i)),
            };
        }
    }
}

/// The values from `i` on, zeros past the last.
#[cold]
fn lanes<E: Element>(values: &[E], i: usize) -> [E; LANES] {
    std::array::from_fn(|lane| values.get(i + lane).copied().unwrap_or_default())
}

/// Whether rows of `deep` bytes that begin `row` bytes apart can be read side by side: they are
/// short, or fall on enough different places of the cache.
fn spreads(row: usize, deep: usize) -> bool {
    let apart = row / LINE % PLACES;
    let places = PLACES / (1 << apart.trailing_zeros().min(6));
    deep <= 4 * LINE || (row.is_multiple_of(LINE) && places >= 4)
}

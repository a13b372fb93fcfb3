//! Packs factors in the order in which register tiles read them.
//!
//! Rows are read from end to end, as they lie in memory, and written to places far apart. The
//! opposite order, strided reads, would defeat the caches and their prefetching.
#![expect(unsafe_code, reason = "tasks write parts of a factor that no slice of it holds")]

use std::ops::Range;

use bytemuck::Pod;

use super::{LANES, versions};
use crate::element::{Becomes, Element};
use crate::parallel::Shared;

/// Groups of a column that are packed at a time: a cache line.
const COLUMN: usize = 16;

/// A right factor as it lies in memory.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a, S> {
    /// `B[k, j] = data[k·row + j]`.
    Along {
        data: &'a [S],
        /// Distance between rows.
        row: usize,
    },
    /// `B[k, j] = data[j·column + k]`.
    Across {
        data: &'a [S],
        /// Distance between columns.
        column: usize,
    },
}

/// Some groups of every column block or tile of a packed factor. One task owns them.
pub(crate) struct TaskGroups<'a, T> {
    whole: &'a Shared<'a, T>,
    groups: Range<usize>,
    /// Groups from one column block or tile to the next.
    apart: usize,
    /// Values of a group, for all columns of a block or rows of a tile.
    len: usize,
}

impl<'a, T: Pod> TaskGroups<'a, T> {
    /// Claims `groups`, of `len` values each, in column blocks or tiles `apart` groups apart.
    ///
    /// # Safety
    ///
    /// No group may be claimed twice at a time, and all claims must name the same sizes.
    pub(crate) unsafe fn claim(
        whole: &'a Shared<'a, T>,
        groups: Range<usize>,
        (apart, len): (usize, usize),
    ) -> Self {
        Self { whole, groups, apart, len }
    }

    /// The values of a group in a column block or tile.
    #[inline(always)]
    fn group(&mut self, block: usize, group: usize) -> &mut [T] {
        assert!(self.groups.contains(&group) && group < self.apart, "a group of another task");
        // SAFETY: nobody else has claimed this group, and this borrow ends before the next.
        unsafe { self.whole.part((block * self.apart + group) * self.len, self.len) }
    }
}

versions! {
    /// Packs some groups of rows of a `k × n` right factor ([`Right::Along`]) in column blocks of
    /// `width` columns, with zeros past the last row and column.
    pub(crate) fn pack_rows<S: Becomes<E>, E: Element>(
        factor: (&[S], usize), size: (usize, usize), width: usize, out: TaskGroups<'_, E>,
    ) = pack_rows_body;
    /// Packs the column block of `width` columns from `first` on of a `k × n` right factor
    /// ([`Right::Across`]).
    pub(crate) fn pack_columns<S: Becomes<E>, E: Element>(
        factor: (&[S], usize), size: (usize, usize), columns: (usize, usize), block: &mut [E],
    ) = pack_columns_body;
    /// Packs the columns of some groups of a left factor, `A[i, k] = data[k·m + i]`, `[m × k]`, for
    /// tiles of `rows` rows.
    pub(crate) fn pack_tiles<E: Element>(
        data: &[E], size: (usize, usize), rows: usize, out: TaskGroups<'_, u32>,
    ) = pack_tiles_body;
}

/// The rows of group `g` of a matrix with `k` of them; one may be missing.
#[inline(always)]
fn rows_of<S, E: Element>(
    (data, row): (&[S], usize),
    (k, n): (usize, usize),
    g: usize,
) -> (&[S], Option<&[S]>) {
    let row = |k: usize| &data[k * row..][..n];
    let first = g * E::GROUP;
    (row(first), (E::GROUP > 1 && first + 1 < k).then(|| row(first + 1)))
}

#[inline(always)]
fn pack_rows_body<S: Becomes<E>, E: Element>(
    factor: (&[S], usize),
    (k, n): (usize, usize),
    width: usize,
    mut out: TaskGroups<'_, E>,
) {
    for g in out.groups.clone() {
        let (one, two) = rows_of::<S, E>(factor, (k, n), g);
        for (block, first) in (0..n).step_by(width).enumerate() {
            let line = out.group(block, g);
            let end = n.min(first + width);
            E::interleave(&one[first..end], two.map(|two| &two[first..end]), line);
            if end < first + width {
                line[(end - first) * E::GROUP..].fill(E::default());
            }
        }
    }
}

#[inline(always)]
fn pack_columns_body<S: Becomes<E>, E: Element>(
    (data, column): (&[S], usize),
    (k, n): (usize, usize),
    (first, width): (usize, usize),
    block: &mut [E],
) {
    let columns = width.min(n - first);
    if columns < width || !k.is_multiple_of(E::GROUP) {
        block.fill(E::default());
    }
    let deep = COLUMN * E::GROUP;
    let groups: &mut [u32] = bytemuck::cast_slice_mut(block);
    for (k0, groups) in (0..k).step_by(deep).zip(groups.chunks_mut(COLUMN * width)) {
        let high = deep.min(k - k0);
        for j in 0..columns {
            let values = &data[(first + j) * column + k0..][..high];
            let mut line = [E::default(); 2 * COLUMN];
            let line = &mut line[..deep];
            if high == deep {
                // The same loop, of a length the compiler knows.
                for (out, value) in line.iter_mut().zip(values) {
                    *out = (*value).into();
                }
            } else {
                for (out, value) in line.iter_mut().zip(values) {
                    *out = (*value).into();
                }
            }
            let line: &[u32] = bytemuck::cast_slice(line);
            for (out, group) in groups[j..].iter_mut().step_by(width).zip(line) {
                *out = *group;
            }
        }
    }
}

#[inline(always)]
fn pack_tiles_body<E: Element>(
    data: &[E],
    (m, k): (usize, usize),
    rows: usize,
    mut out: TaskGroups<'_, u32>,
) {
    for g in out.groups.clone() {
        let (one, two) = rows_of::<E, E>((data, m), (k, m), g);
        for (tile, i) in (0..m).step_by(rows).enumerate() {
            let line = out.group(tile, g).first_chunk_mut().expect("a line of all lanes");
            *line = match (one.get(i..i + LANES), two.unwrap_or(one).get(i..i + LANES)) {
                (Some(one), Some(second)) if two.is_some() || E::GROUP == 1 => {
                    E::group(one, second)
                }
                _ => E::group(&lanes(one, i), &lanes(two.unwrap_or_default(), i)),
            };
        }
    }
}

/// The values from `i` on, zeros past the last.
#[cold]
fn lanes<E: Element>(values: &[E], i: usize) -> [E; LANES] {
    std::array::from_fn(|lane| values.get(i + lane).copied().unwrap_or_default())
}

//! Putting factors in the order register tiles read them.
//!
//! Rows are read from end to end, as they lie in memory; what is written begins far apart, but goes
//! on line after line. The other way round, caches and their guesses are of no use.
#![expect(unsafe_code, reason = "tasks write parts of a factor that no slice of it holds")]

use std::ops::Range;

use super::{LANES, apart, versions};
use crate::element::{Becomes, Element};
use crate::parallel::Shared;

/// Groups of a column that are packed at a time: a line of cache.
const COLUMN: usize = 16;

/// A right factor as it lies in memory.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a, S> {
    /// `B[k, j] = data[k·row + j]`.
    Along {
        /// Values.
        data: &'a [S],
        /// Distance between rows.
        row: usize,
    },
    /// `B[k, j] = data[j·column + k]`.
    Across {
        /// Values.
        data: &'a [S],
        /// Distance between columns.
        column: usize,
    },
}

versions! {
    /// Packs groups of rows of a `k × n` right factor whose rows lie along, in panels of `width`
    /// columns, zeros past the last row and column.
    ///
    /// No other may write these groups of `out` meanwhile.
    pub(crate) fn pack_rows<S: Becomes<E>, E: Element>(
        factor: (&[S], usize), size: (usize, usize), width: usize, groups: Range<usize>,
        out: &Shared<'_, E>,
    ) = pack_rows_body;
    /// Packs the panel of `width` columns from `first` on of a `k × n` right factor whose columns
    /// lie along.
    pub(crate) fn pack_columns<S: Becomes<E>, E: Element>(
        factor: (&[S], usize), size: (usize, usize), columns: (usize, usize), panel: &mut [E],
    ) = pack_columns_body;
    /// Packs groups of columns of a left factor, `A[i, k] = data[k·m + i]`, `[m × k]`, for tiles of
    /// `rows` rows.
    ///
    /// No other may write these groups of `out` meanwhile.
    pub(crate) fn pack_tiles<E: Element>(
        data: &[E], size: (usize, usize), rows: usize, groups: Range<usize>,
        out: &Shared<'_, u32>,
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
    groups: Range<usize>,
    out: &Shared<'_, E>,
) {
    let apart = apart::<E>(k);
    for g in groups {
        let (one, two) = rows_of::<S, E>(factor, (k, n), g);
        for (panel, first) in (0..n).step_by(width).enumerate() {
            let start = (panel * apart + g) * width * E::GROUP;
            // SAFETY: group `g` of a panel, which the caller lets nobody else write.
            let out = unsafe { out.part(start, width * E::GROUP) };
            let end = n.min(first + width);
            E::interleave(&one[first..end], two.map(|two| &two[first..end]), out);
            if end < first + width {
                out[(end - first) * E::GROUP..].fill(E::default());
            }
        }
    }
}

#[inline(always)]
fn pack_columns_body<S: Becomes<E>, E: Element>(
    (data, column): (&[S], usize),
    (k, n): (usize, usize),
    (first, width): (usize, usize),
    panel: &mut [E],
) {
    let columns = width.min(n - first);
    if columns < width || !k.is_multiple_of(E::GROUP) {
        panel.fill(E::default());
    }
    let deep = COLUMN * E::GROUP;
    let groups: &mut [u32] = bytemuck::cast_slice_mut(panel);
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
    groups: Range<usize>,
    out: &Shared<'_, u32>,
) {
    let apart = apart::<E>(k);
    for g in groups {
        let (one, two) = rows_of::<E, E>((data, m), (k, m), g);
        for (tile, i) in (0..m).step_by(rows).enumerate() {
            // SAFETY: group `g` of a tile, which the caller lets nobody else write.
            let out = unsafe { out.part((tile * apart + g) * LANES, LANES) };
            let out = out.first_chunk_mut().expect("as many");
            *out = match (one.get(i..i + LANES), two.unwrap_or(one).get(i..i + LANES)) {
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

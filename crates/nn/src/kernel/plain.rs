//! A register tile in plain Rust, for elements a kernel has no instructions for.

use super::{Tile, versions};
use crate::element::Element;

/// Rows and columns: 12 sums of AVX2's width, and as many of half that width twice.
pub(crate) const SIZE: (usize, usize) = (6, 16);

versions! {
    /// Computes one tile.
    pub(crate) fn tile<E: Element>(tile: Tile<'_, E>) = tile_body;
}

#[inline(always)]
fn tile_body<E: Element>(tile: Tile<'_, E>) {
    tile.check(SIZE.1);
    let Tile { rows, columns, depth, a, b, c, row_c, replace } = tile;
    let mut sums = [[0.0; SIZE.1]; SIZE.0];
    for (group, b) in b.chunks_exact(SIZE.1 * E::GROUP).take(depth).enumerate() {
        for (i, sums) in sums.iter_mut().enumerate().take(rows) {
            let a = &a.data[(i * a.row + group * a.step) * E::GROUP..][..E::GROUP];
            for (member, a) in a.iter().enumerate() {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum += a.value() * b[j * E::GROUP + member].value();
                }
            }
        }
    }
    for (i, sums) in sums.iter().enumerate().take(rows) {
        for (c, sum) in c[i * row_c..][..columns].iter_mut().zip(sums) {
            *c = if replace { *sum } else { *c + sum };
        }
    }
}

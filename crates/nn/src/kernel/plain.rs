//! A register tile in plain Rust, for bf16 on processors without vector tiles.

use super::Tile;
use crate::element::{Bf16, Element};

/// Rows and columns: 24 sums of NEON's width, which leaves 8 registers for factors.
pub(crate) const SIZE: (usize, usize) = (6, 16);

/// Computes one tile.
pub(crate) fn tile(tile: Tile<'_, Bf16>) {
    tile.check(SIZE.1);
    let Tile { rows, columns, depth, a, b, c, row_c, replace } = tile;
    let mut sums = [[0.0; SIZE.1]; SIZE.0];
    for (group, b) in b.chunks_exact(SIZE.1 * Bf16::GROUP).take(depth).enumerate() {
        for (i, sums) in sums.iter_mut().enumerate().take(rows) {
            let a = &a.data[(i * a.row + group * a.step) * Bf16::GROUP..][..Bf16::GROUP];
            for (member, a) in a.iter().enumerate() {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum += a.value() * b[j * Bf16::GROUP + member].value();
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

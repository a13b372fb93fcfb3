//! Large products, cut into blocks whose borders depend on the shape alone.
//!
//! Every value of a result is summed by one thread in one order, so that the number of threads
//! shows in the time only. The right factor is packed slab by slab, all threads helping; then each
//! block of rows runs on its own.

use rayon::prelude::*;

use crate::kernel::{Kernel, Left, PADDING, Panels, Size, Store, packed_len};

/// Rows of the right factor packed at once where the sums are long: a slab of 256 columns takes
/// 1 MiB and is still in cache when it is used.
const SLAB: usize = 1024;
/// Blocks a result is cut into where it has the rows: enough to keep many threads busy to the end.
const BLOCKS: usize = 48;
/// The most register tiles of a block.
const TILES: usize = 8;

/// The right factor as it lies in memory, `B[k, j] = data[k·row + j·column]`.
#[derive(Clone, Copy)]
pub(crate) struct Right<'a> {
    /// Values.
    pub(crate) data: &'a [f32],
    /// Distance between rows.
    pub(crate) row: usize,
    /// Distance between columns.
    pub(crate) column: usize,
}

/// Room for a packed `k × n` right factor, on any kernel.
pub(crate) fn room(k: usize, n: usize) -> usize {
    n.next_multiple_of(PADDING) * k
}

/// Room for the packed slab of [`columns_by_columns`], on any kernel.
pub(crate) fn slab_room(k: usize, n: usize) -> usize {
    room(k.min(SLAB), n)
}

/// Packs a `k × n` right factor, to be used by any number of products.
pub(crate) fn pack<'a>(
    kernel: Kernel,
    b: Right<'_>,
    (k, n): (usize, usize),
    room: &'a mut [f32],
) -> Panels<'a> {
    let width = kernel.panel(n);
    let data = &mut room[..packed_len(k, n, kernel)];
    data.par_chunks_mut(k * width).enumerate().for_each(|(p, panel)| {
        pack_panel(b, (p * width, n), (k, width), panel);
    });
    Panels { data, rows: k, columns: n, first: 0, column: 0 }
}

/// `C (+)= x·B`: `x [m × k]`, `C [m × n]`.
pub(crate) fn rows_by_panels(
    kernel: Kernel,
    size: Size,
    (x, b, c): (&[f32], Panels<'_>, &mut [f32]),
    store: Store,
) {
    let Size { n, k, .. } = size;
    by_blocks(kernel, size, Left { data: x, row: k, column: 1 }, b, (c, n), store);
}

/// `y (+)= x·Wᵀ`: `x [m × k]`, `w [n × k]`, `y [m × n]`.
pub(crate) fn rows_by_rows(
    kernel: Kernel,
    size: Size,
    (x, w, y): (&[f32], &[f32], &mut [f32]),
    store: Store,
    room: &mut [f32],
) {
    let w = pack(kernel, Right { data: w, row: 1, column: size.k }, (size.k, size.n), room);
    rows_by_panels(kernel, size, (x, w, y), store);
}

/// `dx (+)= dy·W`: `dy [m × k]`, `w [k × n]`, `dx [m × n]`.
pub(crate) fn rows_by_columns(
    kernel: Kernel,
    size: Size,
    (dy, w, dx): (&[f32], &[f32], &mut [f32]),
    store: Store,
    room: &mut [f32],
) {
    let w = pack(kernel, Right { data: w, row: size.n, column: 1 }, (size.k, size.n), room);
    rows_by_panels(kernel, size, (dy, w, dx), store);
}

/// `dW (+)= dyᵀ·x`: `dy [k × m]`, `x [k × n]`, `dw [m × n]`.
///
/// The sums run over the tokens, so `x` is packed and used slab by slab while it is in cache.
pub(crate) fn columns_by_columns(
    kernel: Kernel,
    Size { m, n, k }: Size,
    (dy, x, dw): (&[f32], &[f32], &mut [f32]),
    store: Store,
    room: &mut [f32],
) {
    for k0 in (0..k).step_by(SLAB) {
        let depth = SLAB.min(k - k0);
        let slab = Right { data: &x[k0 * n..], row: n, column: 1 };
        let slab = pack(kernel, slab, (depth, n), room);
        let left = Left { data: &dy[k0 * m..], row: 1, column: m };
        let store = if k0 == 0 { store } else { Store::Add };
        by_blocks(kernel, Size { m, n, k: depth }, left, slab, (dw, n), store);
    }
}

/// Runs every block of rows of the result on its own.
fn by_blocks(
    kernel: Kernel,
    Size { m, n, k }: Size,
    a: Left<'_>,
    b: Panels<'_>,
    (c, row_c): (&mut [f32], usize),
    store: Store,
) {
    let block = block_rows(kernel, m);
    c[..m * row_c].par_chunks_mut(block * row_c).enumerate().for_each(|(i, c)| {
        let left = Left { data: &a.data[i * block * a.row..], ..a };
        kernel.multiply(Size { m: c.len() / row_c, n, k }, left, b, (c, row_c), store);
    });
}

/// Rows of a block of a result with `m` rows.
fn block_rows(kernel: Kernel, m: usize) -> usize {
    let tile = kernel.tile_rows();
    m.div_ceil(BLOCKS).next_multiple_of(tile).min(TILES * tile)
}

/// Packs the columns `first..first + width` of `rows` rows into one panel, zeros past column `n`.
pub(crate) fn pack_panel(
    b: Right<'_>,
    (first, n): (usize, usize),
    (rows, width): (usize, usize),
    panel: &mut [f32],
) {
    let columns = width.min(n - first);
    if columns < width {
        panel.fill(0.0);
    }
    if b.column == 1 {
        for (k, out) in panel.chunks_exact_mut(width).take(rows).enumerate() {
            let start = k * b.row + first;
            out[..columns].copy_from_slice(&b.data[start..start + columns]);
        }
    } else {
        // Columns lie far apart, rows close: go along 16 rows of every column at a time, so that
        // both sides stay within the cache lines they have touched.
        for k0 in (0..rows).step_by(16) {
            let high = 16.min(rows - k0);
            for j in 0..columns {
                let start = (first + j) * b.column + k0 * b.row;
                for (k, value) in b.data[start..].iter().step_by(b.row).take(high).enumerate() {
                    panel[(k0 + k) * width + j] = *value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that are exact in f32 and small enough that sums of a few hundred products stay so.
    fn fill(len: usize, salt: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7919 + salt * 104_729) % 31) as f32 - 15.0).collect()
    }

    fn plain(
        size: Size,
        a: impl Fn(usize, usize) -> f32,
        b: impl Fn(usize, usize) -> f32,
    ) -> Vec<f32> {
        let Size { m, n, k } = size;
        let cell = |i, j| (0..k).map(|l| a(i, l) * b(l, j)).sum();
        (0..m * n).map(|c| cell(c / n, c % n)).collect()
    }

    fn sizes() -> Vec<Size> {
        let mut sizes = Vec::new();
        for m in [1, 2, 5, 6, 7, 13, 14, 15, 29, 61] {
            for n in [1, 3, 15, 16, 17, 31, 32, 33, 65, 270] {
                for k in [1, 2, 31, 255, 300] {
                    sizes.push(Size { m, n, k });
                }
            }
        }
        sizes.push(Size { m: 3, n: 5, k: 2 * SLAB + 9 });
        sizes.push(Size { m: 700, n: 40, k: 3 });
        sizes
    }

    #[test]
    fn every_kernel_agrees_with_a_plain_loop_at_odd_sizes() {
        for kernel in Kernel::all() {
            for size @ Size { m, n, k } in sizes() {
                let mut pack = vec![f32::NAN; room(k, n)];
                let (a, b) = (fill(m * k, 1), fill(k * n, 2));
                let what = format!("{} {size:?}", kernel.name());

                let mut c = vec![f32::NAN; m * n];
                rows_by_rows(kernel, size, (&a, &b, &mut c), Store::Replace, &mut pack);
                assert_eq!(c, plain(size, |i, l| a[i * k + l], |l, j| b[j * k + l]), "{what}");

                rows_by_columns(kernel, size, (&a, &b, &mut c), Store::Replace, &mut pack);
                assert_eq!(c, plain(size, |i, l| a[i * k + l], |l, j| b[l * n + j]), "{what}");

                let mut c = fill(m * n, 3);
                columns_by_columns(kernel, size, (&a, &b, &mut c), Store::Add, &mut pack);
                let sum = plain(size, |i, l| a[l * m + i], |l, j| b[l * n + j]);
                let sum: Vec<f32> = sum.iter().zip(fill(m * n, 3)).map(|(s, c)| s + c).collect();
                assert_eq!(c, sum, "{what}");
            }
        }
    }
}

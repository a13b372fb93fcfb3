//! Large products, cut into blocks whose borders depend on the shape alone.
//!
//! Every value of a result is summed by one thread in one order, so that the number of threads
//! shows in the time only. A right factor is packed by all threads; then each block of rows runs on
//! its own.

use std::ops::Range;

use rayon::prelude::*;

use crate::aligned::Rest;
use crate::element::{Becomes, Element};
use crate::kernel::{
    Kernel, LANES, Left, Lines, PADDING, Panels, Right, Room, SPAN, Size, Store, apart,
    pack_columns, pack_rows, pack_tiles, packed_len,
};
use crate::parallel::{Scratch, Shared};

/// Rows of the right factor packed at once where the sums are long: a slab of 256 columns of bf16
/// takes 512 KiB and is still in cache when it is used.
const SLAB: usize = 1024;
/// Groups of rows that one task packs.
const CHUNK: usize = 32;
/// Blocks a result is cut into where it has the rows: enough to keep many threads busy to the end.
const BLOCKS: usize = 48;
/// The most register tiles of a block.
const TILES: usize = 8;
/// The most rows of a block, on any kernel.
const BLOCK_ROWS: usize = TILES * 14;

/// Room for a packed `k × n` right factor, on any kernel.
pub(crate) fn room(k: usize, n: usize) -> usize {
    n.next_multiple_of(PADDING) * (k + 3)
}

/// Room for the right factor of a [`Slab`], on any kernel.
pub(crate) fn slab_right(k: usize, n: usize) -> usize {
    room(k.min(SLAB), n)
}

/// Room for its left factor.
pub(crate) fn slab_left<E: Element>(kernel: Kernel, k: usize, m: usize) -> usize {
    m.div_ceil(E::tile_rows(kernel)) * apart::<E>(k.min(SLAB)) * LANES
}

/// Scratch a thread needs for products.
pub(crate) fn scratch_room() -> usize {
    Room::LEN + BLOCK_ROWS * SPAN
}

/// Packs a `k × n` right factor, to be used by any number of products.
#[expect(unsafe_code, reason = "tasks claim lines of one array")]
pub(crate) fn pack<'a, S: Becomes<E>, E: Element>(
    kernel: Kernel,
    b: Right<'_, S>,
    (k, n): (usize, usize),
    room: &'a mut [E],
) -> Panels<'a, E> {
    let width = E::panel(kernel, n);
    let data = &mut room[..packed_len::<E>(kernel, k, n)];
    match b {
        Right::Along { data: rows, row } => {
            let out = Shared::new(&mut *data);
            let line = (apart::<E>(k), width * E::GROUP);
            in_chunks(k.div_ceil(E::GROUP)).for_each(|groups| {
                // SAFETY: chunks do not overlap, and are all there is of this packing.
                let lines = unsafe { Lines::claim(&out, groups, line) };
                pack_rows(kernel, (rows, row), (k, n), width, lines);
            });
        }
        Right::Across { data: columns, column } => {
            let panel = apart::<E>(k) * E::GROUP * width;
            data.par_chunks_mut(panel).enumerate().for_each(|(p, panel)| {
                pack_columns(kernel, (columns, column), (k, n), (p * width, width), panel);
            });
        }
    }
    Panels { data, rows: k, columns: n, first: 0, column: 0 }
}

/// The same on this thread alone.
#[expect(unsafe_code, reason = "the same claim, for one task")]
pub(crate) fn pack_alone<'a, S: Becomes<E>, E: Element>(
    kernel: Kernel,
    b: Right<'_, S>,
    (k, n): (usize, usize),
    room: &'a mut [E],
) -> Panels<'a, E> {
    let width = E::panel(kernel, n);
    let data = &mut room[..packed_len::<E>(kernel, k, n)];
    match b {
        Right::Along { data: rows, row } => {
            let (out, line) = (Shared::new(&mut *data), (apart::<E>(k), width * E::GROUP));
            // SAFETY: all groups are claimed once.
            let lines = unsafe { Lines::claim(&out, 0..k.div_ceil(E::GROUP), line) };
            pack_rows(kernel, (rows, row), (k, n), width, lines);
        }
        Right::Across { data: columns, column } => {
            let panels = data.chunks_mut(apart::<E>(k) * E::GROUP * width);
            for (p, panel) in panels.enumerate() {
                pack_columns(kernel, (columns, column), (k, n), (p * width, width), panel);
            }
        }
    }
    Panels { data, rows: k, columns: n, first: 0, column: 0 }
}

/// `0..groups` in parts for one task each.
fn in_chunks(groups: usize) -> impl IndexedParallelIterator<Item = Range<usize>> {
    let parts = (0..groups.div_ceil(CHUNK)).into_par_iter();
    parts.map(move |part| part * CHUNK..groups.min((part + 1) * CHUNK))
}

/// `C (+)= A·B`: `C [m × n]`.
pub(crate) fn product<E: Element>(
    kernel: Kernel,
    Size { m, n, k }: Size,
    (a, b, c): (Left<'_, E>, Panels<'_, E>, &mut [f32]),
    store: Store,
    scratch: &Scratch,
) {
    let block = block_rows::<E>(kernel, m);
    c[..m * n].par_chunks_mut(block * n).enumerate().for_each(|(i, c)| {
        let size = Size { m: c.len() / n, n, k };
        scratch.with(|scratch| {
            let room = &mut Room::take(&mut Rest(scratch));
            kernel.multiply(size, a.below(i * block, E::tile_rows(kernel)), b, (c, n), store, room);
        });
    });
}

/// A finished part of a product: some columns of a block of rows.
pub(crate) struct Patch<'a> {
    /// First column.
    pub(crate) column: usize,
    /// Columns.
    pub(crate) width: usize,
    /// `[rows × width]`.
    pub(crate) values: &'a [f32],
}

impl Patch<'_> {
    /// Its rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// Its columns in the whole result.
    pub(crate) fn columns(&self) -> Range<usize> {
        self.column..self.column + self.width
    }
}

/// `A·B` handed to `finish` part by part while it is in cache.
///
/// - `outputs`: for each block of [`block_rows`] rows, what its parts are written to.
pub(crate) fn product_with<E: Element, O: Send>(
    kernel: Kernel,
    Size { m, n, k }: Size,
    (a, b): (Left<'_, E>, Panels<'_, E>),
    scratch: &Scratch,
    outputs: impl IndexedParallelIterator<Item = O>,
    finish: impl Fn(&mut O, Patch<'_>) + Sync,
) {
    let block = block_rows::<E>(kernel, m);
    outputs.enumerate().for_each(|(i, mut output)| {
        let rows = block.min(m - i * block);
        scratch.with(|scratch| {
            let mut rest = Rest(scratch);
            let room = &mut Room::take(&mut rest);
            let values = rest.0;
            for column in (0..n).step_by(SPAN) {
                let width = SPAN.min(n - column);
                let values = &mut values[..rows * width];
                let b = Panels { column: b.column + column, ..b };
                let size = Size { m: rows, n: width, k };
                let result = (&mut *values, width);
                kernel.multiply(
                    size,
                    a.below(i * block, E::tile_rows(kernel)),
                    b,
                    result,
                    Store::Replace,
                    room,
                );
                finish(&mut output, Patch { column, width, values });
            }
        });
    });
}

/// Room for both factors of a slab of [`columns_by_columns`].
pub(crate) struct Slab<'a, E> {
    pub(crate) left: &'a mut [u32],
    pub(crate) right: &'a mut [E],
}

/// `dW += dyᵀ·x`: `dy [k × m]`, `x [k × n]`, `dw [m × n]`.
///
/// The sums run over the tokens, so both factors are packed and used slab by slab while they are in
/// cache.
pub(crate) fn columns_by_columns<E: Element>(
    kernel: Kernel,
    Size { m, n, k }: Size,
    (dy, x, dw): (&[E], &[E], &mut [f32]),
    slab: &mut Slab<'_, E>,
    scratch: &Scratch,
) {
    for k0 in (0..k).step_by(SLAB) {
        let k = SLAB.min(k - k0);
        let right = Right::Along { data: &x[k0 * n..], row: n };
        let right = pack(kernel, right, (k, n), slab.right);
        let dy = &dy[k0 * m..(k0 + k) * m];
        let left = if E::packs_by_itself(kernel) {
            Left::Across { data: dy, column: m }
        } else {
            Left::Tiled { groups: pack_left(kernel, dy, (m, k), slab.left), k }
        };
        product(kernel, Size { m, n, k }, (left, right, &mut *dw), Store::Add, scratch);
    }
}

/// Packs `A[i, k] = data[k·m + i]`.
#[expect(unsafe_code, reason = "tasks claim lines of one array")]
fn pack_left<'a, E: Element>(
    kernel: Kernel,
    data: &[E],
    (m, k): (usize, usize),
    room: &'a mut [u32],
) -> &'a [u32] {
    let (rows, groups) = (E::tile_rows(kernel), k.div_ceil(E::GROUP));
    let tiles = &mut room[..m.div_ceil(rows) * apart::<E>(k) * LANES];
    let out = Shared::new(&mut *tiles);
    in_chunks(groups).for_each(|groups| {
        // SAFETY: chunks do not overlap, and are all there is of this packing.
        let lines = unsafe { Lines::claim(&out, groups, (apart::<E>(k), LANES)) };
        pack_tiles(kernel, data, (m, k), rows, lines);
    });
    tiles
}

/// Rows of a block of a result with `m` rows.
pub(crate) fn block_rows<E: Element>(kernel: Kernel, m: usize) -> usize {
    let tile = E::tile_rows(kernel);
    m.div_ceil(BLOCKS).next_multiple_of(tile).min(TILES * tile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;
    use crate::element::Bf16;

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
                for k in [1, 2, 31, 255, 600] {
                    sizes.push(Size { m, n, k });
                }
            }
        }
        sizes.push(Size { m: 3, n: 5, k: 2 * SLAB + 9 });
        sizes.push(Size { m: 700, n: 40, k: 3 });
        sizes
    }

    fn agrees_with_a_plain_loop<E: Element>(precision: Precision) {
        for kernel in Kernel::all(precision) {
            for size @ Size { m, n, k } in sizes() {
                let scratch = Scratch::new(rayon::current_num_threads(), scratch_room());
                let mut pack = vec![E::from(f32::NAN); room(k, n)];
                let (a, b) = (fill(m * k, 1), fill(k * n, 2));
                let factor = |values: &[f32]| values.iter().map(|&v| E::from(v)).collect();
                let (a_factor, b_factor): (Vec<E>, Vec<E>) = (factor(&a), factor(&b));
                let what = format!("{} {precision} {size:?}", kernel.name());

                let mut c = vec![f32::NAN; m * n];
                let left = Left::Along { data: &a_factor[..], row: k };
                let across = Right::Across { data: &b_factor[..], column: k };
                let across = super::pack(kernel, across, (k, n), &mut pack);
                product(kernel, size, (left, across, &mut c), Store::Replace, &scratch);
                assert_eq!(c, plain(size, |i, l| a[i * k + l], |l, j| b[j * k + l]), "{what}");

                // Weights are packed from fp32.
                let along = Right::Along { data: &b[..], row: n };
                let along = super::pack(kernel, along, (k, n), &mut pack);
                let mut c = vec![f32::NAN; m * n];
                let blocks = c.par_chunks_mut(block_rows::<E>(kernel, m) * n);
                product_with(kernel, size, (left, along), &scratch, blocks, |c, patch| {
                    for (c, values) in c.chunks_mut(n).zip(patch.rows()) {
                        c[patch.columns()].copy_from_slice(values);
                    }
                });
                assert_eq!(c, plain(size, |i, l| a[i * k + l], |l, j| b[l * n + j]), "{what}");

                let mut c = fill(m * n, 3);
                let factors = (&a_factor[..], &b_factor[..], &mut c[..]);
                let mut left = vec![u32::MAX; slab_left::<E>(kernel, k, m)];
                let mut slab = Slab { left: &mut left, right: &mut pack };
                columns_by_columns(kernel, size, factors, &mut slab, &scratch);
                let sum = plain(size, |i, l| a[l * m + i], |l, j| b[l * n + j]);
                let sum: Vec<f32> = sum.iter().zip(fill(m * n, 3)).map(|(s, c)| s + c).collect();
                assert_eq!(c, sum, "{what}");
            }
        }
    }

    #[test]
    fn every_kernel_agrees_with_a_plain_loop_at_odd_sizes() {
        agrees_with_a_plain_loop::<f32>(Precision::Fp32);
        agrees_with_a_plain_loop::<Bf16>(Precision::Bf16);
    }

    #[test]
    fn grouped_columns_are_multiplied_like_any() {
        let size = Size { m: 15, n: 33, k: 7 };
        let (a, b) = (fill(15 * 7, 1), fill(7 * 33, 2));
        let expected = plain(size, |i, l| a[l * 15 + i], |l, j| b[l * 33 + j]);
        let mut grouped = vec![Bf16::default(); 15 * 8];
        for (pair, out) in grouped.chunks_exact_mut(30).enumerate() {
            let second = a.get((2 * pair + 1) * 15..).filter(|rest| !rest.is_empty());
            Bf16::interleave(&a[2 * pair * 15..][..15], second, out);
        }
        let scratch = Scratch::new(rayon::current_num_threads(), scratch_room());
        for kernel in Kernel::all(Precision::Bf16) {
            let mut room = vec![Bf16::from(f32::NAN); room(7, 33)];
            let right = Right::Along { data: &b[..], row: 33 };
            let right = super::pack(kernel, right, (7, 33), &mut room);
            let mut c = vec![f32::NAN; 15 * 33];
            let left = Left::Grouped { data: &grouped[..], column: 15 };
            product(kernel, size, (left, right, &mut c), Store::Replace, &scratch);
            assert_eq!(c, expected, "{}", kernel.name());
        }
    }
}

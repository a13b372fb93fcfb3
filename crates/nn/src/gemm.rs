//! Large products, cut into blocks. The borders of the blocks depend on the shape alone.
//!
//! Every value of a result is summed by one thread in one order, so the bits do not depend on the
//! number of threads. All threads pack the right factor; then each block of rows is one task.

use std::ops::Range;

use rayon::prelude::*;

use crate::aligned::Rest;
use crate::element::{Becomes, Element};
use crate::kernel::{
    GatherBuffer, InstructionSet, LANES, Left, PADDING, PackedRight, Right, SPAN, Size, Store,
    TaskGroups, apart, pack_columns, pack_rows, pack_tiles, packed_len,
};
use crate::parallel::{Scratch, Shared};

/// Terms of the sums that are packed at a time: 256 columns of bf16 then take 512 KiB and are still
/// in cache when they are used.
const K_BLOCK: usize = 1024;
/// Groups of rows per packing task.
const CHUNK: usize = 32;
/// Blocks of rows per result, if it has enough rows: many, so that all threads stay busy.
const BLOCKS: usize = 48;
/// The most register tiles of a block.
const TILES: usize = 8;
/// The most rows of a block, on any instruction set.
const BLOCK_ROWS: usize = TILES * 14;

/// Values of a packed `k × n` right factor, at most, on any instruction set.
pub(crate) fn packed_len_max(k: usize, n: usize) -> usize {
    n.next_multiple_of(PADDING) * (k + 3)
}

/// Length of [`PackBuffers::right`] for factors of `k` terms, on any instruction set.
pub(crate) fn right_buffer_len(k: usize, n: usize) -> usize {
    packed_len_max(k.min(K_BLOCK), n)
}

/// Length of [`PackBuffers::left`].
pub(crate) fn left_buffer_len<E: Element>(isa: InstructionSet, k: usize, m: usize) -> usize {
    m.div_ceil(E::tile_rows(isa)) * apart::<E>(k.min(K_BLOCK)) * LANES
}

/// Values of scratch that a thread needs for products.
pub(crate) fn scratch_len() -> usize {
    GatherBuffer::LEN + BLOCK_ROWS * SPAN
}

/// Packs a `k × n` right factor, for any number of products.
#[expect(unsafe_code, reason = "tasks claim groups of one array")]
pub(crate) fn pack<'a, S: Becomes<E>, E: Element>(
    isa: InstructionSet,
    b: Right<'_, S>,
    (k, n): (usize, usize),
    buffer: &'a mut [E],
) -> PackedRight<'a, E> {
    let width = E::block_columns(isa, n);
    let data = &mut buffer[..packed_len::<E>(isa, k, n)];
    match b {
        Right::Along { data: rows, row } => {
            let out = Shared::new(&mut *data);
            let layout = (apart::<E>(k), width * E::GROUP);
            in_chunks(k.div_ceil(E::GROUP)).for_each(|groups| {
                // SAFETY: chunks do not overlap, and are all there is of this packing.
                let groups = unsafe { TaskGroups::claim(&out, groups, layout) };
                pack_rows(isa, (rows, row), (k, n), width, groups);
            });
        }
        Right::Across { data: columns, column } => {
            let block_len = apart::<E>(k) * E::GROUP * width;
            data.par_chunks_mut(block_len).enumerate().for_each(|(p, block)| {
                pack_columns(isa, (columns, column), (k, n), (p * width, width), block);
            });
        }
    }
    PackedRight { data, rows: k, columns: n, first: 0, column: 0 }
}

/// [`pack`] on the current thread alone.
#[expect(unsafe_code, reason = "the same claim, for one task")]
pub(crate) fn pack_alone<'a, S: Becomes<E>, E: Element>(
    isa: InstructionSet,
    b: Right<'_, S>,
    (k, n): (usize, usize),
    buffer: &'a mut [E],
) -> PackedRight<'a, E> {
    let width = E::block_columns(isa, n);
    let data = &mut buffer[..packed_len::<E>(isa, k, n)];
    match b {
        Right::Along { data: rows, row } => {
            let (out, layout) = (Shared::new(&mut *data), (apart::<E>(k), width * E::GROUP));
            // SAFETY: all groups are claimed once.
            let groups = unsafe { TaskGroups::claim(&out, 0..k.div_ceil(E::GROUP), layout) };
            pack_rows(isa, (rows, row), (k, n), width, groups);
        }
        Right::Across { data: columns, column } => {
            let blocks = data.chunks_mut(apart::<E>(k) * E::GROUP * width);
            for (p, block) in blocks.enumerate() {
                pack_columns(isa, (columns, column), (k, n), (p * width, width), block);
            }
        }
    }
    PackedRight { data, rows: k, columns: n, first: 0, column: 0 }
}

/// `0..groups` cut into one range per task.
fn in_chunks(groups: usize) -> impl IndexedParallelIterator<Item = Range<usize>> {
    let parts = (0..groups.div_ceil(CHUNK)).into_par_iter();
    parts.map(move |part| part * CHUNK..groups.min((part + 1) * CHUNK))
}

/// `C (+)= A·B`: `C [m × n]`.
pub(crate) fn product<E: Element>(
    isa: InstructionSet,
    Size { m, n, k }: Size,
    (a, b, c): (Left<'_, E>, PackedRight<'_, E>, &mut [f32]),
    store: Store,
    scratch: &Scratch,
) {
    let block = block_rows::<E>(isa, m);
    c[..m * n].par_chunks_mut(block * n).enumerate().for_each(|(i, c)| {
        let size = Size { m: c.len() / n, n, k };
        scratch.with(|scratch| {
            let gather = &mut GatherBuffer::take(&mut Rest(scratch));
            isa.multiply(size, a.below(i * block, E::tile_rows(isa)), b, (c, n), store, gather);
        });
    });
}

/// A finished tile of a product: some columns of a block of rows.
pub(crate) struct OutputTile<'a> {
    /// Its first column in the result.
    pub(crate) column: usize,
    pub(crate) width: usize,
    /// `[rows × width]`.
    pub(crate) values: &'a [f32],
}

impl OutputTile<'_> {
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// The range of its columns in the result.
    pub(crate) fn columns(&self) -> Range<usize> {
        self.column..self.column + self.width
    }
}

/// Computes `A·B` and passes it to `finish` tile by tile, while the tile is in cache.
///
/// - `outputs`: for each block of [`block_rows`] rows, the output of its tiles.
pub(crate) fn product_with<E: Element, O: Send>(
    isa: InstructionSet,
    Size { m, n, k }: Size,
    (a, b): (Left<'_, E>, PackedRight<'_, E>),
    scratch: &Scratch,
    outputs: impl IndexedParallelIterator<Item = O>,
    finish: impl Fn(&mut O, OutputTile<'_>) + Sync,
) {
    let block = block_rows::<E>(isa, m);
    outputs.enumerate().for_each(|(i, mut output)| {
        let rows = block.min(m - i * block);
        scratch.with(|scratch| {
            let mut rest = Rest(scratch);
            let gather = &mut GatherBuffer::take(&mut rest);
            let values = rest.0;
            for column in (0..n).step_by(SPAN) {
                let width = SPAN.min(n - column);
                let values = &mut values[..rows * width];
                let b = PackedRight { column: b.column + column, ..b };
                let size = Size { m: rows, n: width, k };
                let result = (&mut *values, width);
                isa.multiply(
                    size,
                    a.below(i * block, E::tile_rows(isa)),
                    b,
                    result,
                    Store::Replace,
                    gather,
                );
                finish(&mut output, OutputTile { column, width, values });
            }
        });
    });
}

/// Pack buffers for both factors of [`columns_by_columns`].
pub(crate) struct PackBuffers<'a, E> {
    pub(crate) left: &'a mut [u32],
    pub(crate) right: &'a mut [E],
}

/// `dW += dyᵀ·x`: `dy [k × m]`, `x [k × n]`, `dw [m × n]`.
///
/// The sums run over the tokens. Both factors are packed and used in blocks of [`K_BLOCK`] tokens,
/// while they are in cache.
pub(crate) fn columns_by_columns<E: Element>(
    isa: InstructionSet,
    Size { m, n, k }: Size,
    (dy, x, dw): (&[E], &[E], &mut [f32]),
    buffers: &mut PackBuffers<'_, E>,
    scratch: &Scratch,
) {
    for k0 in (0..k).step_by(K_BLOCK) {
        let k = K_BLOCK.min(k - k0);
        let right = Right::Along { data: &x[k0 * n..], row: n };
        let right = pack(isa, right, (k, n), buffers.right);
        let dy = &dy[k0 * m..(k0 + k) * m];
        let left = if E::packs_by_itself(isa) {
            Left::Across { data: dy, column: m }
        } else {
            Left::Tiled { groups: pack_left(isa, dy, (m, k), buffers.left), k }
        };
        product(isa, Size { m, n, k }, (left, right, &mut *dw), Store::Add, scratch);
    }
}

/// Packs `A[i, k] = data[k·m + i]`.
#[expect(unsafe_code, reason = "tasks claim groups of one array")]
fn pack_left<'a, E: Element>(
    isa: InstructionSet,
    data: &[E],
    (m, k): (usize, usize),
    buffer: &'a mut [u32],
) -> &'a [u32] {
    let (rows, groups) = (E::tile_rows(isa), k.div_ceil(E::GROUP));
    let tiles = &mut buffer[..m.div_ceil(rows) * apart::<E>(k) * LANES];
    let out = Shared::new(&mut *tiles);
    in_chunks(groups).for_each(|groups| {
        // SAFETY: chunks do not overlap, and are all there is of this packing.
        let groups = unsafe { TaskGroups::claim(&out, groups, (apart::<E>(k), LANES)) };
        pack_tiles(isa, data, (m, k), rows, groups);
    });
    tiles
}

/// Rows of a block of a result with `m` rows.
pub(crate) fn block_rows<E: Element>(isa: InstructionSet, m: usize) -> usize {
    let tile = E::tile_rows(isa);
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
        sizes.push(Size { m: 3, n: 5, k: 2 * K_BLOCK + 9 });
        sizes.push(Size { m: 700, n: 40, k: 3 });
        sizes
    }

    fn agrees_with_a_plain_loop<E: Element>(precision: Precision) {
        for isa in InstructionSet::all(precision) {
            for size @ Size { m, n, k } in sizes() {
                let scratch = Scratch::new(rayon::current_num_threads(), scratch_len());
                let mut pack = vec![E::from(f32::NAN); packed_len_max(k, n)];
                let (a, b) = (fill(m * k, 1), fill(k * n, 2));
                let factor = |values: &[f32]| values.iter().map(|&v| E::from(v)).collect();
                let (a_factor, b_factor): (Vec<E>, Vec<E>) = (factor(&a), factor(&b));
                let what = format!("{} {precision} {size:?}", isa.name());

                let mut c = vec![f32::NAN; m * n];
                let left = Left::Along { data: &a_factor[..], row: k };
                let across = Right::Across { data: &b_factor[..], column: k };
                let across = super::pack(isa, across, (k, n), &mut pack);
                product(isa, size, (left, across, &mut c), Store::Replace, &scratch);
                assert_eq!(c, plain(size, |i, l| a[i * k + l], |l, j| b[j * k + l]), "{what}");

                // Weights are packed from fp32.
                let along = Right::Along { data: &b[..], row: n };
                let along = super::pack(isa, along, (k, n), &mut pack);
                let mut c = vec![f32::NAN; m * n];
                let blocks = c.par_chunks_mut(block_rows::<E>(isa, m) * n);
                product_with(isa, size, (left, along), &scratch, blocks, |c, tile| {
                    for (c, values) in c.chunks_mut(n).zip(tile.rows()) {
                        c[tile.columns()].copy_from_slice(values);
                    }
                });
                assert_eq!(c, plain(size, |i, l| a[i * k + l], |l, j| b[l * n + j]), "{what}");

                let mut c = fill(m * n, 3);
                let factors = (&a_factor[..], &b_factor[..], &mut c[..]);
                let mut left = vec![u32::MAX; left_buffer_len::<E>(isa, k, m)];
                let mut buffers = PackBuffers { left: &mut left, right: &mut pack };
                columns_by_columns(isa, size, factors, &mut buffers, &scratch);
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
        let scratch = Scratch::new(rayon::current_num_threads(), scratch_len());
        for isa in InstructionSet::all(Precision::Bf16) {
            let mut buffer = vec![Bf16::from(f32::NAN); packed_len_max(7, 33)];
            let right = Right::Along { data: &b[..], row: 33 };
            let right = super::pack(isa, right, (7, 33), &mut buffer);
            let mut c = vec![f32::NAN; 15 * 33];
            let left = Left::Grouped { data: &grouped[..], column: 15 };
            product(isa, size, (left, right, &mut c), Store::Replace, &scratch);
            assert_eq!(c, expected, "{}", isa.name());
        }
    }
}

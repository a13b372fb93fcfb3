//! The inner loops (kernels), one version for each instruction set.
//!
//! A [`InstructionSet`] multiplies a small block of rows by packed columns and runs elementwise
//! loops with the machine's widest vectors. It knows no model, starts no thread and allocates
//! nothing; `gemm` cuts large products into blocks. All `unsafe` of products lives below this
//! module, behind slices whose lengths are checked here.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod factors;
mod packing;
pub(crate) mod plain;
pub(crate) mod portable;
mod versions;

use crate::Precision;
use crate::element::Element;

pub(crate) use factors::{GatherBuffer, LANES, Left, PackedRight, Part, apart, packed_len};
pub(crate) use packing::{Right, TaskGroups, pack_columns, pack_rows, pack_tiles};
pub(crate) use versions::versions;

/// Bytes of A that each row of a register tile brings to one pass: 14 rows stay in half of an L1
/// cache of 32 KiB.
const DEPTH_BYTES: usize = 1024;
/// Columns whose packed rows of one pass stay in the L2 cache (256 KiB).
pub(crate) const SPAN: usize = 256;
/// Packed columns are padded to a multiple of this, the widest column block.
pub(crate) const PADDING: usize = 32;

/// The instruction set that the inner loops use.
///
/// # Guarantees
///
/// With one instruction set the bits are the same for any number of threads; two instruction sets
/// round differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    /// 14 × 32 register tiles of AVX-512 with products of bf16.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    /// 14 × 32 register tiles of AVX-512, 12 × 32 in bf16.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 6 × 16 register tiles of AVX2 with fused multiply-add, 4 × 16 in bf16.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// `matrixmultiply` and what the compiler makes of plain loops.
    Portable,
}

/// Rows, columns and depth of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) m: usize,
    pub(crate) n: usize,
    /// Terms of each sum.
    pub(crate) k: usize,
}

/// Whether a product replaces what the result held or is added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// `C = A·B`.
    Replace,
    /// `C += A·B`.
    Add,
}

impl InstructionSet {
    /// The fastest instruction set of this machine in a precision.
    pub(crate) fn best(precision: Precision) -> Self {
        Self::all(precision)[0]
    }

    /// Every instruction set of this machine in a precision, fastest first.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(unused_variables, reason = "there is one instruction set")
    )]
    pub(crate) fn all(precision: Precision) -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let fused = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            let brain = is_x86_feature_detected!("avx512bf16");
            if fused && wide && brain && precision == Precision::Bf16 {
                sets.push(Self::Avx512Bf16);
            }
            if fused && wide {
                sets.push(Self::Avx512);
            }
            if fused {
                sets.push(Self::Avx2);
            }
        }
        sets.push(Self::Portable);
        sets
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => "avx512bf16",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// One block: `C (+)= A·B`, `C[i, j] = c[i·row_c + j]`.
    ///
    /// # Panics
    ///
    /// If a slice is too short for the size.
    pub(crate) fn multiply<E: Element>(
        self,
        size: Size,
        a: Left<'_, E>,
        b: PackedRight<'_, E>,
        (c, row_c): (&mut [f32], usize),
        store: Store,
        gather: &mut GatherBuffer<'_>,
    ) {
        let Size { m, n, k } = size;
        if m == 0 || n == 0 || k == 0 {
            return;
        }
        a.check(m, k);
        assert!(n <= row_c && c.len() >= (m - 1) * row_c + n, "result too short");
        assert!(b.column + n <= b.columns && b.first + k <= b.rows, "right factor too small");
        assert!(b.first.is_multiple_of(E::GROUP), "a group is cut");
        assert!(b.data.len() >= packed_len::<E>(self, b.rows, b.columns), "right factor too short");
        E::multiply(self, size, (a, b), (c, row_c), store, gather);
    }
}

versions! {
    /// Cuts a block into register tiles. The lengths have been checked.
    pub(crate) fn tiles<E: Element>(
        size: Size, factors: (Left<'_, E>, PackedRight<'_, E>), result: (&mut [f32], usize),
        how: (Store, &mut GatherBuffer<'_>), isa_and_tile: (InstructionSet, (usize, usize)),
    ) = tiles_body;
}

#[inline(always)]
fn tiles_body<E: Element>(
    Size { m, n, k }: Size,
    (a, b): (Left<'_, E>, PackedRight<'_, E>),
    (c, row_c): (&mut [f32], usize),
    (store, gather): (Store, &mut GatherBuffer<'_>),
    (isa, (rows, width)): (InstructionSet, (usize, usize)),
) {
    let pass = DEPTH_BYTES / size_of::<E>();
    for k0 in (0..k).step_by(pass) {
        let deep = pass.min(k - k0);
        let groups = deep.div_ceil(E::GROUP);
        let replace = k0 == 0 && store == Store::Replace;
        for span in (0..n).step_by(SPAN) {
            for i in (0..m).step_by(rows) {
                let high = rows.min(m - i);
                let part = match a {
                    Left::Along { data, row } => gather.along((data, row), (i, high), (k0, deep)),
                    Left::Grouped { data, column } => {
                        let start = (k0 / E::GROUP * column + i) * E::GROUP;
                        Part { data: &data[start..], row: 1, step: column }
                    }
                    Left::Tiled { groups: all, k } => {
                        let start = (i / rows * apart::<E>(k) + k0 / E::GROUP) * LANES;
                        let data = bytemuck::cast_slice(&all[start..][..groups * LANES]);
                        Part { data, row: 1, step: LANES }
                    }
                    Left::Across { .. } => unreachable!("tiled before it comes here"),
                };
                for j in (span..n.min(span + SPAN)).step_by(width) {
                    let start =
                        (b.column + j) * apart::<E>(b.rows) * E::GROUP + (b.first + k0) * width;
                    let tile = Tile {
                        rows: high,
                        columns: width.min(n - j),
                        depth: groups,
                        a: part,
                        b: &b.data[start..][..groups * width * E::GROUP],
                        c: &mut c[i * row_c + j..],
                        row_c,
                        replace,
                    };
                    E::tile(isa, tile);
                }
            }
        }
    }
}

/// One register tile: `rows × columns` values of the result, summed over `depth` groups.
pub(crate) struct Tile<'a, E> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) depth: usize,
    pub(crate) a: Part<'a, E>,
    /// The groups of a column block: all columns of one group, then of the next.
    pub(crate) b: &'a [E],
    pub(crate) c: &'a mut [f32],
    pub(crate) row_c: usize,
    pub(crate) replace: bool,
}

impl<E: Element> Tile<'_, E> {
    /// The bounds every tile relies on when it leaves slices for pointers.
    pub(crate) fn check(&self, width: usize) {
        let Self { rows, columns, depth, a, b, c, row_c, .. } = self;
        assert!(*rows > 0 && *depth > 0 && (1..=width).contains(columns));
        assert!(a.data.len() >= ((rows - 1) * a.row + (depth - 1) * a.step + 1) * E::GROUP);
        assert!(b.len() >= depth * width * E::GROUP);
        assert!(c.len() >= (rows - 1) * row_c + columns);
    }
}

//! The register tiles of AVX-512, 32 columns wide: up to 28 sums, two vectors of B, one value of A
//! broadcast.
//!
//! All read groups of four bytes: one fp32, or two bf16. `vdpbf16ps` multiplies and adds both at
//! once, taking denormals as zero; without it, the halves are widened and multiplied one by one.
#![expect(unsafe_code, reason = "vector loads and stores through pointers")]

use std::arch::x86_64::{
    __m512, __m512bh, __mmask16, _mm512_add_ps, _mm512_and_si512, _mm512_castps_si512,
    _mm512_castsi512_ps, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_slli_epi32,
    _mm512_storeu_ps,
};
use std::mem::transmute;

use super::Tile;
use crate::element::Bf16;

/// Columns of a tile.
const WIDTH: usize = 32;

/// Declares the tile of one element.
///
/// - `$parts`: what a vector of groups is multiplied as;
/// - `$step`: `sum + a·b` for two such parts.
macro_rules! tiles {
    (
        $element:ty, $entry:ident, $sums:ident, $features:literal, $parts:expr, $step:expr,
        [$($rows:literal)*]
    ) => {
        /// Computes one tile.
        pub(crate) fn $entry(tile: Tile<'_, $element>) {
            tile.check(WIDTH);
            match tile.rows {
                // SAFETY: `check` has compared every length with what the tile reads and writes,
                // and this tile is used only where its instructions are present.
                $($rows => unsafe { $sums::<$rows>(tile) },)*
                rows => unreachable!("a tile of {rows} rows"),
            }
        }

        /// `ROWS` rows of sums.
        ///
        /// # Safety
        ///
        /// `tile.check(WIDTH)` must have passed with `ROWS` rows.
        #[target_feature(enable = $features)]
        unsafe fn $sums<const ROWS: usize>(tile: Tile<'_, $element>) {
            let Tile { columns, depth, a, b, c, row_c, replace, .. } = tile;
            let mut sums: [[__m512; 2]; ROWS] = [[_mm512_setzero_ps(); 2]; ROWS];
            // A group has four bytes, and is moved as an f32 whatever it holds.
            let left: &[[u8; 4]] = bytemuck::cast_slice(a.data);
            let right: &[[u8; 4]] = bytemuck::cast_slice(b);
            let (mut left, mut right) = (left.as_ptr(), right.as_ptr());
            for _ in 0..depth {
                // SAFETY: `right` stays below `b + depth·32` groups, `left` below the last of A.
                unsafe {
                    let b0 = $parts(right.cast::<__m512>().read_unaligned());
                    let b1 = $parts(right.add(16).cast::<__m512>().read_unaligned());
                    for (i, sum) in sums.iter_mut().enumerate() {
                        let group = left.add(i * a.row).cast::<f32>().read_unaligned();
                        let parts = $parts(_mm512_set1_ps(group));
                        for (part, value) in parts.into_iter().enumerate() {
                            sum[0] = $step(sum[0], value, b0[part]);
                            sum[1] = $step(sum[1], value, b1[part]);
                        }
                    }
                    right = right.add(WIDTH);
                    left = left.wrapping_add(a.step);
                }
            }
            let masks = [mask(columns), mask(columns.saturating_sub(16))];
            for (i, sum) in sums.iter().enumerate() {
                // SAFETY: row `i` holds `columns` values from here; the masks let no other be
                // touched.
                let out = unsafe { c.as_mut_ptr().add(i * row_c) };
                for (half, sum) in sum.iter().enumerate() {
                    let out = out.wrapping_add(16 * half);
                    // SAFETY: as above.
                    unsafe {
                        if masks[half] == __mmask16::MAX {
                            let old =
                                if replace { _mm512_setzero_ps() } else { _mm512_loadu_ps(out) };
                            _mm512_storeu_ps(out, _mm512_add_ps(old, *sum));
                        } else {
                            let old = if replace {
                                _mm512_setzero_ps()
                            } else {
                                _mm512_maskz_loadu_ps(masks[half], out)
                            };
                            _mm512_mask_storeu_ps(out, masks[half], _mm512_add_ps(old, *sum));
                        }
                    }
                }
            }
        }
    };
}

tiles!(
    f32, tile_f32, sums_f32, "avx512f",
    |group| [group],
    |sum, a, b| _mm512_fmadd_ps(a, b, sum),
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
);
tiles!(
    Bf16, tile_bf16, sums_bf16, "avx512f,avx512bf16",
    |group| [transmute::<__m512, __m512bh>(group)],
    |sum, a, b| _mm512_dpbf16_ps(sum, a, b),
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
);
// Two rows fewer: B takes four registers.
tiles!(
    Bf16, tile_bf16_widened, sums_bf16_widened, "avx512f",
    |group| {
        let bits = _mm512_castps_si512(group);
        let upper = _mm512_and_si512(bits, _mm512_set1_epi32(!0xffff));
        [_mm512_slli_epi32::<16>(bits), upper].map(|part| _mm512_castsi512_ps(part))
    },
    |sum, a, b| _mm512_fmadd_ps(a, b, sum),
    [1 2 3 4 5 6 7 8 9 10 11 12]
);

/// The first `columns` lanes, at most 16.
fn mask(columns: usize) -> __mmask16 {
    if columns >= 16 { __mmask16::MAX } else { (1 << columns) - 1 }
}

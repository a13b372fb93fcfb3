//! The register tiles of AVX2 with fused multiply-add, 16 columns wide: up to 12 sums, two vectors
//! of B, one value of A broadcast.
//!
//! Both read groups of four bytes: one fp32, or two bf16 that are widened and multiplied one by
//! one.
#![expect(unsafe_code, reason = "vector loads and stores through pointers")]

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_and_si256, _mm256_castps_si256, _mm256_castsi256_ps,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_slli_epi32, _mm256_storeu_ps,
};

use super::Tile;
use crate::element::Bf16;

/// Columns of a tile.
const WIDTH: usize = 16;

/// Declares the tile of one element; `$parts` is what a vector of groups is multiplied as.
macro_rules! tiles {
    ($element:ty, $entry:ident, $sums:ident, $parts:expr, [$($rows:literal)*]) => {
        /// Computes one tile.
        pub(crate) fn $entry(tile: Tile<'_, $element>) {
            tile.check(WIDTH);
            match tile.rows {
                // SAFETY: `check` has compared every length with what the tile reads and writes,
                // and this tile is used only where AVX2 and FMA are present.
                $($rows => unsafe { $sums::<$rows>(tile) },)*
                rows => unreachable!("a tile of {rows} rows"),
            }
        }

        /// `ROWS` rows of sums.
        ///
        /// # Safety
        ///
        /// `tile.check(WIDTH)` must have passed with `ROWS` rows.
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $sums<const ROWS: usize>(tile: Tile<'_, $element>) {
            let Tile { columns, depth, a, b, c, row_c, replace, .. } = tile;
            let mut sums: [[__m256; 2]; ROWS] = [[_mm256_setzero_ps(); 2]; ROWS];
            // A group has four bytes, and is moved as an f32 whatever it holds.
            let left: &[[u8; 4]] = bytemuck::cast_slice(a.data);
            let right: &[[u8; 4]] = bytemuck::cast_slice(b);
            let (mut left, mut right) = (left.as_ptr(), right.as_ptr());
            for _ in 0..depth {
                // SAFETY: `right` stays below `b + depth·16` groups, `left` below the last of A.
                unsafe {
                    let b0 = $parts(right.cast::<__m256>().read_unaligned());
                    let b1 = $parts(right.add(8).cast::<__m256>().read_unaligned());
                    for (i, sum) in sums.iter_mut().enumerate() {
                        let group = left.add(i * a.row).cast::<f32>().read_unaligned();
                        let parts = $parts(_mm256_set1_ps(group));
                        for (part, value) in parts.into_iter().enumerate() {
                            sum[0] = _mm256_fmadd_ps(value, b0[part], sum[0]);
                            sum[1] = _mm256_fmadd_ps(value, b1[part], sum[1]);
                        }
                    }
                    right = right.add(WIDTH);
                    left = left.wrapping_add(a.step);
                }
            }
            for (i, sum) in sums.iter().enumerate() {
                let row = &mut c[i * row_c..i * row_c + columns];
                // A part of a row passes through a whole one, which no lane can overrun.
                let mut whole = [0.0; WIDTH];
                if !replace {
                    whole[..columns].copy_from_slice(row);
                }
                let [old0, old1] = [0, 8].map(|lane| {
                    // SAFETY: `whole` has 16 values.
                    unsafe { _mm256_loadu_ps(whole.as_ptr().add(lane)) }
                });
                // SAFETY: `whole` has 16 values.
                unsafe {
                    _mm256_storeu_ps(whole.as_mut_ptr(), _mm256_add_ps(old0, sum[0]));
                    _mm256_storeu_ps(whole.as_mut_ptr().add(8), _mm256_add_ps(old1, sum[1]));
                }
                row.copy_from_slice(&whole[..columns]);
            }
        }
    };
}

tiles!(f32, tile_f32, sums_f32, |group| [group], [1 2 3 4 5 6]);
// Two rows fewer: B takes four registers.
tiles!(
    Bf16, tile_bf16, sums_bf16,
    |group| {
        let bits = _mm256_castps_si256(group);
        let upper = _mm256_and_si256(bits, _mm256_set1_epi32(!0xffff));
        [_mm256_slli_epi32::<16>(bits), upper].map(|part| _mm256_castsi256_ps(part))
    },
    [1 2 3 4]
);

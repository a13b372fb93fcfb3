//! The 6 × 16 tile of AVX2 with fused multiply-add: 12 sums, two rows of B, one value of A.
#![expect(unsafe_code, reason = "vector loads and stores through pointers")]

use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_storeu_ps,
};

use super::Tile;

/// Columns of a tile.
const WIDTH: usize = 16;

/// Computes one tile.
pub(crate) fn tile(tile: Tile<'_, f32>) {
    tile.check(WIDTH);
    macro_rules! by_rows {
        ($($rows:literal)*) => {
            match tile.rows {
                // SAFETY: `check` has compared every length with what the tile reads and writes,
                // and this kernel is chosen only where AVX2 and FMA are.
                $($rows => unsafe { sums::<$rows>(tile) },)*
                rows => unreachable!("a tile of {rows} rows"),
            }
        };
    }
    by_rows!(1 2 3 4 5 6);
}

/// `ROWS` rows of sums.
///
/// # Safety
///
/// `tile.check(WIDTH)` must have passed with `ROWS` rows.
#[target_feature(enable = "avx2,fma")]
unsafe fn sums<const ROWS: usize>(tile: Tile<'_, f32>) {
    let Tile { columns, depth, a, b, c, row_c, replace, .. } = tile;
    let mut sums: [[__m256; 2]; ROWS] = [[_mm256_setzero_ps(); 2]; ROWS];
    let (mut left, mut right) = (a.data.as_ptr(), b.as_ptr());
    for _ in 0..depth {
        // SAFETY: `right` stays below `b + depth·16`, `left` below the last value of A.
        unsafe {
            let b0 = _mm256_loadu_ps(right);
            let b1 = _mm256_loadu_ps(right.add(8));
            for (i, sum) in sums.iter_mut().enumerate() {
                let value = _mm256_set1_ps(*left.add(i * a.row));
                sum[0] = _mm256_fmadd_ps(value, b0, sum[0]);
                sum[1] = _mm256_fmadd_ps(value, b1, sum[1]);
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

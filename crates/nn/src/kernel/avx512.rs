//! The 14 × 32 register tile of AVX-512: 28 sums, two rows of B, one value of A broadcast.
#![expect(unsafe_code, reason = "vector loads and stores through pointers")]

use std::arch::x86_64::{
    __m512, __mmask16, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::Tile;

/// Columns of a tile.
const WIDTH: usize = 32;

/// Computes one tile.
pub(super) fn tile(tile: Tile<'_>) {
    tile.check(WIDTH);
    macro_rules! by_rows {
        ($($rows:literal)*) => {
            match tile.rows {
                // SAFETY: `check` has compared every length with what the tile reads and writes,
                // and this kernel is chosen only where AVX-512 is.
                $($rows => unsafe { sums::<$rows>(tile) },)*
                rows => unreachable!("a tile of {rows} rows"),
            }
        };
    }
    by_rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
}

/// `ROWS` rows of sums.
///
/// # Safety
///
/// `tile.check(WIDTH)` must have passed with `ROWS` rows.
#[target_feature(enable = "avx512f")]
unsafe fn sums<const ROWS: usize>(tile: Tile<'_>) {
    let Tile { columns, depth, a, b, c, row_c, replace, .. } = tile;
    let mut sums: [[__m512; 2]; ROWS] = [[_mm512_setzero_ps(); 2]; ROWS];
    let (mut left, mut right) = (a.data.as_ptr(), b.as_ptr());
    for _ in 0..depth {
        // SAFETY: `right` stays below `b + depth·32`, `left` below the last value of A.
        unsafe {
            let b0 = _mm512_loadu_ps(right);
            let b1 = _mm512_loadu_ps(right.add(16));
            for (i, sum) in sums.iter_mut().enumerate() {
                let value = _mm512_set1_ps(*left.add(i * a.row));
                sum[0] = _mm512_fmadd_ps(value, b0, sum[0]);
                sum[1] = _mm512_fmadd_ps(value, b1, sum[1]);
            }
            right = right.add(WIDTH);
            left = left.wrapping_add(a.column);
        }
    }
    let masks = [mask(columns), mask(columns.saturating_sub(16))];
    for (i, sum) in sums.iter().enumerate() {
        // SAFETY: row `i` holds `columns` values from here; the masks let no other be touched.
        let out = unsafe { c.as_mut_ptr().add(i * row_c) };
        for (half, sum) in sum.iter().enumerate() {
            let out = out.wrapping_add(16 * half);
            // SAFETY: as above.
            unsafe {
                if masks[half] == __mmask16::MAX {
                    let old = if replace { _mm512_setzero_ps() } else { _mm512_loadu_ps(out) };
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

/// The first `columns` lanes, at most 16.
fn mask(columns: usize) -> __mmask16 {
    if columns >= 16 { __mmask16::MAX } else { (1 << columns) - 1 }
}

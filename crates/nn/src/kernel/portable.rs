//! Products through `matrixmultiply`, for machines without tiles of their own (including NEON).
#![expect(unsafe_code, reason = "the crate takes pointers")]

use super::{Left, PackedRight, Size, Store};

/// One block; the caller has checked every length.
pub(crate) fn multiply(
    Size { m, n, k }: Size,
    (a, b): (Left<'_, f32>, PackedRight<'_, f32>),
    (c, row_c): (&mut [f32], usize),
    store: Store,
) {
    let (a, row, column) = a.strides();
    let b_rows = &b.data[b.first * b.columns + b.column..];
    let beta = if store == Store::Add { 1.0 } else { 0.0 };
    // SAFETY: `InstructionSet::multiply` has compared every length with the size and the strides.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            row as isize,
            column as isize,
            b_rows.as_ptr(),
            b.columns as isize,
            1,
            beta,
            c.as_mut_ptr(),
            row_c as isize,
            1,
        );
    }
}

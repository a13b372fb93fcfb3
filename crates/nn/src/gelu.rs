//! Exact GELU, `x·Φ(x)` with the error function, not its tanh approximation.

use std::f32::consts::FRAC_1_SQRT_2;

use rayon::prelude::*;

use crate::kernel::{Kernel, versions};
use crate::math::{erf, exp};
use crate::parallel::VALUES;

/// `out = gelu(x)`.
pub(crate) fn forward(kernel: Kernel, x: &[f32], out: &mut [f32]) {
    out.par_chunks_mut(VALUES)
        .zip(x.par_chunks(VALUES))
        .for_each(|(out, x)| values_forward(kernel, x, out));
}

/// `dy ← dy·gelu'(x)`, in place.
pub(crate) fn backward(kernel: Kernel, x: &[f32], dy: &mut [f32]) {
    dy.par_chunks_mut(VALUES)
        .zip(x.par_chunks(VALUES))
        .for_each(|(dy, x)| values_backward(kernel, x, dy));
}

versions! {
    fn values_forward(x: &[f32], out: &mut [f32]) = forward_body;
    fn values_backward(x: &[f32], dy: &mut [f32]) = backward_body;
}

#[inline(always)]
fn forward_body(x: &[f32], out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = 0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2));
    }
}

#[inline(always)]
fn backward_body(x: &[f32], dy: &mut [f32]) {
    // 1/√(2π), so that x·φ(x) is the second term of the derivative Φ(x) + x·φ(x).
    const DENSITY: f32 = 0.398_942_3;
    for (dy, x) in dy.iter_mut().zip(x) {
        let below = 0.5 * (1.0 + erf(x * FRAC_1_SQRT_2));
        *dy *= below + x * DENSITY * exp(-0.5 * x * x);
    }
}

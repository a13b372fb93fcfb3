//! Exact GELU, `x·Φ(x)` with the error function, not its tanh approximation.

use std::f32::consts::FRAC_1_SQRT_2;

use crate::element::Element;
use crate::kernel::versions;
use crate::math::{exp, fma};

versions! {
    /// `hidden = gelu(x)` and `slope = gelu'(x)`: the backward pass needs nothing else of `x`.
    pub(crate) fn with_slope<E: Element>(x: &[f32], hidden: &mut [E], slope: &mut [E])
        = with_slope_body, fused;
    /// `hidden = gelu(x)`, where there is no way back.
    pub(crate) fn forward(x: &[f32], hidden: &mut [f32]) = forward_body, fused;
}

/// The density and the distribution share one exponential:
///
/// ```text
/// e = exp(−x²/2);  1 − Φ(|x|) = ½·e·p(t),  t = 1 / (1 + 0.3275911·|x|/√2)
/// gelu = x·Φ(x);   gelu' = Φ(x) + x·e/√(2π)
/// ```
///
/// # Source
///
/// p: Abramowitz and Stegun 1964, formula 7.1.26, absolute error of erf below 1.5e-7.
#[inline(always)]
fn value_and_slope(x: f32, fused: bool) -> (f32, f32) {
    /// Halves of the coefficients of t, t², … t⁵.
    const P: [f32; 5] = [0.127_414_8, -0.142_248_37, 0.710_706_9, -0.726_576, 0.530_702_7];
    const T: f32 = 0.327_591_1 * FRAC_1_SQRT_2;
    const DENSITY: f32 = 0.398_942_3;
    let e = exp(-0.5 * x * x, fused);
    let t = 1.0 / fma(x.abs(), T, 1.0, fused);
    let mut p = P[4];
    for coefficient in P[..4].iter().rev() {
        p = fma(p, t, *coefficient, fused);
    }
    let above = p * t * e;
    let below = if x < 0.0 { above } else { 1.0 - above };
    (x * below, fma(x * DENSITY, e, below, fused))
}

#[inline(always)]
fn with_slope_body<E: Element>(x: &[f32], hidden: &mut [E], slope: &mut [E], fused: bool) {
    for ((x, hidden), slope) in x.iter().zip(hidden).zip(slope) {
        let (value, its_slope) = value_and_slope(*x, fused);
        *hidden = value.into();
        *slope = its_slope.into();
    }
}

#[inline(always)]
fn forward_body(x: &[f32], hidden: &mut [f32], fused: bool) {
    for (x, hidden) in x.iter().zip(hidden) {
        *hidden = value_and_slope(*x, fused).0;
    }
}

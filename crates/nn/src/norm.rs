//! LayerNorm with a weight and no bias.

use rayon::prelude::*;

use crate::element::Element;
use crate::kernel::{InstructionSet, versions};
use crate::math;
use crate::parallel::ROWS;

/// Added to the variance.
const EPS: f32 = 1e-5;

/// Values for the partial sums of the weight's gradient over `tokens` rows of `width`.
pub(crate) const fn partial_len(tokens: usize, width: usize) -> usize {
    tokens.div_ceil(ROWS) * width
}

/// `out = (x − mean) / √(variance + ε) · weight`, row by row.
///
/// - `x`, `out`: `[N × D]`; `weight`: `[D]`.
/// - `stats`: `[N × 2]`, out: mean and 1 / √(variance + ε).
pub(crate) fn forward<E: Element>(
    isa: InstructionSet,
    (x, weight): (&[f32], &[f32]),
    out: &mut [E],
    stats: &mut [f32],
) {
    let d = weight.len();
    out.par_chunks_mut(ROWS * d)
        .zip(x.par_chunks(ROWS * d))
        .zip(stats.par_chunks_mut(ROWS * 2))
        .for_each(|((out, x), stats)| rows_forward(isa, x, weight, out, stats));
}

/// Adds the gradient of `x` to `dx`, of which `factor` becomes a copy, and that of the weight to
/// `dweight`.
///
/// ```text
/// g = dy·weight;  dx += (g − mean(g) − x̂·mean(g·x̂)) / σ;  dweight += Σ dy·x̂
/// ```
///
/// - `partial`: [`partial_len`] values, scratch: one sum per chunk of rows, added in order.
pub(crate) fn backward<E: Element>(
    isa: InstructionSet,
    (dy, x, weight, stats): (&[f32], &[f32], &[f32], &[f32]),
    (dx, factor): (&mut [f32], &mut [E]),
    dweight: &mut [f32],
    partial: &mut [f32],
) {
    let d = weight.len();
    let partial = &mut partial[..partial_len(dx.len() / d, d)];
    dx.par_chunks_mut(ROWS * d)
        .zip(factor.par_chunks_mut(ROWS * d))
        .zip(dy.par_chunks(ROWS * d))
        .zip(x.par_chunks(ROWS * d))
        .zip(stats.par_chunks(ROWS * 2))
        .zip(partial.par_chunks_mut(d))
        .for_each(|(((((dx, factor), dy), x), stats), partial)| {
            rows_backward(isa, (dy, x, weight, stats), (dx, factor), partial);
        });
    for partial in partial.chunks_exact(d) {
        for (sum, part) in dweight.iter_mut().zip(partial) {
            *sum += part;
        }
    }
}

versions! {
    fn rows_forward<E: Element>(x: &[f32], weight: &[f32], out: &mut [E], stats: &mut [f32])
        = forward_body;
    fn rows_backward<E: Element>(
        inputs: (&[f32], &[f32], &[f32], &[f32]), outputs: (&mut [f32], &mut [E]),
        partial: &mut [f32],
    ) = backward_body;
}

#[inline(always)]
fn forward_body<E: Element>(x: &[f32], weight: &[f32], out: &mut [E], stats: &mut [f32]) {
    let d = weight.len();
    let rows = x.chunks_exact(d).zip(out.chunks_exact_mut(d)).zip(stats.chunks_exact_mut(2));
    for ((x, out), stats) in rows {
        let mean = math::sum(d, |i| x[i]) / d as f32;
        let variance = math::sum(d, |i| (x[i] - mean) * (x[i] - mean)) / d as f32;
        let scale = 1.0 / (variance + EPS).sqrt();
        stats.copy_from_slice(&[mean, scale]);
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
            *out = ((x - mean) * scale * weight).into();
        }
    }
}

#[inline(always)]
fn backward_body<E: Element>(
    (dy, x, weight, stats): (&[f32], &[f32], &[f32], &[f32]),
    (dx, factor): (&mut [f32], &mut [E]),
    partial: &mut [f32],
) {
    let d = weight.len();
    partial.fill(0.0);
    let outputs = dx.chunks_exact_mut(d).zip(factor.chunks_exact_mut(d));
    let rows = dy.chunks_exact(d).zip(x.chunks_exact(d)).zip(stats.chunks_exact(2));
    for (((dy, x), stats), (dx, factor)) in rows.zip(outputs) {
        let (mean, scale) = (stats[0], stats[1]);
        let (dy, x, dx, factor) = (&dy[..d], &x[..d], &mut dx[..d], &mut factor[..d]);
        let g_mean = math::sum(d, |i| dy[i] * weight[i]) / d as f32;
        let gx_mean = math::sum(d, |i| dy[i] * weight[i] * (x[i] - mean)) * scale / d as f32;
        for i in 0..d {
            let normal = (x[i] - mean) * scale;
            partial[i] += dy[i] * normal;
            dx[i] += (dy[i] * weight[i] - g_mean - normal * gx_mean) * scale;
            factor[i] = dx[i].into();
        }
    }
}

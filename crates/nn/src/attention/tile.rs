//! What happens to a tile of scores between its products.

use crate::element::Element;
use crate::kernel::versions;
use crate::math::{self, fma};

/// Queries of a tile: four register tiles of the widest instruction set.
pub(crate) const QUERIES: usize = 56;
/// Keys of a tile: a multiple of the column block of every instruction set.
pub(crate) const KEYS: usize = 64;

/// How products become scores: `scale·s − slope·(i − j)`, none for keys after the query.
#[derive(Clone, Copy)]
pub(crate) struct Bias {
    pub(crate) scale: f32,
    pub(crate) slope: f32,
    /// First query's position less first key's.
    pub(crate) ahead: i32,
    pub(crate) keys: usize,
}

impl Bias {
    /// Keys of the tile that query `i` sees.
    #[inline(always)]
    fn seen(self, i: usize) -> usize {
        (self.ahead + i as i32 + 1).clamp(0, self.keys as i32) as usize
    }

    /// Turns products of query `i` into scores, without regard to which keys it sees.
    #[inline(always)]
    fn scores(self, row: &mut [f32; KEYS], i: usize, fused: bool) {
        let query = (self.ahead + i as i32) as f32;
        for (j, value) in row.iter_mut().enumerate() {
            *value = fma(self.slope, j as f32 - query, *value * self.scale, fused);
        }
    }
}

versions! {
    /// Turns a tile of products into weights relative to the rows' largest scores so far.
    ///
    /// - `state`: of each query the largest score, the sum of weights, and the weighted values,
    ///   which shrink where a larger score has come.
    pub(crate) fn soften<E: Element>(
        bias: Bias, scores: &mut [f32], weights: &mut [E],
        state: (&mut [f32], &mut [f32], &mut [f32]),
    ) = soften_body, fused;
    /// Turns `scores`, products, into weights and `gradient`, dO·vᵀ, into the products' gradient.
    pub(super) fn harden(
        bias: Bias, scores: &mut [f32], gradient: &mut [f32], log_sums: &[f32], deltas: &[f32],
    ) = harden_body, fused;
    /// Rounds a tile and puts groups of queries side by side, so that it is a left factor whose
    /// sums run over the queries.
    pub(super) fn grouped<E: Element>(tile: &[f32], queries: usize, out: &mut [E]) = grouped_body;
    pub(super) fn rounded<E: Element>(tile: &[f32], out: &mut [E]) = rounded_body;
    /// `out = values·by`.
    pub(crate) fn normalise<E: Element>(values: &[f32], by: f32, out: &mut [E]) = normalise_body;
    /// Rounds a gradient; zero where the value it belongs to was clamped.
    pub(super) fn unclamped<E: Element>(gradient: &[f32], values: &[E], clip: f32, out: &mut [E])
        = unclamped_body;
    /// `Σ a·b`.
    pub(super) fn dot<E: Element>(a: &[E], b: &[E]) -> f32 = dot_body;
}

#[inline(always)]
fn soften_body<E: Element>(
    bias: Bias,
    scores: &mut [f32],
    weights: &mut [E],
    (largest, sums, values): (&mut [f32], &mut [f32], &mut [f32]),
    fused: bool,
) {
    let k = values.len() / largest.len();
    let rows = scores.as_chunks_mut::<KEYS>().0.iter_mut().zip(weights.as_chunks_mut::<KEYS>().0);
    let states = largest.iter_mut().zip(sums).zip(values.chunks_exact_mut(k));
    for (i, ((row, weights), ((largest, sum), values))) in rows.zip(states).enumerate() {
        bias.scores(row, i, fused);
        row[bias.seen(i)..].fill(f32::NEG_INFINITY);
        let part = math::max(row);
        let highest = if part > *largest { part } else { *largest };
        let part = math::sum_of(row, |score| math::exp(score - highest, fused));
        for (weight, value) in weights.iter_mut().zip(&*row) {
            *weight = (*value).into();
        }
        // Nothing has been summed before the first tile: e^(−∞) = 0.
        let shrink = math::exp(*largest - highest, fused);
        *sum = fma(*sum, shrink, part, fused);
        *largest = highest;
        // What `values` hold before the first tile is not ours, and NaN times 0 is NaN.
        if shrink > 0.0 && shrink < 1.0 {
            for value in values {
                *value *= shrink;
            }
        }
    }
}

#[inline(always)]
fn harden_body(
    bias: Bias,
    scores: &mut [f32],
    gradient: &mut [f32],
    log_sums: &[f32],
    deltas: &[f32],
    fused: bool,
) {
    let rows = scores.as_chunks_mut::<KEYS>().0.iter_mut().zip(gradient.as_chunks_mut::<KEYS>().0);
    for (i, ((row, gradient), (log_sum, delta))) in
        rows.zip(log_sums.iter().zip(deltas)).enumerate()
    {
        bias.scores(row, i, fused);
        for (value, gradient) in row.iter_mut().zip(&mut *gradient) {
            let weight = math::exp(*value - log_sum, fused);
            *value = weight;
            *gradient = weight * (*gradient - delta) * bias.scale;
        }
        let seen = bias.seen(i);
        row[seen..].fill(0.0);
        gradient[seen..].fill(0.0);
    }
}

#[inline(always)]
fn grouped_body<E: Element>(tile: &[f32], queries: usize, out: &mut [E]) {
    let mut rows = tile.as_chunks::<KEYS>().0[..queries].chunks(E::GROUP);
    for (rows, out) in rows.by_ref().zip(out.chunks_exact_mut(KEYS * E::GROUP)) {
        E::interleave(&rows[0], rows.get(1).map(|row| &row[..]), out);
    }
}

#[inline(always)]
fn rounded_body<E: Element>(tile: &[f32], out: &mut [E]) {
    for (out, value) in out.iter_mut().zip(tile) {
        *out = (*value).into();
    }
}

#[inline(always)]
fn normalise_body<E: Element>(values: &[f32], by: f32, out: &mut [E]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = (value * by).into();
    }
}

#[inline(always)]
fn unclamped_body<E: Element>(gradient: &[f32], values: &[E], clip: f32, out: &mut [E]) {
    for ((out, gradient), value) in out.iter_mut().zip(gradient).zip(values) {
        *out = if value.value().abs() < clip { *gradient } else { 0.0 }.into();
    }
}

#[inline(always)]
fn dot_body<E: Element>(a: &[E], b: &[E]) -> f32 {
    math::sum(a.len().min(b.len()), |i| a[i].value() * b[i].value())
}

//! Causal attention with ALiBi, in tiles: the T × T matrix never exists.
//!
//! Forward keeps one number per row, the logarithm of its sum; backward computes the tiles again
//! from it. Every pair of sequence and head is one task with scratch of its own, so that nothing
//! depends on which thread runs it.

use rayon::prelude::*;

use crate::gemm::{Right, pack_panel};
use crate::kernel::{Kernel, Left, PADDING, Panels, Size, Store, packed_len, versions};
use crate::math;
use crate::parallel::ROWS;

/// Queries of a tile: four register tiles of the widest kernel.
const QUERIES: usize = 56;
/// Keys of a tile: a whole number of panels of every kernel.
const KEYS: usize = 64;
/// Largest exponent of the slopes, MPT's `alibi_bias_max`.
const BIAS_MAX: f64 = 8.0;

/// The slope of each head's linear bias.
///
/// `2^(−8·m / n)` for m = 1..=n where n is the number of heads rounded up to a power of two; where
/// that is more than `heads`, the odd entries (second, fourth…) come first, then the even ones,
/// and the first `heads` are taken.
///
/// # Source
///
/// Press et al. 2022, arXiv:2108.12409; the rule for other numbers of heads is MPT's.
pub fn alibi_slopes(heads: usize) -> Vec<f32> {
    let n = heads.next_power_of_two();
    let slope = |m: usize| (-BIAS_MAX * m as f64 / n as f64).exp2() as f32;
    if n == heads {
        (1..=n).map(slope).collect()
    } else {
        (2..=n).step_by(2).chain((1..=n).step_by(2)).map(slope).take(heads).collect()
    }
}

/// Sizes of one call: sequences of `t` positions, `h` heads of width `k`.
#[derive(Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) t: usize,
    pub(crate) h: usize,
    pub(crate) k: usize,
}

impl Heads {
    fn width(self) -> usize {
        self.h * self.k
    }

    /// Values of scratch per head: keys and values across, keys, queries and gradients along, and
    /// three results.
    fn room(self) -> usize {
        let Self { t, k, .. } = self;
        2 * k * t.next_multiple_of(PADDING) + 3 * t * k.next_multiple_of(PADDING) + 3 * t * k
    }
}

/// Room for the scratch of `sequences`.
pub(crate) fn room(heads: Heads, sequences: usize) -> usize {
    heads.room() * heads.h * sequences
}

/// One head of one sequence: where its rows lie in arrays of all heads.
struct Head {
    heads: Heads,
    slope: f32,
    scale: f32,
    /// First value of this head in `[B·T × D]`.
    start: usize,
    /// First value of this head's queries in `[B·T × 3D]`; keys lie D further, values 2D.
    start_qkv: usize,
}

impl Head {
    /// The `task`-th head, counted through all sequences.
    fn new(heads: Heads, slopes: &[f32], task: usize) -> Self {
        let (sequence, h) = (task / heads.h, task % heads.h);
        let (row, d) = (sequence * heads.t, heads.width());
        Self {
            heads,
            slope: slopes[h],
            scale: 1.0 / (heads.k as f32).sqrt(),
            start: row * d + h * heads.k,
            start_qkv: row * 3 * d + h * heads.k,
        }
    }

    /// How scores are made in the tile whose first query and key are these.
    fn bias(&self, query: usize, key: usize) -> Bias {
        Bias { scale: self.scale, slope: self.slope, ahead: query as i32 - key as i32 }
    }
}

/// The part of a head's scratch that is not handed out yet.
struct Rest<'a>(&'a mut [f32]);

impl<'a> Rest<'a> {
    fn take(&mut self, n: usize) -> &'a mut [f32] {
        self.0.split_off_mut(..n).expect("the scratch was sized by `Heads::room`")
    }
}

/// A `[T × K]` matrix that lies in rows of a wider one.
#[derive(Clone, Copy)]
struct Rows<'a> {
    data: &'a [f32],
    row: usize,
}

impl<'a> Rows<'a> {
    fn from(self, first: usize) -> Left<'a> {
        Left { data: &self.data[first * self.row..], row: self.row, column: 1 }
    }

    /// Packed with T as columns: the right factor of `x·thisᵀ`.
    fn across<'b>(self, kernel: Kernel, heads: Heads, rest: &mut Rest<'b>) -> Panels<'b> {
        let right = Right { data: self.data, row: 1, column: self.row };
        packed(kernel, right, (heads.k, heads.t), rest)
    }

    /// Packed with T as rows: the right factor of `x·this`.
    fn along<'b>(self, kernel: Kernel, heads: Heads, rest: &mut Rest<'b>) -> Panels<'b> {
        let right = Right { data: self.data, row: self.row, column: 1 };
        packed(kernel, right, (heads.t, heads.k), rest)
    }
}

/// Packs a small right factor on this thread.
fn packed<'b>(
    kernel: Kernel,
    right: Right<'_>,
    (rows, columns): (usize, usize),
    rest: &mut Rest<'b>,
) -> Panels<'b> {
    let width = kernel.panel(columns);
    let data = rest.take(packed_len(rows, columns, kernel));
    for (p, panel) in data.chunks_exact_mut(rows * width).enumerate() {
        pack_panel(right, (p * width, columns), (rows, width), panel);
    }
    Panels { data, rows, columns, first: 0, column: 0 }
}

/// `out = softmax(q·kᵀ/√K − slope·distance)·v`, head by head.
///
/// - `qkv`: `[N × 3D]`; `out`: `[N × D]`; `slopes`: `[H]`.
/// - `log_sums`: `[B × H × T]`, out: logarithm of each row's sum, for the backward pass.
pub(crate) fn forward(
    kernel: Kernel,
    heads: Heads,
    (qkv, slopes): (&[f32], &[f32]),
    out: &mut [f32],
    log_sums: &mut [f32],
    scratch: &mut [f32],
) {
    let (d, sequences) = (heads.width(), out.len() / (heads.t * heads.width()));
    let scratch = &mut scratch[..room(heads, sequences)];
    // Each head leaves its result at the end of its scratch; then rows are put together.
    let result = heads.room() - heads.t * heads.k;
    let tasks = scratch.par_chunks_exact_mut(heads.room());
    tasks.zip(log_sums.par_chunks_exact_mut(heads.t)).enumerate().for_each(
        |(task, (scratch, log_sums))| {
            head_forward(kernel, &Head::new(heads, slopes, task), qkv, log_sums, scratch);
        },
    );
    let scratch = &*scratch;
    out.par_chunks_mut(ROWS * d).enumerate().for_each(|(chunk, out)| {
        for (i, out) in out.chunks_exact_mut(d).enumerate() {
            let n = chunk * ROWS + i;
            for (h, out) in out.chunks_exact_mut(heads.k).enumerate() {
                let task = n / heads.t * heads.h + h;
                let row = task * heads.room() + result + n % heads.t * heads.k;
                out.copy_from_slice(&scratch[row..row + heads.k]);
            }
        }
    });
}

/// One head: online softmax over the tiles of keys.
fn head_forward(
    kernel: Kernel,
    head: &Head,
    qkv: &[f32],
    log_sums: &mut [f32],
    scratch: &mut [f32],
) {
    let Heads { t, k, .. } = head.heads;
    let d = head.heads.width();
    let row = 3 * d;
    let (rest, out) = scratch.split_at_mut(head.heads.room() - t * k);
    let mut rest = Rest(rest);
    let q = Rows { data: &qkv[head.start_qkv..], row };
    let keys = Rows { data: &qkv[head.start_qkv + d..], row };
    let values = Rows { data: &qkv[head.start_qkv + 2 * d..], row };
    let keys = keys.across(kernel, head.heads, &mut rest);
    let values = values.along(kernel, head.heads, &mut rest);
    let mut tile = [0.0; QUERIES * KEYS];
    for i0 in (0..t).step_by(QUERIES) {
        let queries = QUERIES.min(t - i0);
        let out = &mut out[i0 * k..(i0 + queries) * k];
        let (mut largest, mut sums) = ([f32::NEG_INFINITY; QUERIES], [0.0; QUERIES]);
        for j0 in (0..i0 + queries).step_by(KEYS) {
            let n = KEYS.min(t - j0);
            let size = Size { m: queries, n, k };
            let tile_keys = Panels { column: j0, ..keys };
            kernel.multiply(size, q.from(i0), tile_keys, (&mut tile, KEYS), Store::Replace);
            let bias = head.bias(i0, j0);
            let largest_and_sums = (&mut largest[..], &mut sums[..]);
            soften(kernel, &mut tile[..queries * KEYS], bias, largest_and_sums, out, k);
            let size = Size { m: queries, n: k, k: n };
            let weights = Left { data: &tile, row: KEYS, column: 1 };
            let store = if j0 == 0 { Store::Replace } else { Store::Add };
            kernel.multiply(size, weights, Panels { first: j0, ..values }, (out, k), store);
        }
        for (i, out) in out.chunks_exact_mut(k).enumerate() {
            let inverse = 1.0 / sums[i];
            for value in &mut *out {
                *value *= inverse;
            }
            log_sums[i0 + i] = largest[i] + sums[i].ln();
        }
    }
}

/// How products become scores: `scale·s − slope·(i − j)`, −∞ for keys after the query.
#[derive(Clone, Copy)]
struct Bias {
    scale: f32,
    slope: f32,
    /// First query's position less first key's.
    ahead: i32,
}

impl Bias {
    /// The score of query `i` and key `j` of the tile.
    #[inline(always)]
    fn score(self, product: f32, i: usize, j: usize) -> f32 {
        let distance = self.ahead + i as i32 - j as i32;
        let score = product * self.scale - self.slope * distance as f32;
        if distance < 0 { f32::NEG_INFINITY } else { score }
    }
}

versions! {
    /// Turns a tile of products into weights relative to the rows' largest scores so far; `out`
    /// shrinks where a larger one has come.
    fn soften(
        tile: &mut [f32], bias: Bias, largest_and_sums: (&mut [f32], &mut [f32]), out: &mut [f32],
        k: usize,
    ) = soften_body;
    /// Turns `tile`, products, into weights and `gradient`, dO·vᵀ, into the products' gradient.
    fn harden(
        tile: &mut [f32], gradient: &mut [f32], queries: usize, bias: Bias, log_sums: &[f32],
        deltas: &[f32],
    ) = harden_body;
}

#[inline(always)]
fn soften_body(
    tile: &mut [f32],
    bias: Bias,
    (largest, sums): (&mut [f32], &mut [f32]),
    out: &mut [f32],
    k: usize,
) {
    let (rows, _) = tile.as_chunks_mut::<KEYS>();
    for (i, (row, out)) in rows.iter_mut().zip(out.chunks_exact_mut(k)).enumerate() {
        for (j, value) in row.iter_mut().enumerate() {
            *value = bias.score(*value, i, j);
        }
        let highest = largest[i].max(math::max(row));
        for value in row.iter_mut() {
            *value = math::exp(*value - highest);
        }
        // Nothing has been summed before the first tile: e^(−∞) = 0.
        let shrink = math::exp(largest[i] - highest);
        sums[i] = sums[i] * shrink + math::sum(KEYS, |j| row[j]);
        largest[i] = highest;
        // What `out` holds before the first tile is not ours, and NaN times 0 is NaN.
        if shrink > 0.0 {
            for value in out {
                *value *= shrink;
            }
        }
    }
}

#[inline(always)]
fn harden_body(
    tile: &mut [f32],
    gradient: &mut [f32],
    queries: usize,
    bias: Bias,
    log_sums: &[f32],
    deltas: &[f32],
) {
    let (rows, _) = tile.as_chunks_mut::<KEYS>();
    let (gradients, _) = gradient.as_chunks_mut::<KEYS>();
    for (i, (row, gradients)) in rows.iter_mut().zip(gradients).take(queries).enumerate() {
        let (log_sum, delta) = (log_sums[i], deltas[i]);
        for (j, (value, gradient)) in row.iter_mut().zip(gradients).enumerate() {
            let weight = math::exp(bias.score(*value, i, j) - log_sum);
            *value = weight;
            *gradient = weight * (*gradient - delta) * bias.scale;
        }
    }
}

/// What [`backward`] reads: `qkv [N × 3D]`, `out` and its gradient `dout [N × D]`, the forward
/// pass's `log_sums`, and the clamp of `qkv`, if any.
#[derive(Clone, Copy)]
pub(crate) struct Saved<'a> {
    pub(crate) qkv: &'a [f32],
    pub(crate) out: &'a [f32],
    pub(crate) dout: &'a [f32],
    pub(crate) log_sums: &'a [f32],
    pub(crate) clip: Option<f32>,
}

/// `dqkv [N × 3D]`, replaced; zero where `qkv` was clamped.
pub(crate) fn backward(
    kernel: Kernel,
    heads: Heads,
    saved: Saved<'_>,
    slopes: &[f32],
    dqkv: &mut [f32],
    scratch: &mut [f32],
) {
    let (d, t, k) = (heads.width(), heads.t, heads.k);
    let scratch = &mut scratch[..room(heads, saved.out.len() / (t * d))];
    scratch.par_chunks_exact_mut(heads.room()).enumerate().for_each(|(task, scratch)| {
        let log_sums = &saved.log_sums[task * t..][..t];
        head_backward(kernel, &Head::new(heads, slopes, task), saved, log_sums, scratch);
    });
    let (scratch, results) = (&*scratch, heads.room() - 3 * t * k);
    let clip = saved.clip.unwrap_or(f32::INFINITY);
    dqkv.par_chunks_mut(ROWS * 3 * d).enumerate().for_each(|(chunk, dqkv)| {
        for (i, dqkv) in dqkv.chunks_exact_mut(3 * d).enumerate() {
            let n = chunk * ROWS + i;
            let qkv = &saved.qkv[n * 3 * d..][..3 * d];
            for (part, dqkv) in dqkv.chunks_exact_mut(k).enumerate() {
                let (which, h) = (part / heads.h, part % heads.h);
                let task = n / t * heads.h + h;
                let row = task * heads.room() + results + which * t * k + n % t * k;
                let values = scratch[row..row + k].iter().zip(&qkv[part * k..]);
                for (out, (gradient, value)) in dqkv.iter_mut().zip(values) {
                    *out = if value.abs() < clip { *gradient } else { 0.0 };
                }
            }
        }
    });
}

/// One head: every tile's weights again from the sums of the forward pass.
fn head_backward(
    kernel: Kernel,
    head: &Head,
    saved: Saved<'_>,
    log_sums: &[f32],
    scratch: &mut [f32],
) {
    let Heads { t, k, .. } = head.heads;
    let d = head.heads.width();
    let row = 3 * d;
    let (rest, results) = scratch.split_at_mut(head.heads.room() - 3 * t * k);
    let mut rest = Rest(rest);
    let q = Rows { data: &saved.qkv[head.start_qkv..], row };
    let keys = Rows { data: &saved.qkv[head.start_qkv + d..], row };
    let values = Rows { data: &saved.qkv[head.start_qkv + 2 * d..], row };
    let dout = Rows { data: &saved.dout[head.start..], row: d };
    let out = Rows { data: &saved.out[head.start..], row: d };
    let keys_across = keys.across(kernel, head.heads, &mut rest);
    let values_across = values.across(kernel, head.heads, &mut rest);
    let keys_along = keys.along(kernel, head.heads, &mut rest);
    let q_along = q.along(kernel, head.heads, &mut rest);
    let dout_along = dout.along(kernel, head.heads, &mut rest);
    results.fill(0.0);
    let (dq, rest) = results.split_at_mut(t * k);
    let (dk, dv) = rest.split_at_mut(t * k);
    let mut weights = [0.0; QUERIES * KEYS];
    let mut gradient = [0.0; QUERIES * KEYS];
    for i0 in (0..t).step_by(QUERIES) {
        let queries = QUERIES.min(t - i0);
        let mut deltas = [0.0; QUERIES];
        for (i, delta) in deltas.iter_mut().take(queries).enumerate() {
            let (a, b) = (&out.data[(i0 + i) * d..][..k], &dout.data[(i0 + i) * d..][..k]);
            *delta = math::sum(k, |c| a[c] * b[c]);
        }
        for j0 in (0..i0 + queries).step_by(KEYS) {
            let n = KEYS.min(t - j0);
            let size = Size { m: queries, n, k };
            let tile = Panels { column: j0, ..keys_across };
            kernel.multiply(size, q.from(i0), tile, (&mut weights, KEYS), Store::Replace);
            let tile = Panels { column: j0, ..values_across };
            kernel.multiply(size, dout.from(i0), tile, (&mut gradient, KEYS), Store::Replace);
            let bias = head.bias(i0, j0);
            harden(kernel, &mut weights, &mut gradient, queries, bias, &log_sums[i0..], &deltas);

            let size = Size { m: queries, n: k, k: n };
            let left = Left { data: &gradient, row: KEYS, column: 1 };
            let right = Panels { first: j0, ..keys_along };
            kernel.multiply(size, left, right, (&mut dq[i0 * k..], k), Store::Add);
            let size = Size { m: n, n: k, k: queries };
            let left = Left { data: &gradient, row: 1, column: KEYS };
            let right = Panels { first: i0, ..q_along };
            kernel.multiply(size, left, right, (&mut dk[j0 * k..], k), Store::Add);
            let left = Left { data: &weights, row: 1, column: KEYS };
            let right = Panels { first: i0, ..dout_along };
            kernel.multiply(size, left, right, (&mut dv[j0 * k..], k), Store::Add);
        }
    }
}

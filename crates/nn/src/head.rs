//! The final projection and its cross-entropy in one, a few hundred rows of logits at a time.
//!
//! The logits of a batch would be the largest array of the model by far; here they exist for one
//! chunk of rows, become their own gradient in place, and are gone.

use rayon::prelude::*;

use crate::gemm::{self, Right};
use crate::kernel::{Kernel, Size, Store, versions};
use crate::math;

/// Logits alive at once, about (16 MiB).
const LOGITS: usize = 1 << 22;
/// The fewest rows of a chunk: below, reading and writing the weight's gradient costs too much.
const FEWEST: usize = 128;

/// Rows of a chunk, of at most `tokens`.
pub(crate) fn rows(tokens: usize, vocab: usize) -> usize {
    (LOGITS / vocab).max(FEWEST).min(tokens)
}

/// What the head reads: `hidden [N × D]`, `table [V × D]`, `tokens [N]` in sequences of `context`.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) hidden: &'a [f32],
    pub(crate) table: &'a [f32],
    pub(crate) tokens: &'a [u32],
    pub(crate) context: usize,
}

/// Scratch of the head: `logits [rows × V]`, the table packed for both directions, a slab.
pub(crate) struct Scratch<'a> {
    pub(crate) logits: &'a mut [f32],
    pub(crate) across: &'a mut [f32],
    pub(crate) back: &'a mut [f32],
    pub(crate) slab: &'a mut [f32],
}

/// The loss of every row: `nats[n]` is −ln p(tokens\[n + 1\]), 0 at the end of a sequence.
pub(crate) fn forward(
    kernel: Kernel,
    input: Input<'_>,
    scratch: &mut Scratch<'_>,
    nats: &mut [f32],
) {
    let (n, v, d) = sizes(input);
    let across = Right { data: input.table, row: 1, column: d };
    let across = gemm::pack(kernel, across, (d, v), scratch.across);
    let chunk = rows(n, v);
    for first in (0..n).step_by(chunk) {
        let m = chunk.min(n - first);
        let hidden = &input.hidden[first * d..][..m * d];
        let logits = &mut scratch.logits[..m * v];
        let size = Size { m, n: v, k: d };
        gemm::rows_by_panels(kernel, size, (hidden, across, logits), Store::Replace);
        cross_entropy(kernel, input, first, 0.0, logits, &mut nats[first..first + m]);
    }
}

/// The loss of every row and the gradients of `scale · Σ nats`.
///
/// - `dhidden`: `[N × D]`, replaced; `dtable`: `[V × D]`, added to.
pub(crate) fn forward_backward(
    kernel: Kernel,
    input: Input<'_>,
    scale: f32,
    scratch: &mut Scratch<'_>,
    nats: &mut [f32],
    (dhidden, dtable): (&mut [f32], &mut [f32]),
) {
    let (n, v, d) = sizes(input);
    let across = Right { data: input.table, row: 1, column: d };
    let across = gemm::pack(kernel, across, (d, v), scratch.across);
    let back = Right { data: input.table, row: d, column: 1 };
    let back = gemm::pack(kernel, back, (v, d), scratch.back);
    let chunk = rows(n, v);
    for first in (0..n).step_by(chunk) {
        let m = chunk.min(n - first);
        let hidden = &input.hidden[first * d..][..m * d];
        let dhidden = &mut dhidden[first * d..][..m * d];
        let logits = &mut scratch.logits[..m * v];
        let size = Size { m, n: v, k: d };
        gemm::rows_by_panels(kernel, size, (hidden, across, logits), Store::Replace);
        cross_entropy(kernel, input, first, scale, logits, &mut nats[first..first + m]);
        let size = Size { m, n: d, k: v };
        gemm::rows_by_panels(kernel, size, (logits, back, dhidden), Store::Replace);
        let size = Size { m: v, n: d, k: m };
        let operands = (&*logits, hidden, &mut *dtable);
        gemm::columns_by_columns(kernel, size, operands, Store::Add, scratch.slab);
    }
}

/// N, V and D.
fn sizes(input: Input<'_>) -> (usize, usize, usize) {
    let n = input.tokens.len();
    let d = input.hidden.len() / n;
    (n, input.table.len() / d, d)
}

/// The loss of the rows from `first` on; their logits become `scale · (p − target)`.
fn cross_entropy(
    kernel: Kernel,
    Input { tokens, context, .. }: Input<'_>,
    first: usize,
    scale: f32,
    logits: &mut [f32],
    nats: &mut [f32],
) {
    let v = logits.len() / nats.len();
    logits.par_chunks_mut(v).zip(nats.par_iter_mut()).enumerate().for_each(|(i, (row, nats))| {
        let n = first + i;
        *nats = if n % context + 1 < context {
            row_loss(kernel, row, tokens[n + 1] as usize, scale)
        } else {
            row.fill(0.0);
            0.0
        };
    });
}

versions! {
    fn row_loss(row: &mut [f32], target: usize, scale: f32) -> f32 = row_loss_body;
}

#[inline(always)]
fn row_loss_body(row: &mut [f32], target: usize, scale: f32) -> f32 {
    let largest = math::max(row);
    let of_target = row[target];
    for value in row.iter_mut() {
        *value = math::exp(*value - largest);
    }
    let total = math::sum(row.len(), |i| row[i]);
    if scale != 0.0 {
        let factor = scale / total;
        for value in row.iter_mut() {
            *value *= factor;
        }
        row[target] -= scale;
    }
    total.ln() - (of_target - largest)
}

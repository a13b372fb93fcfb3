//! The final projection and its cross-entropy in one, a few hundred rows of logits at a time.
//!
//! The logits of a batch would be the largest array of the model by far; here they exist for one
//! chunk of rows, become their own gradient in place, and are gone.

use rayon::prelude::*;

use crate::element::Element;
use crate::gemm;
use crate::kernel::{InstructionSet, Left, PackedRight, Size, Store, versions};
use crate::{math, parallel};

/// Logits alive at once, about (16 MiB).
const LOGITS: usize = 1 << 22;
/// The fewest rows of a chunk: below, reading and writing the weight's gradient costs too much.
const FEWEST: usize = 128;

/// Rows of a chunk, of at most `tokens`.
pub(crate) fn rows(tokens: usize, vocab: usize) -> usize {
    (LOGITS / vocab).max(FEWEST).min(tokens)
}

/// What the head reads: `hidden [N × D]`, the table packed both ways, `tokens [N]` in sequences of
/// `context`.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a, E> {
    pub(crate) hidden: &'a [E],
    pub(crate) table: PackedRight<'a, E>,
    pub(crate) table_back: PackedRight<'a, E>,
    pub(crate) tokens: &'a [u32],
    pub(crate) context: usize,
}

impl<E> Input<'_, E> {
    /// N, V and D.
    fn sizes(&self) -> (usize, usize, usize) {
        (self.tokens.len(), self.table.columns, self.table.rows)
    }

    /// The target token of row `n`; `None` at the end of a sequence.
    fn target(&self, n: usize) -> Option<usize> {
        (n % self.context + 1 < self.context).then(|| self.tokens[n + 1] as usize)
    }
}

/// Scratch of the head: `[rows × V]` twice, and pack buffers.
pub(crate) struct Scratch<'a, E> {
    pub(crate) logits: &'a mut [f32],
    pub(crate) dlogits: &'a mut [E],
    pub(crate) buffers: gemm::PackBuffers<'a, E>,
    pub(crate) threads: &'a parallel::Scratch,
}

/// The loss of every row: `nats[n]` is −ln p(tokens\[n + 1\]), 0 at the end of a sequence.
pub(crate) fn forward<E: Element>(
    isa: InstructionSet,
    input: Input<'_, E>,
    logits: &mut [f32],
    nats: &mut [f32],
    scratch: &parallel::Scratch,
) {
    let (n, v, d) = input.sizes();
    let chunk = rows(n, v);
    for first in (0..n).step_by(chunk) {
        let m = chunk.min(n - first);
        let logits = &mut logits[..m * v];
        let hidden = Left::Along { data: &input.hidden[first * d..][..m * d], row: d };
        let factors = (hidden, input.table, &mut *logits);
        gemm::product(isa, Size { m, n: v, k: d }, factors, Store::Replace, scratch);
        let nats = &mut nats[first..first + m];
        logits.par_chunks_mut(v).zip(nats).enumerate().for_each(|(i, (row, nats))| {
            *nats = input.target(first + i).map_or(0.0, |target| row_loss(isa, row, target));
        });
    }
}

/// The loss of every row and the gradients of `scale · Σ nats`.
///
/// - `dhidden`: `[N × D]`, replaced; `dtable`: `[V × D]`, added to.
pub(crate) fn forward_backward<E: Element>(
    isa: InstructionSet,
    input: Input<'_, E>,
    scale: f32,
    scratch: &mut Scratch<'_, E>,
    nats: &mut [f32],
    (dhidden, dtable): (&mut [f32], &mut [f32]),
) {
    let (n, v, d) = input.sizes();
    let chunk = rows(n, v);
    for first in (0..n).step_by(chunk) {
        let m = chunk.min(n - first);
        let hidden = &input.hidden[first * d..][..m * d];
        let logits = &mut scratch.logits[..m * v];
        let dlogits = &mut scratch.dlogits[..m * v];
        let factors = (Left::Along { data: hidden, row: d }, input.table, &mut *logits);
        gemm::product(isa, Size { m, n: v, k: d }, factors, Store::Replace, scratch.threads);
        let rows = logits.par_chunks_mut(v).zip(dlogits.par_chunks_mut(v));
        let nats = &mut nats[first..first + m];
        rows.zip(nats).enumerate().for_each(|(i, ((row, gradient), nats))| {
            *nats = 0.0;
            match input.target(first + i) {
                Some(target) => *nats = row_gradient(isa, row, target, scale, gradient),
                None => gradient.fill(E::default()),
            }
        });
        let dhidden = &mut dhidden[first * d..][..m * d];
        let factors = (Left::Along { data: &*dlogits, row: v }, input.table_back, dhidden);
        gemm::product(isa, Size { m, n: d, k: v }, factors, Store::Replace, scratch.threads);
        let size = Size { m: v, n: d, k: m };
        gemm::columns_by_columns(
            isa,
            size,
            (&*dlogits, hidden, &mut *dtable),
            &mut scratch.buffers,
            scratch.threads,
        );
    }
}

versions! {
    fn row_loss(row: &mut [f32], target: usize) -> f32 = row_loss_body, fused;
    fn row_gradient<E: Element>(
        row: &mut [f32], target: usize, scale: f32, gradient: &mut [E],
    ) -> f32 = row_gradient_body, fused;
}

/// Turns logits into e^(logit − largest); returns their sum and the loss.
#[inline(always)]
fn powers(row: &mut [f32], target: usize, fused: bool) -> (f32, f32) {
    let largest = math::max(row);
    let of_target = row[target];
    let total = math::sum_of(row, |value| math::exp(value - largest, fused));
    (total, total.ln() - (of_target - largest))
}

#[inline(always)]
fn row_loss_body(row: &mut [f32], target: usize, fused: bool) -> f32 {
    powers(row, target, fused).1
}

#[inline(always)]
fn row_gradient_body<E: Element>(
    row: &mut [f32],
    target: usize,
    scale: f32,
    gradient: &mut [E],
    fused: bool,
) -> f32 {
    let (total, nats) = powers(row, target, fused);
    let factor = scale / total;
    for (gradient, value) in gradient.iter_mut().zip(&*row) {
        *gradient = (value * factor).into();
    }
    gradient[target] = (row[target] * factor - scale).into();
    nats
}

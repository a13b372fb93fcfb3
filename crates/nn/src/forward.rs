//! The forward pass, from tokens to the hidden states the head reads.

use rayon::prelude::*;

use crate::Shape;
use crate::arena::Views;
use crate::attention::{self, Heads};
use crate::element::Element;
use crate::gemm;
use crate::kernel::{InstructionSet, Left, Size, versions};
use crate::mpt::Mpt;
use crate::packed_weights::{Matrix, PackedWeights};
use crate::parallel::Scratch;
use crate::{embedding, gelu, norm};

/// What a pass needs to know and does not change.
#[derive(Clone, Copy)]
pub(crate) struct Model<'a> {
    pub(crate) isa: InstructionSet,
    /// With `context` the length of the sequences at hand.
    pub(crate) shape: &'a Shape,
    /// Whether the arrays of one block serve all, and are computed again on the way back.
    pub(crate) recompute: bool,
    pub(crate) weights: &'a [f32],
    pub(crate) packed: &'a PackedWeights,
    pub(crate) slopes: &'a [f32],
    pub(crate) scratch: &'a Scratch,
}

impl Model<'_> {
    pub(crate) fn heads(&self) -> Heads {
        let Shape { context: t, heads: h, width, .. } = *self.shape;
        Heads { t, h, k: width / h }
    }

    /// Where block `i` keeps its arrays.
    pub(crate) fn slot(&self, i: usize) -> usize {
        if self.recompute { 0 } else { i }
    }

    /// `x·Wᵀ`, part by part; `outputs` yields what each block of rows is written to.
    fn project<E: Element, O: Send>(
        &self,
        matrix: Matrix,
        x: &[E],
        outputs: impl IndexedParallelIterator<Item = O>,
        finish: impl Fn(&mut O, gemm::OutputTile<'_>) + Sync,
    ) {
        let (n, k) = matrix.size(self.shape);
        let factors =
            (Left::Along { data: x, row: k }, self.packed.forward(self.isa, self.shape, matrix));
        let size = Size { m: x.len() / k, n, k };
        gemm::product_with(self.isa, size, factors, self.scratch, outputs, finish);
    }

    /// Runs the blocks and the last norm; the result is `normal_f`.
    pub(crate) fn forward<E: Element>(&self, tokens: &[u32], views: &mut Views<'_, E>) {
        let (shape, d, n) = (self.shape, self.shape.width, tokens.len());
        let table = &self.weights[shape.embedding()];
        embedding::forward(tokens, table, &mut views.residual[..n * d], d);
        for i in 0..shape.layers {
            self.block_to_hidden(i, n, views);
            self.block_to_stream(i, n, views);
        }
        norm::forward(
            self.isa,
            (&views.residual[shape.layers * n * d..][..n * d], &self.weights[shape.norm_f()]),
            &mut views.normal_f[..n * d],
            &mut views.stats_f[..2 * n],
        );
    }

    /// Block `i` from its part of the stream to the activations the backward pass reads.
    pub(crate) fn block_to_hidden<E: Element>(&self, i: usize, n: usize, views: &mut Views<'_, E>) {
        let (isa, weights, slot) = (self.isa, self.weights, self.slot(i));
        let (d, block) = (self.shape.width, self.shape.block(i));
        let rows = gemm::block_rows::<E>(isa, n);
        let before = &views.residual[i * n * d..][..n * d];
        let middle = &mut views.middle[slot * n * d..][..n * d];
        let normal_1 = &mut views.normal_1[slot * n * d..][..n * d];
        let normal_2 = &mut views.normal_2[slot * n * d..][..n * d];
        let stats_1 = &mut views.stats_1[slot * 2 * n..][..2 * n];
        let stats_2 = &mut views.stats_2[slot * 2 * n..][..2 * n];
        let qkv = &mut views.qkv[slot * 3 * n * d..][..3 * n * d];
        let attended = &mut views.attended[slot * n * d..][..n * d];
        let log_sums = &mut views.log_sums[slot * n * self.shape.heads..][..n * self.shape.heads];
        let hidden = &mut views.hidden[slot * 4 * n * d..][..4 * n * d];
        let slope = &mut views.slope[slot * 4 * n * d..][..4 * n * d];

        norm::forward(isa, (before, &weights[block.norm_1]), normal_1, stats_1);
        let clip = self.shape.clip_qkv.unwrap_or(f32::INFINITY);
        let outputs = qkv.par_chunks_mut(rows * 3 * d);
        self.project(Matrix::Wqkv(i), normal_1, outputs, |qkv, tile| {
            for (values, qkv) in tile.rows().zip(qkv.chunks_exact_mut(3 * d)) {
                clamp(isa, values, clip, &mut qkv[tile.columns()]);
            }
        });
        let inputs = (&*qkv, self.slopes);
        attention::forward(isa, self.heads(), inputs, (attended, log_sums), self.scratch);
        let outputs = middle.par_chunks_mut(rows * d).zip(before.par_chunks(rows * d));
        self.project(Matrix::OutProj(i), attended, outputs, |(after, before), tile| {
            sum_rows(isa, &tile, before, after, d);
        });

        norm::forward(isa, (middle, &weights[block.norm_2]), normal_2, stats_2);
        let outputs = hidden.par_chunks_mut(rows * 4 * d).zip(slope.par_chunks_mut(rows * 4 * d));
        self.project(Matrix::UpProj(i), normal_2, outputs, |(hidden, slope), tile| {
            let outputs = hidden.chunks_exact_mut(4 * d).zip(slope.chunks_exact_mut(4 * d));
            for (values, (hidden, slope)) in tile.rows().zip(outputs) {
                let columns = tile.columns();
                gelu::with_slope(isa, values, &mut hidden[columns.clone()], &mut slope[columns]);
            }
        });
    }

    /// Block `i` from its activations to the next part of the stream.
    fn block_to_stream<E: Element>(&self, i: usize, n: usize, views: &mut Views<'_, E>) {
        let (isa, slot, d) = (self.isa, self.slot(i), self.shape.width);
        let rows = gemm::block_rows::<E>(isa, n);
        let middle = &views.middle[slot * n * d..][..n * d];
        let after = &mut views.residual[(i + 1) * n * d..][..n * d];
        let hidden = &views.hidden[slot * 4 * n * d..][..4 * n * d];
        let outputs = after.par_chunks_mut(rows * d).zip(middle.par_chunks(rows * d));
        self.project(Matrix::DownProj(i), hidden, outputs, |(after, before), tile| {
            sum_rows(isa, &tile, before, after, d);
        });
    }
}

/// `after = before + tile`, in its columns of rows of `d`.
fn sum_rows(
    isa: InstructionSet,
    tile: &gemm::OutputTile<'_>,
    before: &[f32],
    after: &mut [f32],
    d: usize,
) {
    let rows = before.chunks_exact(d).zip(after.chunks_exact_mut(d));
    for (values, (before, after)) in tile.rows().zip(rows) {
        add(isa, values, &before[tile.columns()], &mut after[tile.columns()]);
    }
}

/// `stream += tile`, in its columns of rows of `d`.
pub(crate) fn add_rows(
    isa: InstructionSet,
    tile: &gemm::OutputTile<'_>,
    stream: &mut [f32],
    d: usize,
) {
    for (values, stream) in tile.rows().zip(stream.chunks_exact_mut(d)) {
        add_to(isa, values, &mut stream[tile.columns()]);
    }
}

versions! {
    fn add(values: &[f32], before: &[f32], after: &mut [f32]) = add_body;
    fn add_to(values: &[f32], stream: &mut [f32]) = add_to_body;
    /// Clamps to ±`clip`.
    pub(crate) fn clamp<E: Element>(values: &[f32], clip: f32, out: &mut [E]) = clamp_body;
}

#[inline(always)]
fn add_body(values: &[f32], before: &[f32], after: &mut [f32]) {
    for ((after, before), value) in after.iter_mut().zip(before).zip(values) {
        *after = before + value;
    }
}

#[inline(always)]
fn add_to_body(values: &[f32], stream: &mut [f32]) {
    for (sum, value) in stream.iter_mut().zip(values) {
        *sum += value;
    }
}

#[inline(always)]
fn clamp_body<E: Element>(values: &[f32], clip: f32, out: &mut [E]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = value.clamp(-clip, clip).into();
    }
}

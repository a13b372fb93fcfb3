//! One forward pass of new tokens through all blocks.

use std::ops::Range;

use rayon::prelude::*;

use super::attention::{self, Layer, View, scratch_len};
use super::cache::Cache;
use super::forest::PrefixTree;
use crate::aligned::Aligned;
use crate::attention::Heads;
use crate::forward::{add_rows, clamp};
use crate::kernel::{InstructionSet, Left, PackedRight, Size, Store, versions};
use crate::packed_weights::{Matrix, PackedWeights};
use crate::parallel::Scratch;
use crate::{Shape, embedding, gelu, gemm, head, math, norm};

/// The model as a pass reads it.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) isa: InstructionSet,
    pub(super) shape: Shape,
    pub(super) packed: PackedWeights,
    /// `[V × D]`, to look tokens up.
    pub(super) table: Vec<f32>,
    /// Two of each block, then the last: `[(2L + 1) × D]`.
    pub(super) norms: Vec<f32>,
    pub(super) slopes: Vec<f32>,
}

impl Weights {
    fn norm(&self, index: usize) -> &[f32] {
        &self.norms[index * self.shape.width..][..self.shape.width]
    }

    fn factor(&self, matrix: Matrix) -> PackedRight<'_, f32> {
        self.packed.forward(self.isa, &self.shape, matrix)
    }
}

/// A tree and the caches before it.
pub(super) struct Rooted<'a> {
    pub(super) tree: &'a PrefixTree,
    /// Caches before it, first to last.
    pub(super) past: &'a [usize],
    /// The cache its keys and values are put into.
    pub(super) keep: Option<usize>,
}

/// Arrays of a pass. They grow to the largest pass so far.
#[derive(Debug)]
pub(super) struct Arrays {
    threads: usize,
    residual: Aligned,
    normal: Aligned,
    stats: Aligned,
    qkv: Aligned,
    attended: Aligned,
    hidden: Aligned,
    logits: Aligned,
    gathered: Aligned,
    scratch: Scratch,
    /// Values of each thread's scratch.
    scratch_len: usize,
}

impl Arrays {
    pub(super) fn new(threads: usize) -> Self {
        let none = || Aligned::new(0);
        Self {
            threads,
            residual: none(),
            normal: none(),
            stats: none(),
            qkv: none(),
            attended: none(),
            hidden: none(),
            logits: none(),
            gathered: none(),
            scratch: Scratch::new(threads, gemm::scratch_len()),
            scratch_len: gemm::scratch_len(),
        }
    }

    /// Enlarges the arrays for a pass of `n` rows, at most `tree` of them in one tree.
    fn grow(&mut self, shape: &Shape, n: usize, tree: usize) {
        let d = shape.width;
        for (array, len) in [
            (&mut self.residual, n * d),
            (&mut self.normal, n * d),
            (&mut self.stats, 2 * n),
            (&mut self.qkv, 3 * n * d),
            (&mut self.attended, n * d),
            (&mut self.hidden, 4 * n * d),
        ] {
            at_least(array, len);
        }
        let len = scratch_len(tree, d / shape.heads);
        if len > self.scratch_len {
            self.scratch_len = len;
            self.scratch = Scratch::new(self.threads, len);
        }
    }
}

fn at_least(array: &mut Aligned, len: usize) {
    if array.values().len() < len {
        *array = Aligned::new(len);
    }
}

/// Runs all blocks and the last norm on the rows of `trees`, in their order. The input of the head
/// is then in `arrays.normal`, and the caches named by `keep` have grown by the rows of their tree.
pub(super) fn run(
    weights: &Weights,
    arrays: &mut Arrays,
    caches: &mut [Cache],
    trees: &[Rooted<'_>],
) {
    let Weights { isa, shape, .. } = *weights;
    let d = shape.width;
    let tokens: Vec<u32> = trees.iter().flat_map(|rooted| &rooted.tree.tokens).copied().collect();
    let n = tokens.len();
    let largest = trees.iter().map(|rooted| rooted.tree.tokens.len()).max().unwrap_or(0);
    arrays.grow(&shape, n, largest);
    let mut end = 0;
    let views: Vec<View<'_>> = trees
        .iter()
        .map(|rooted| {
            let start = end;
            end += rooted.tree.tokens.len();
            View { nodes: &rooted.tree.nodes, rows: start..end, past: rooted.past }
        })
        .collect();

    let scratch = &arrays.scratch;
    let residual = &mut arrays.residual.values_mut()[..n * d];
    let normal = &mut arrays.normal.values_mut()[..n * d];
    let stats = &mut arrays.stats.values_mut()[..2 * n];
    let qkv = &mut arrays.qkv.values_mut()[..3 * n * d];
    let attended = &mut arrays.attended.values_mut()[..n * d];
    let hidden = &mut arrays.hidden.values_mut()[..4 * n * d];
    let rows = gemm::block_rows::<f32>(isa, n);
    let project = |matrix: Matrix, x: &[f32], out: &mut [f32], finish: Finish<'_>| {
        let (width, k) = matrix.size(&shape);
        let factors = (Left::Along { data: x, row: k }, weights.factor(matrix));
        let outputs = out.par_chunks_mut(rows * width);
        let size = Size { m: n, n: width, k };
        gemm::product_with(isa, size, factors, scratch, outputs, |out, tile| {
            for (values, out) in tile.rows().zip(out.chunks_exact_mut(width)) {
                finish(values, &mut out[tile.columns()]);
            }
        });
    };
    // Added in place: a block of rows belongs to one task.
    let add = |matrix: Matrix, x: &[f32], stream: &mut [f32]| {
        let (width, k) = matrix.size(&shape);
        let factors = (Left::Along { data: x, row: k }, weights.factor(matrix));
        let outputs = stream.par_chunks_mut(rows * width);
        let size = Size { m: n, n: width, k };
        gemm::product_with(isa, size, factors, scratch, outputs, |stream, tile| {
            add_rows(isa, &tile, stream, width);
        });
    };
    let clip = shape.clip_qkv.unwrap_or(f32::INFINITY);

    embedding::forward(&tokens, &weights.table, residual, d);
    for layer in 0..shape.layers {
        norm::forward(isa, (&*residual, weights.norm(2 * layer)), normal, stats);
        project(Matrix::Wqkv(layer), normal, qkv, &|x, out| clamp(isa, x, clip, out));
        for (rooted, view) in trees.iter().zip(&views) {
            if let Some(cache) = rooted.keep {
                let Range { start, end } = view.rows;
                caches[cache].put(layer, &qkv[3 * d * start..3 * d * end]);
            }
        }
        let heads = Heads { t: n, h: shape.heads, k: d / shape.heads };
        let slopes = &weights.slopes;
        let of_layer = Layer { isa, heads, slopes, caches, index: layer, qkv };
        attention::forward(of_layer, &views, attended, scratch);
        add(Matrix::OutProj(layer), attended, residual);

        norm::forward(isa, (&*residual, weights.norm(2 * layer + 1)), normal, stats);
        project(Matrix::UpProj(layer), normal, hidden, &|x, out| gelu::forward(isa, x, out));
        add(Matrix::DownProj(layer), hidden, residual);
    }
    norm::forward(isa, (&*residual, weights.norm(2 * shape.layers)), normal, stats);
    for (rooted, view) in trees.iter().zip(&views) {
        if let Some(cache) = rooted.keep {
            caches[cache].grow(view.rows.len());
        }
    }
}

/// Turns a row of a tile of a product into a row of the output.
type Finish<'a> = &'a (dyn Fn(&[f32], &mut [f32]) + Sync);

/// Passes the logits of some rows of the last pass to `read`, chunk by chunk.
///
/// - `read`: gets the index in `rows` of the first row of the chunk, and the logits, `[m × V]`.
pub(super) fn logits(
    weights: &Weights,
    arrays: &mut Arrays,
    rows: &[usize],
    mut read: impl FnMut(usize, &[f32]),
) {
    let Weights { isa, shape, .. } = *weights;
    let (v, d) = (shape.vocab, shape.width);
    let chunk = head::rows(rows.len(), v);
    at_least(&mut arrays.gathered, chunk * d);
    at_least(&mut arrays.logits, chunk * v);
    let normal = arrays.normal.values();
    for (first, rows) in (0..).step_by(chunk.max(1)).zip(rows.chunks(chunk.max(1))) {
        let gathered = &mut arrays.gathered.values_mut()[..rows.len() * d];
        for (out, row) in gathered.chunks_exact_mut(d).zip(rows) {
            out.copy_from_slice(&normal[row * d..][..d]);
        }
        let logits = &mut arrays.logits.values_mut()[..rows.len() * v];
        let left = Left::Along { data: &*gathered, row: d };
        let factors = (left, weights.factor(Matrix::Embedding), &mut *logits);
        let size = Size { m: rows.len(), n: v, k: d };
        gemm::product(isa, size, factors, Store::Replace, &arrays.scratch);
        read(first, logits);
    }
}

versions! {
    /// The index of the largest logit (the lowest of equal ones), and `ln Σ e^logit`.
    pub(super) fn summary(logits: &[f32]) -> (u32, f32) = summary_body, fused;
}

#[inline(always)]
fn summary_body(logits: &[f32], fused: bool) -> (u32, f32) {
    let largest = math::max(logits);
    let index = logits.iter().position(|&logit| logit == largest);
    let sum = math::sum(logits.len(), |i| math::exp(logits[i] - largest, fused));
    (index.unwrap_or(0) as u32, largest + sum.ln())
}

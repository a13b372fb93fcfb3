//! The forward pass, from tokens to the hidden states the head reads.

use rayon::prelude::*;

use crate::arena::Views;
use crate::attention::{self, Heads};
use crate::kernel::{Kernel, Size, Store};
use crate::parallel::VALUES;
use crate::shape::Shape;
use crate::{embedding, gelu, gemm, norm};

/// What a pass needs to know and does not change.
#[derive(Clone, Copy)]
pub(crate) struct Model<'a> {
    pub(crate) kernel: Kernel,
    /// With `context` the length of the sequences at hand.
    pub(crate) shape: &'a Shape,
    pub(crate) weights: &'a [f32],
    pub(crate) slopes: &'a [f32],
}

impl Model<'_> {
    /// Sizes of attention.
    pub(crate) fn heads(&self) -> Heads {
        let Shape { context: t, heads: h, width, .. } = *self.shape;
        Heads { t, h, k: width / h }
    }

    /// `out (+)= x·Wᵀ` for the weight at `range`.
    fn project(
        &self,
        range: std::ops::Range<usize>,
        (x, out): (&[f32], &mut [f32]),
        (k, n): (usize, usize),
        store: Store,
        pack: &mut [f32],
    ) {
        let size = Size { m: x.len() / k, n, k };
        gemm::rows_by_rows(self.kernel, size, (x, &self.weights[range], out), store, pack);
    }

    /// Runs the blocks and the last norm; the result is the last row of `normal`.
    pub(crate) fn forward(&self, tokens: &[u32], views: &mut Views<'_>) {
        let (shape, d, n) = (self.shape, self.shape.width, tokens.len());
        let (weights, kernel) = (self.weights, self.kernel);
        let table = &weights[shape.embedding()];
        embedding::forward(tokens, table, &mut views.residual[..n * d], d);
        for i in 0..shape.layers {
            let block = shape.block(i);
            let (before, after) = views.residual[2 * i * n * d..].split_at_mut(n * d);
            let (middle, after) = after.split_at_mut(n * d);
            let after = &mut after[..n * d];
            let (normal_1, normal_2) = views.normal[2 * i * n * d..].split_at_mut(n * d);
            let normal_2 = &mut normal_2[..n * d];
            let (stats_1, stats_2) = views.stats[4 * i * n..].split_at_mut(2 * n);
            let qkv = &mut views.qkv[i * 3 * n * d..][..3 * n * d];
            let attended = &mut views.attended[i * n * d..][..n * d];
            let log_sums = &mut views.log_sums[i * n * shape.heads..][..n * shape.heads];
            let up = &mut views.up[i * 4 * n * d..][..4 * n * d];
            let hidden = &mut views.hidden[..4 * n * d];

            norm::forward(kernel, (before, &weights[block.norm_1]), normal_1, stats_1);
            self.project(block.wqkv, (normal_1, qkv), (d, 3 * d), Store::Replace, views.pack);
            if let Some(clip) = shape.clip_qkv {
                clamp(qkv, clip);
            }
            let inputs = (&*qkv, self.slopes);
            attention::forward(kernel, self.heads(), inputs, attended, log_sums, views.heads);
            copy(before, middle);
            self.project(block.out_proj, (attended, middle), (d, d), Store::Add, views.pack);

            norm::forward(
                kernel,
                (middle, &weights[block.norm_2]),
                normal_2,
                &mut stats_2[..2 * n],
            );
            self.project(block.up_proj, (normal_2, up), (d, 4 * d), Store::Replace, views.pack);
            gelu::forward(kernel, up, hidden);
            copy(middle, after);
            self.project(block.down_proj, (hidden, after), (4 * d, d), Store::Add, views.pack);
        }
        let last = 2 * shape.layers;
        norm::forward(
            kernel,
            (&views.residual[last * n * d..][..n * d], &weights[shape.norm_f()]),
            &mut views.normal[last * n * d..][..n * d],
            &mut views.stats[last * 2 * n..][..2 * n],
        );
    }
}

/// Clamps to ±`clip`.
fn clamp(values: &mut [f32], clip: f32) {
    values.par_chunks_mut(VALUES).for_each(|values| {
        for value in values {
            *value = value.clamp(-clip, clip);
        }
    });
}

/// Copies the residual stream, onto which the next projection adds.
fn copy(from: &[f32], to: &mut [f32]) {
    to.par_chunks_mut(VALUES)
        .zip(from.par_chunks(VALUES))
        .for_each(|(to, from)| to.copy_from_slice(from));
}

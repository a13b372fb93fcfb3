//! The backward pass, from the head's gradient to every weight's.

use std::ops::Range;

use crate::arena::Views;
use crate::attention::{self, Saved};
use crate::forward::Model;
use crate::kernel::{Size, Store};
use crate::{embedding, gelu, gemm, norm};

impl Model<'_> {
    /// One linear layer: `dw += dyᵀ·x`, `dx = dy·W`.
    fn project_back(
        &self,
        range: Range<usize>,
        (x, dy): (&[f32], &[f32]),
        (k, n): (usize, usize),
        (dx, gradients): (&mut [f32], &mut [f32]),
        pack: &mut [f32],
    ) {
        let (kernel, rows) = (self.kernel, x.len() / k);
        let weight = &self.weights[range.clone()];
        let dw = &mut gradients[range];
        gemm::columns_by_columns(
            kernel,
            Size { m: n, n: k, k: rows },
            (dy, x, dw),
            Store::Add,
            pack,
        );
        gemm::rows_by_columns(
            kernel,
            Size { m: rows, n: k, k: n },
            (dy, weight, dx),
            Store::Replace,
            pack,
        );
    }

    /// Takes the gradient in `views.narrow`, of the last norm's result, back to the embedding;
    /// every weight's is added to `gradients`.
    pub(crate) fn backward(&self, tokens: &[u32], views: &mut Views<'_>, gradients: &mut [f32]) {
        let (shape, d, n) = (self.shape, self.shape.width, tokens.len());
        views.stream[..n * d].fill(0.0);
        self.norm_back(2 * shape.layers, shape.norm_f(), views, gradients, n);
        for i in (0..shape.layers).rev() {
            let block = shape.block(i);
            let up = &views.up[i * 4 * n * d..][..4 * n * d];
            let (wide, narrow) = (&mut views.wide[..4 * n * d], &mut views.narrow[..n * d]);
            let hidden = &mut views.hidden[..4 * n * d];
            gelu::forward(self.kernel, up, hidden);
            let stream = &views.stream[..n * d];
            self.project_back(
                block.down_proj,
                (hidden, stream),
                (4 * d, d),
                (wide, gradients),
                views.pack,
            );
            gelu::backward(self.kernel, up, wide);
            let normal_2 = &views.normal[(2 * i + 1) * n * d..][..n * d];
            self.project_back(
                block.up_proj,
                (normal_2, wide),
                (d, 4 * d),
                (narrow, gradients),
                views.pack,
            );
            self.norm_back(2 * i + 1, block.norm_2, views, gradients, n);

            let (wide, narrow) = (&mut views.wide[..3 * n * d], &mut views.narrow[..n * d]);
            let stream = &views.stream[..n * d];
            let attended = &views.attended[i * n * d..][..n * d];
            self.project_back(
                block.out_proj,
                (attended, stream),
                (d, d),
                (narrow, gradients),
                views.pack,
            );
            let saved = Saved {
                qkv: &views.qkv[i * 3 * n * d..][..3 * n * d],
                out: attended,
                dout: narrow,
                log_sums: &views.log_sums[i * n * shape.heads..][..n * shape.heads],
                clip: shape.clip_qkv,
            };
            attention::backward(self.kernel, self.heads(), saved, self.slopes, wide, views.heads);
            let normal_1 = &views.normal[2 * i * n * d..][..n * d];
            self.project_back(
                block.wqkv,
                (normal_1, wide),
                (d, 3 * d),
                (narrow, gradients),
                views.pack,
            );
            self.norm_back(2 * i, block.norm_1, views, gradients, n);
        }
        let dtable = &mut gradients[shape.embedding()];
        embedding::backward(tokens, &views.stream[..n * d], dtable, d);
    }

    /// The `which`-th norm: adds the gradient of its input to the stream's.
    fn norm_back(
        &self,
        which: usize,
        weight: Range<usize>,
        views: &mut Views<'_>,
        gradients: &mut [f32],
        n: usize,
    ) {
        let d = self.shape.width;
        norm::backward(
            self.kernel,
            (
                &views.narrow[..n * d],
                &views.residual[which * n * d..][..n * d],
                &self.weights[weight.clone()],
                &views.stats[which * 2 * n..][..2 * n],
            ),
            &mut views.stream[..n * d],
            &mut gradients[weight],
            views.partial,
        );
    }
}

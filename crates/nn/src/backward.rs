//! The backward pass, from the head's gradient to every weight's.

use rayon::prelude::*;

use crate::arena::Views;
use crate::attention::{self, Saved};
use crate::element::Element;
use crate::forward::Model;
use crate::kernel::{Left, Size, Store, versions};
use crate::mpt::Mpt;
use crate::packed_weights::Matrix;
use crate::{embedding, gemm, norm};

impl Model<'_> {
    /// `dW += dyᵀ·x`.
    fn weight_back<E: Element>(
        &self,
        matrix: Matrix,
        (x, dy): (&[E], &[E]),
        gradients: &mut [f32],
        buffers: &mut gemm::PackBuffers<'_, E>,
    ) {
        let (m, n) = matrix.size(self.shape);
        let dw = &mut gradients[matrix.range(self.shape)];
        let size = Size { m, n, k: x.len() / n };
        gemm::columns_by_columns(self.isa, size, (dy, x, dw), buffers, self.scratch);
    }

    /// `dx = dy·W` in fp32.
    fn input_back<E: Element>(&self, matrix: Matrix, dy: &[E], dx: &mut [f32]) {
        let (k, n) = matrix.size(self.shape);
        let right = self.packed.back(self.isa, self.shape, matrix);
        let size = Size { m: dy.len() / k, n, k };
        let left = Left::Along { data: dy, row: k };
        gemm::product(self.isa, size, (left, right, dx), Store::Replace, self.scratch);
    }

    /// `dx = dy·W` as a factor; where there is a `slope`, times it.
    fn input_back_as_factor<E: Element>(
        &self,
        matrix: Matrix,
        dy: &[E],
        slope: Option<&[E]>,
        dx: &mut [E],
    ) {
        let (isa, (k, n)) = (self.isa, matrix.size(self.shape));
        let factors = (Left::Along { data: dy, row: k }, self.packed.back(isa, self.shape, matrix));
        let size = Size { m: dy.len() / k, n, k };
        let chunk = gemm::block_rows::<E>(isa, size.m) * n;
        let outputs = dx.par_chunks_mut(chunk).enumerate();
        let finish = |(block, dx): &mut (usize, &mut [E]), tile: gemm::OutputTile<'_>| {
            for (i, (values, dx)) in tile.rows().zip(dx.chunks_exact_mut(n)).enumerate() {
                let dx = &mut dx[tile.columns()];
                match slope {
                    Some(slope) => {
                        let start = *block * chunk + i * n;
                        scale(isa, values, &slope[start..][tile.columns()], dx);
                    }
                    None => round(isa, values, dx),
                }
            }
        };
        gemm::product_with(isa, size, factors, self.scratch, outputs, finish);
    }

    /// Takes the gradient in `views.narrow`, of the last norm's result, back to the embedding;
    /// every weight's is added to `gradients`.
    pub(crate) fn backward<E: Element>(
        &self,
        tokens: &[u32],
        views: &mut Views<'_, E>,
        gradients: &mut [f32],
    ) {
        let (shape, d, n) = (self.shape, self.shape.width, tokens.len());
        views.stream[..n * d].fill(0.0);
        let last = &views.residual[shape.layers * n * d..][..n * d];
        let inputs = (&views.narrow[..n * d], last, &self.weights[shape.norm_f()], &*views.stats_f);
        let outputs = (&mut views.stream[..n * d], &mut views.stream_factor[..n * d]);
        let dweight = &mut gradients[shape.norm_f()];
        norm::backward(self.isa, inputs, outputs, dweight, views.partial);
        for i in (0..shape.layers).rev() {
            if self.recompute {
                self.block_to_hidden(i, n, views);
            }
            self.feed_forward_back(i, n, views, gradients);
            self.attention_back(i, n, views, gradients);
        }
        let dtable = &mut gradients[shape.embedding()];
        embedding::backward(tokens, &views.stream[..n * d], dtable, d);
    }

    /// From the stream after block `i` to the stream between its halves.
    fn feed_forward_back<E: Element>(
        &self,
        i: usize,
        n: usize,
        views: &mut Views<'_, E>,
        gradients: &mut [f32],
    ) {
        let (d, slot, block) = (self.shape.width, self.slot(i), self.shape.block(i));
        let hidden = &views.hidden[slot * 4 * n * d..][..4 * n * d];
        let slope = &views.slope[slot * 4 * n * d..][..4 * n * d];
        let normal = &views.normal_2[slot * n * d..][..n * d];
        let dy = &views.stream_factor[..n * d];
        let wide = &mut views.wide[..4 * n * d];
        let narrow = &mut views.narrow[..n * d];
        let mut buffers = gemm::PackBuffers { left: views.pack_left, right: views.pack_right };
        self.weight_back(Matrix::DownProj(i), (hidden, dy), gradients, &mut buffers);
        self.input_back_as_factor(Matrix::DownProj(i), dy, Some(slope), wide);
        self.weight_back(Matrix::UpProj(i), (normal, wide), gradients, &mut buffers);
        self.input_back(Matrix::UpProj(i), wide, narrow);

        let middle = &views.middle[slot * n * d..][..n * d];
        let stats = &views.stats_2[slot * 2 * n..][..2 * n];
        let inputs = (&*narrow, middle, &self.weights[block.norm_2.clone()], stats);
        let outputs = (&mut views.stream[..n * d], &mut views.stream_factor[..n * d]);
        norm::backward(self.isa, inputs, outputs, &mut gradients[block.norm_2], views.partial);
    }

    /// From there to the stream before block `i`.
    fn attention_back<E: Element>(
        &self,
        i: usize,
        n: usize,
        views: &mut Views<'_, E>,
        gradients: &mut [f32],
    ) {
        let (d, h, slot) = (self.shape.width, self.shape.heads, self.slot(i));
        let block = self.shape.block(i);
        let attended = &views.attended[slot * n * d..][..n * d];
        let normal = &views.normal_1[slot * n * d..][..n * d];
        let dy = &views.stream_factor[..n * d];
        let dattended = &mut views.dattended[..n * d];
        let wide = &mut views.wide[..3 * n * d];
        let narrow = &mut views.narrow[..n * d];
        let mut buffers = gemm::PackBuffers { left: views.pack_left, right: views.pack_right };
        self.weight_back(Matrix::OutProj(i), (attended, dy), gradients, &mut buffers);
        self.input_back_as_factor(Matrix::OutProj(i), dy, None, dattended);
        let saved = Saved {
            qkv: &views.qkv[slot * 3 * n * d..][..3 * n * d],
            out: attended,
            dout: dattended,
            log_sums: &views.log_sums[slot * n * h..][..n * h],
            clip: self.shape.clip_qkv,
        };
        attention::backward(self.isa, self.heads(), saved, self.slopes, wide, self.scratch);
        self.weight_back(Matrix::Wqkv(i), (normal, wide), gradients, &mut buffers);
        self.input_back(Matrix::Wqkv(i), wide, narrow);

        let before = &views.residual[i * n * d..][..n * d];
        let stats = &views.stats_1[slot * 2 * n..][..2 * n];
        let inputs = (&*narrow, before, &self.weights[block.norm_1.clone()], stats);
        let outputs = (&mut views.stream[..n * d], &mut views.stream_factor[..n * d]);
        norm::backward(self.isa, inputs, outputs, &mut gradients[block.norm_1], views.partial);
    }
}

versions! {
    fn round<E: Element>(values: &[f32], out: &mut [E]) = round_body;
    fn scale<E: Element>(values: &[f32], by: &[E], out: &mut [E]) = scale_body;
}

#[inline(always)]
fn round_body<E: Element>(values: &[f32], out: &mut [E]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = (*value).into();
    }
}

#[inline(always)]
fn scale_body<E: Element>(values: &[f32], by: &[E], out: &mut [E]) {
    for ((out, value), by) in out.iter_mut().zip(values).zip(by) {
        *out = (value * by.value()).into();
    }
}

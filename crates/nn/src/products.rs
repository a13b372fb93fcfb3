//! Speed of each product of a training step: where the time of a step goes, and how far each
//! product is from the peak of the machine.

use std::time::Instant;

use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};

use crate::attention::{self, Heads, Saved, alibi_slopes};
use crate::element::{Bf16, Element};
use crate::gemm::{self, PackBuffers};
use crate::kernel::{InstructionSet, Left, Right, Size, Store};
use crate::mpt::Mpt;
use crate::packed_weights::Matrix;
use crate::parallel::Scratch;
use crate::{Compute, Precision, Shape, head};

/// Measurements per product; the median is reported.
const ROUNDS: usize = 5;

/// The speed of one product of a training step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductSpeed {
    /// `Wqkv forward`, `up_proj weights`, `attention`…
    pub name: String,
    /// Rows, columns and terms of the result; positions, positions and head width of attention.
    pub size: [usize; 3],
    /// FLOPs of all blocks in one microbatch; for attention only the causal half.
    pub flops: f64,
    /// FLOPs per second; includes packing if a step packs each time.
    pub flops_per_second: f64,
}

/// Measures every product of a training step on one microbatch, with pseudo-random values.
///
/// # Panics
///
/// If [`Engine::new`](crate::Engine::new) refuses the arguments.
pub fn measure_products(shape: Shape, batch: usize, compute: Compute) -> Vec<ProductSpeed> {
    shape.check().expect("the caller has checked the shape");
    let pool = ThreadPoolBuilder::new().num_threads(compute.threads).build();
    pool.expect("threads to compute with").install(|| match compute.precision {
        Precision::Bf16 => Products::<Bf16>::new(shape, batch, compute).measure(),
        Precision::Fp32 => Products::<f32>::new(shape, batch, compute).measure(),
    })
}

struct Products<E> {
    isa: InstructionSet,
    shape: Shape,
    tokens: usize,
    scratch: Scratch,
    /// At least as many values as any factor has.
    values: Vec<E>,
}

impl<E: Element> Products<E> {
    fn new(shape: Shape, batch: usize, compute: Compute) -> Self {
        let isa = InstructionSet::best(compute.precision);
        let tokens = shape.microbatch(batch) * shape.context;
        let Shape { width: d, heads: h, context: t, vocab: v, .. } = shape;
        let attention_len = attention::scratch_len::<E>(Heads { t, h, k: d / h });
        let most = (tokens * 4 * d).max(head::rows(tokens, v) * v);
        let value = |i: usize| ((i * 7919 % 1009) as f32 / 1009.0 - 0.5).into();
        Self {
            isa,
            shape,
            tokens,
            scratch: Scratch::new(compute.threads, attention_len.max(gemm::scratch_len())),
            values: (0..most).map(value).collect(),
        }
    }

    fn measure(&self) -> Vec<ProductSpeed> {
        let layers = self.shape.layers;
        let matrices = [
            ("Wqkv", Matrix::Wqkv(0), self.tokens, layers),
            ("out_proj", Matrix::OutProj(0), self.tokens, layers),
            ("up_proj", Matrix::UpProj(0), self.tokens, layers),
            ("down_proj", Matrix::DownProj(0), self.tokens, layers),
            // The head is computed chunk by chunk.
            ("head", Matrix::Embedding, head::rows(self.tokens, self.shape.vocab), 1),
        ];
        let mut speeds = Vec::new();
        for (name, matrix, rows, times) in matrices {
            let times = times as f64 * self.tokens as f64 / rows as f64;
            speeds.extend(self.matrix(name, matrix, rows, times));
        }
        speeds.push(self.attention());
        speeds
    }

    /// `y = x·Wᵀ`, `dx = dy·W` and `dW = dyᵀ·x`, `times` times per step.
    fn matrix(&self, name: &str, matrix: Matrix, rows: usize, times: f64) -> [ProductSpeed; 3] {
        let Self { isa, ref scratch, .. } = *self;
        let (n, k) = matrix.size(&self.shape);
        let weights: Vec<f32> = self.values.iter().map(|v| v.value()).cycle().take(n * k).collect();
        let (x, dy) = (&self.values[..rows * k], &self.values[..rows * n]);
        let mut there = vec![E::default(); gemm::packed_len_max(k, n)];
        let across = Right::Across { data: &weights[..], column: k };
        let across = gemm::pack(isa, across, (k, n), &mut there);
        let mut back = vec![E::default(); gemm::packed_len_max(n, k)];
        let along = gemm::pack(isa, Right::Along { data: &weights[..], row: k }, (n, k), &mut back);
        let mut y = vec![0.0; rows * n.max(k)];
        let mut dw = vec![0.0; n * k];
        let mut left = vec![0; gemm::left_buffer_len::<E>(isa, rows, n)];
        let mut right = vec![E::default(); gemm::right_buffer_len(rows, k)];
        let mut buffers = PackBuffers { left: &mut left, right: &mut right };

        let sizes = [
            ("forward", Size { m: rows, n, k }),
            ("inputs", Size { m: rows, n: k, k: n }),
            ("weights", Size { m: n, n: k, k: rows }),
        ];
        sizes.map(|(direction, size)| {
            let seconds = median_seconds(|| match direction {
                "forward" => {
                    let factors = (Left::Along { data: x, row: k }, across, &mut y[..]);
                    gemm::product(isa, size, factors, Store::Replace, scratch);
                }
                "inputs" => {
                    let factors = (Left::Along { data: dy, row: n }, along, &mut y[..]);
                    gemm::product(isa, size, factors, Store::Replace, scratch);
                }
                _ => gemm::columns_by_columns(isa, size, (dy, x, &mut dw), &mut buffers, scratch),
            });
            let flops = 2.0 * (rows * n * k) as f64;
            ProductSpeed {
                name: format!("{name} {direction}"),
                size: [size.m, size.n, size.k],
                flops: flops * times,
                flops_per_second: flops / seconds,
            }
        })
    }

    /// Both directions of attention, softmax and packing included.
    fn attention(&self) -> ProductSpeed {
        let Shape { width: d, heads: h, context: t, .. } = self.shape;
        let heads = Heads { t, h, k: d / h };
        let (n, slopes) = (self.tokens, alibi_slopes(h));
        let qkv = &self.values[..3 * n * d];
        let mut out = vec![E::default(); n * d];
        let mut dqkv = vec![E::default(); 3 * n * d];
        let mut log_sums = vec![0.0; n * h];
        let seconds = median_seconds(|| {
            let outputs = (&mut out[..], &mut log_sums[..]);
            attention::forward(self.isa, heads, (qkv, &slopes), outputs, &self.scratch);
            let dout = &self.values[..n * d];
            let saved = Saved { qkv, out: &out, dout, log_sums: &log_sums, clip: None };
            attention::backward(self.isa, heads, saved, &slopes, &mut dqkv, &self.scratch);
        });
        // Two products forward and four backward, half of each because attention is causal; the
        // product that the backward pass recomputes is not counted.
        let flops = 6.0 * (n * d * (t + 1)) as f64;
        ProductSpeed {
            name: "attention".to_owned(),
            size: [t, t, heads.k],
            flops: flops * self.shape.layers as f64,
            flops_per_second: flops / seconds,
        }
    }
}

/// Median seconds of a call, after a first call that touches the memory.
fn median_seconds(mut call: impl FnMut()) -> f64 {
    call();
    let mut seconds = [(); ROUNDS].map(|()| {
        let start = Instant::now();
        call();
        start.elapsed().as_secs_f64()
    });
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_products_of_a_step_have_its_flops() {
        let shape =
            Shape { layers: 2, width: 32, heads: 2, context: 64, vocab: 100, clip_qkv: None };
        for precision in [Precision::Bf16, Precision::Fp32] {
            let compute = Compute { precision, recompute: false, threads: 2 };
            let products = measure_products(shape, 3, compute);
            assert_eq!(products.len(), 5 * 3 + 1);
            assert!(products.iter().all(|product| product.flops_per_second > 0.0));
            let total: f64 = products.iter().map(|product| product.flops).sum();
            // The convention counts norms as products and attention in full.
            let norms = 6 * 3 * 64 * (2 * 2 + 1) * 32;
            let masked = 6 * 2 * 3 * 64 * 32 * (64 - 1);
            assert_eq!(total, shape.flops(3) as f64 - f64::from(norms) - f64::from(masked));
        }
    }
}

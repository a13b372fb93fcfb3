//! The step in Burn, on its CPU backend `flex`.

use burn::tensor::module::{attention, embedding, layer_norm};
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, activation};

use crate::{BETAS, KEEP, LR, Shape, serve};

/// Matrices: the embedding, then four of each block. Norms: two of each block, then the last.
struct Weights {
    matrices: Vec<Tensor<2>>,
    norms: Vec<Tensor<1>>,
}

impl Weights {
    fn new(shape: &Shape, device: &Device) -> Self {
        let d = shape.width;
        let mut sizes = vec![[shape.vocab, d]];
        for _ in 0..shape.layers {
            // Input by output, which spares the framework a transposition.
            sizes.extend([[d, 3 * d], [d, d], [d, 4 * d], [4 * d, d]]);
        }
        let normal =
            |size| Tensor::random(size, Distribution::Normal(0.0, 0.02), device).require_grad();
        Self {
            matrices: sizes.into_iter().map(normal).collect(),
            norms: (0..2 * shape.layers + 1)
                .map(|_| Tensor::ones([d], device).require_grad())
                .collect(),
        }
    }

    /// Mean loss. `inputs`: `[batch, context]`; `targets`: `[batch * (context - 1), 1]`.
    fn loss(
        &self,
        shape: &Shape,
        inputs: &Tensor<2, Int>,
        targets: &Tensor<2, Int>,
        bias: &Tensor<4>,
    ) -> Tensor<1> {
        let Shape { batch: b, context: t, heads: h, width: d, .. } = *shape;
        let norm =
            |x: &Tensor<2>, i: usize| layer_norm(x.clone(), self.norms[i].clone(), None, 1e-5);
        let mut x = embedding(self.matrices[0].clone(), inputs.clone()).reshape([b * t, d]);
        for (i, weights) in self.matrices[1..].chunks(4).enumerate() {
            let qkv = norm(&x, 2 * i).matmul(weights[0].clone()).reshape([b, t, 3, h, d / h]);
            let qkv = qkv.permute([2, 0, 3, 1, 4]);
            let part =
                |i: usize| -> Tensor<4> { qkv.clone().narrow(0, i, 1).reshape([b, h, t, d / h]) };
            let options = AttentionModuleOptions::default();
            let y = attention(part(0), part(1), part(2), None, Some(bias.clone()), options);
            let y: Tensor<2> = y.swap_dims(1, 2).reshape([b * t, d]);
            x = x + y.matmul(weights[1].clone());
            let up = activation::gelu(norm(&x, 2 * i + 1).matmul(weights[2].clone()));
            x = x + up.matmul(weights[3].clone());
        }
        let x = norm(&x, 2 * shape.layers).reshape([b, t, d]).narrow(1, 0, t - 1);
        let x: Tensor<2> = x.reshape([b * (t - 1), d]);
        let logits = x.matmul(self.matrices[0].clone().transpose());
        activation::log_softmax(logits, 1).gather(1, targets.clone()).mean().neg()
    }
}

/// One LionW step on a weight, its gradient scaled first.
fn lion<const N: usize>(
    weight: &mut Tensor<N>,
    momentum: &mut Tensor<N>,
    grad: Tensor<N>,
    scale: f64,
) {
    let grad = grad * scale;
    let update = momentum.clone() * BETAS[0] + grad.clone() * (1.0 - BETAS[0]);
    let new = weight.clone().inner() * KEEP - update.sign() * LR;
    *weight = Tensor::from_inner(new).require_grad();
    *momentum = momentum.clone() * BETAS[1] + grad * (1.0 - BETAS[1]);
}

fn squares<const N: usize>(grads: &[Tensor<N>]) -> f64 {
    let one = |grad: &Tensor<N>| f64::from(grad.clone().square().sum().into_scalar::<f32>());
    grads.iter().map(one).sum()
}

/// Serves steps.
pub(crate) fn run(shape: &Shape) {
    let device = Device::flex().autodiff();
    let mut weights = Weights::new(shape, &device);
    let (b, t, h) = (shape.batch, shape.context, shape.heads);
    let ids: Vec<i32> = shape.tokens().into_iter().map(|id| id as i32).collect();
    let inputs = Tensor::<2, Int>::from_data(TensorData::new(ids, [b, t]), &device);
    let targets = inputs.clone().narrow(1, 1, t - 1).reshape([b * (t - 1), 1]);
    let bias = Tensor::<4>::from_data(TensorData::new(shape.bias(), [1, h, t, t]), &device);
    let bias = bias.expand([b, h, t, t]);
    let mut momenta_2: Vec<Tensor<2>> =
        weights.matrices.iter().map(|w| w.clone().inner().zeros_like()).collect();
    let mut momenta_1: Vec<Tensor<1>> =
        weights.norms.iter().map(|w| w.clone().inner().zeros_like()).collect();
    serve("burn flex, fp32", || {
        let loss = weights.loss(shape, &inputs, &targets, &bias);
        let grads = loss.backward();
        let used = "every weight is used";
        let grads_2: Vec<_> =
            weights.matrices.iter().map(|w| w.grad(&grads).expect(used)).collect();
        let grads_1: Vec<_> = weights.norms.iter().map(|w| w.grad(&grads).expect(used)).collect();
        let norm = (squares(&grads_2) + squares(&grads_1)).sqrt();
        let scale = (1.0 / (norm + 1e-6)).min(1.0);
        for ((w, m), g) in weights.matrices.iter_mut().zip(&mut momenta_2).zip(grads_2) {
            lion(w, m, g, scale);
        }
        for ((w, m), g) in weights.norms.iter_mut().zip(&mut momenta_1).zip(grads_1) {
            lion(w, m, g, scale);
        }
        loss.into_scalar()
    });
}

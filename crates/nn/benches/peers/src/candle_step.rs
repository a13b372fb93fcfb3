//! The step in Candle.

use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::{LayerNorm, Module, loss, ops};

use crate::{BETAS, KEEP, LR, Shape, serve};

/// One block's weights.
struct Block {
    norm_1: Var,
    wqkv: Var,
    out_proj: Var,
    norm_2: Var,
    up_proj: Var,
    down_proj: Var,
}

struct Decoder {
    shape: Shape,
    wte: Var,
    blocks: Vec<Block>,
    norm_f: Var,
    bias: Tensor,
}

fn normal(rows: usize, columns: usize) -> Result<Var> {
    Var::randn(0f32, 0.02, (rows, columns), &Device::Cpu)
}

fn ones(width: usize) -> Result<Var> {
    Var::ones(width, DType::F32, &Device::Cpu)
}

fn norm(x: &Tensor, weight: &Var) -> Result<Tensor> {
    LayerNorm::new_no_bias(weight.as_tensor().clone(), 1e-5).forward(x)
}

fn linear(x: &Tensor, weight: &Var) -> Result<Tensor> {
    x.matmul(&weight.t()?)
}

impl Decoder {
    fn new(shape: Shape) -> Result<Self> {
        let d = shape.width;
        let block = |_| {
            Ok(Block {
                norm_1: ones(d)?,
                wqkv: normal(3 * d, d)?,
                out_proj: normal(d, d)?,
                norm_2: ones(d)?,
                up_proj: normal(4 * d, d)?,
                down_proj: normal(d, 4 * d)?,
            })
        };
        let (h, t) = (shape.heads, shape.context);
        Ok(Self {
            shape,
            wte: normal(shape.vocab, d)?,
            blocks: (0..shape.layers).map(block).collect::<Result<_>>()?,
            norm_f: ones(d)?,
            bias: Tensor::from_vec(shape.bias(), (1, h, t, t), &Device::Cpu)?,
        })
    }

    fn vars(&self) -> Vec<&Var> {
        let mut vars = vec![&self.wte, &self.norm_f];
        for b in &self.blocks {
            vars.extend([&b.norm_1, &b.wqkv, &b.out_proj, &b.norm_2, &b.up_proj, &b.down_proj]);
        }
        vars
    }

    /// Mean loss. Matrices are `[tokens, width]` between attentions: one product each.
    fn loss(&self, inputs: &Tensor, targets: &Tensor, kept: &Tensor) -> Result<Tensor> {
        let Shape { batch: b, context: t, heads: h, width: d, .. } = self.shape;
        let scale = ((d / h) as f64).powf(-0.5);
        let mut x = self.wte.index_select(inputs, 0)?;
        for block in &self.blocks {
            let qkv = linear(&norm(&x, &block.norm_1)?, &block.wqkv)?;
            let qkv = qkv.reshape((b, t, 3, h, d / h))?.permute((2, 0, 3, 1, 4))?;
            let [q, k, v] = [0, 1, 2].map(|i| qkv.get(i).and_then(|part| part.contiguous()));
            let scores = (q?.matmul(&k?.t()?)? * scale)?.broadcast_add(&self.bias)?;
            let y = ops::softmax(&scores, D::Minus1)?.matmul(&v?)?;
            let y = y.transpose(1, 2)?.reshape((b * t, d))?;
            x = (x + linear(&y, &block.out_proj)?)?;
            let up = linear(&norm(&x, &block.norm_2)?, &block.up_proj)?.gelu_erf()?;
            x = (x + linear(&up, &block.down_proj)?)?;
        }
        let x = norm(&x, &self.norm_f)?.index_select(kept, 0)?;
        loss::cross_entropy(&linear(&x, &self.wte)?, targets)
    }
}

/// Serves steps.
pub(crate) fn run(shape: &Shape) -> Result<()> {
    let model = Decoder::new(*shape)?;
    let tokens = shape.tokens();
    let kept: Vec<u32> =
        (0..tokens.len() as u32).filter(|i| (i + 1) % shape.context as u32 != 0).collect();
    let targets: Vec<u32> = kept.iter().map(|&i| tokens[i as usize + 1]).collect();
    let [inputs, targets, kept] = [tokens, targets, kept].map(|ids| Tensor::new(ids, &Device::Cpu));
    let (inputs, targets, kept) = (inputs?, targets?, kept?);
    let vars = model.vars();
    let momenta: Vec<Tensor> = vars.iter().map(|var| var.zeros_like()).collect::<Result<_>>()?;
    let momenta: Vec<Var> = momenta.iter().map(Var::from_tensor).collect::<Result<_>>()?;
    let step = || -> Result<f32> {
        let loss = model.loss(&inputs, &targets, &kept)?;
        let grads = loss.backward()?;
        let grads: Vec<&Tensor> =
            vars.iter().map(|var| grads.get(var).expect("every weight is used")).collect();
        let mut squares = 0.0;
        for grad in &grads {
            squares += f64::from(grad.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        let scale = (1.0 / (squares.sqrt() + 1e-6)).min(1.0);
        for ((var, momentum), grad) in vars.iter().zip(&momenta).zip(grads) {
            let grad = (grad * scale)?;
            let update = ((momentum.as_tensor() * BETAS[0])? + (&grad * (1.0 - BETAS[0]))?)?;
            var.set(&((var.as_tensor() * KEEP)? - (update.sign()? * LR)?)?)?;
            momentum.set(&((momentum.as_tensor() * BETAS[1])? + (grad * (1.0 - BETAS[1]))?)?)?;
        }
        loss.to_scalar()
    };
    serve("candle, fp32", || step().expect("the first step computes too"));
    Ok(())
}

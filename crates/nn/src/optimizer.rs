//! LionW and AdamW, in one pass over the flat buffers.

use rayon::prelude::*;
use sparkjoy_spec::OptimizerKind;

use crate::kernel::{InstructionSet, versions};
use crate::parallel::VALUES;

/// Optimizer state: the kind, its moments and the number of steps taken.
#[derive(Clone, Debug)]
pub struct Optimizer {
    kind: OptimizerKind,
    average: Vec<f32>,
    /// Empty for LionW.
    average_square: Vec<f32>,
    steps: u64,
}

impl Optimizer {
    /// Zero moments.
    pub fn new(kind: OptimizerKind, parameters: usize) -> Self {
        let squares = if kind.moments().len() == 2 { parameters } else { 0 };
        Self { kind, average: vec![0.0; parameters], average_square: vec![0.0; squares], steps: 0 }
    }

    /// Moment buffers by name, each flat like the weights: LionW `exp_avg`; AdamW `exp_avg`,
    /// `exp_avg_sq`.
    pub fn moments(&self) -> Vec<(&'static str, &[f32])> {
        let both = [&self.average[..], &self.average_square[..]];
        self.kind.moments().iter().copied().zip(both).collect()
    }

    /// The same, to restore a checkpoint.
    pub fn moments_mut(&mut self) -> Vec<(&'static str, &mut [f32])> {
        let both = [&mut self.average[..], &mut self.average_square[..]];
        self.kind.moments().iter().copied().zip(both).collect()
    }

    /// Steps taken (AdamW's bias correction).
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Restores the number of steps taken.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// One step on all weights at the rate `lr`.
    pub(crate) fn step(
        &mut self,
        isa: InstructionSet,
        weights: &mut [f32],
        gradients: &[f32],
        lr: f64,
    ) {
        assert_eq!(weights.len(), self.average.len(), "an optimizer of another model");
        assert_eq!(gradients.len(), self.average.len(), "gradients of another model");
        self.steps += 1;
        let parts = weights
            .par_chunks_mut(VALUES)
            .zip(gradients.par_chunks(VALUES))
            .zip(self.average.par_chunks_mut(VALUES));
        match self.kind {
            OptimizerKind::LionW { lr: peak, betas, weight_decay } => {
                let rule = Lion {
                    keep: (1.0 - lr / peak * weight_decay) as f32,
                    lr: lr as f32,
                    betas: betas.map(|beta| beta as f32),
                    rest: betas.map(|beta| (1.0 - beta) as f32),
                };
                parts.for_each(|((theta, g), m)| lion(isa, rule, theta, g, m));
            }
            OptimizerKind::AdamW { betas, eps, weight_decay, .. } => {
                let bias = betas.map(|beta| 1.0 - beta.powf(self.steps as f64));
                let rule = Adam {
                    keep: (1.0 - lr * weight_decay) as f32,
                    rate: (lr / bias[0]) as f32,
                    root: (1.0 / bias[1].sqrt()) as f32,
                    eps: eps as f32,
                    betas: betas.map(|beta| beta as f32),
                    rest: betas.map(|beta| (1.0 - beta) as f32),
                };
                parts
                    .zip(self.average_square.par_chunks_mut(VALUES))
                    .for_each(|(((theta, g), m), v)| adam(isa, rule, theta, g, m, v));
            }
        }
    }
}

/// Constants of one LionW step.
#[derive(Clone, Copy)]
struct Lion {
    /// 1 − (η/η₀)·λ.
    keep: f32,
    lr: f32,
    betas: [f32; 2],
    /// 1 − β, rounded once.
    rest: [f32; 2],
}

/// Constants of one AdamW step.
#[derive(Clone, Copy)]
struct Adam {
    /// 1 − η·λ.
    keep: f32,
    /// η / (1 − β₁ᵗ).
    rate: f32,
    /// 1 / √(1 − β₂ᵗ).
    root: f32,
    eps: f32,
    betas: [f32; 2],
    /// 1 − β, rounded once.
    rest: [f32; 2],
}

versions! {
    /// ```text
    /// c = β₁·m + (1 − β₁)·g
    /// θ ← (1 − (η/η₀)·λ)·θ − η·sign(c)
    /// m ← β₂·m + (1 − β₂)·g
    /// ```
    ///
    /// # Source
    ///
    /// Chen et al. 2023, arXiv:2302.06675, Algorithm 2, with the decay of llm-foundry's
    /// `DecoupledLionW`, so that λ keeps its meaning when η₀ changes.
    fn lion(rule: Lion, theta: &mut [f32], g: &[f32], m: &mut [f32]) = lion_body;
    /// ```text
    /// m ← β₁·m + (1 − β₁)·g;  v ← β₂·v + (1 − β₂)·g²
    /// θ ← (1 − η·λ)·θ − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)
    /// ```
    ///
    /// # Source
    ///
    /// Loshchilov & Hutter 2019, arXiv:1711.05101, as `torch.optim.AdamW` computes it.
    fn adam(rule: Adam, theta: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) = adam_body;
}

#[inline(always)]
fn lion_body(rule: Lion, theta: &mut [f32], g: &[f32], m: &mut [f32]) {
    for ((theta, g), m) in theta.iter_mut().zip(g).zip(m) {
        let c = rule.betas[0] * *m + rule.rest[0] * g;
        *theta = rule.keep * *theta - rule.lr * sign(c);
        *m = rule.betas[1] * *m + rule.rest[1] * g;
    }
}

/// −1, 0 or 1. Not [`f32::signum`], which gives ±1 for ±0: a weight that has never seen a gradient,
/// such as an unused row of the embedding, must not move. NaN stays NaN.
#[inline(always)]
fn sign(x: f32) -> f32 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

#[inline(always)]
fn adam_body(rule: Adam, theta: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    for (((theta, g), m), v) in theta.iter_mut().zip(g).zip(m).zip(v) {
        *m = rule.betas[0] * *m + rule.rest[0] * g;
        *v = rule.betas[1] * *v + rule.rest[1] * g * g;
        *theta = rule.keep * *theta - rule.rate * *m / (v.sqrt() * rule.root + rule.eps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LION: OptimizerKind =
        OptimizerKind::LionW { lr: 0.1, betas: [0.9, 0.95], weight_decay: 0.0 };

    #[test]
    fn a_weight_without_gradient_does_not_move() {
        let mut optimizer = Optimizer::new(LION, 3);
        let mut weights = [1.0, -2.0, 3.0];
        optimizer.step(InstructionSet::Portable, &mut weights, &[0.0, -0.0, 1.0], 0.1);
        assert_eq!(weights, [1.0, -2.0, 2.9]);
    }

    #[test]
    fn moments_have_the_names_checkpoints_use() {
        let names = |kind| {
            let optimizer = Optimizer::new(kind, 2);
            optimizer.moments().iter().map(|(name, m)| (*name, m.len())).collect::<Vec<_>>()
        };
        let adam =
            OptimizerKind::AdamW { lr: 0.1, betas: [0.9, 0.99], eps: 1e-8, weight_decay: 0.0 };
        assert_eq!(names(LION), [("exp_avg", 2)]);
        assert_eq!(names(adam), [("exp_avg", 2), ("exp_avg_sq", 2)]);
        assert_eq!(Optimizer::new(adam, 2).moments_mut().len(), 2);
    }
}

//! INTERFACE SKETCH, to be split by subject.
//!
//! B sequences, T positions (context), D width, H heads, V vocabulary.

use serde::{Deserialize, Serialize};
use sparkjoy_base::Seed;

/// A shape that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Heads do not divide the width.
    #[error("width {width} is not a multiple of {heads} heads")]
    Heads {
        /// Width.
        width: usize,
        /// Heads.
        heads: usize,
    },
}

/// The shape of an MPT decoder.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Blocks.
    pub layers: usize,
    /// Width of the residual stream, D.
    pub width: usize,
    /// Attention heads, H; divides the width.
    pub heads: usize,
    /// Tokens per sequence, T.
    pub context: usize,
    /// Rows of the embedding, V (padded; ids are below it).
    pub vocab: usize,
    /// Clamp of the fused query-key-value projection.
    pub clip_qkv: Option<f32>,
}

/// One parameter tensor in the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// MPT's name, `transformer.blocks.0.attn.Wqkv.weight`.
    pub name: String,
    /// Rows first.
    pub shape: Vec<usize>,
    /// Where it starts in the flat buffer, in elements.
    pub offset: usize,
}

impl Shape {
    /// Refuses what cannot be built.
    pub fn check(&self) -> Result<(), ShapeError> {
        todo!()
    }

    /// All parameter tensors in the order of the flat buffer, without gaps.
    pub fn tensors(&self) -> Vec<Tensor> {
        todo!()
    }

    /// Parameters, embedding counted once.
    pub fn parameters(&self) -> u64 {
        todo!()
    }

    /// FLOPs of one training step on `sequences` sequences (foundry.md section a's formula).
    pub fn flops(&self, sequences: u64) -> u128 {
        let _ = sequences;
        todo!()
    }

    /// Sequences computed at once: a function of the shape alone, never of the machine.
    pub fn microbatch(&self, batch: usize) -> usize {
        let _ = batch;
        todo!()
    }

    /// Bytes an [`Engine`] plus optimizer allocates.
    pub fn memory(&self, batch: usize, optimizer: OptimizerKind) -> u64 {
        let _ = (batch, optimizer);
        todo!()
    }
}

/// Model weights, gradients and the activation arena.
pub struct Engine;

impl Engine {
    /// Allocates everything once. `batch`: sequences per step. Weights are zero.
    pub fn new(shape: Shape, batch: usize, threads: usize) -> Result<Self, ShapeError> {
        let _ = (shape, batch, threads);
        todo!()
    }

    /// Draws initial weights.
    pub fn init(&mut self, seed: Seed) {
        let _ = seed;
        todo!()
    }

    /// The shape.
    pub fn shape(&self) -> &Shape {
        todo!()
    }

    /// Flat weights, laid out as [`Shape::tensors`].
    pub fn weights(&self) -> &[f32] {
        todo!()
    }

    /// Flat weights.
    pub fn weights_mut(&mut self) -> &mut [f32] {
        todo!()
    }

    /// Flat gradients of the last [`Engine::loss_and_gradients`].
    pub fn gradients(&self) -> &[f32] {
        todo!()
    }

    /// Mean loss over a batch and its gradients.
    ///
    /// - `tokens`: `[B × T]`, row-major.
    /// - `losses`: `[B]`, out: mean nats per target of each sequence (T − 1 targets).
    ///
    /// Returns the mean of `losses`.
    pub fn loss_and_gradients(&mut self, tokens: &[u32], losses: &mut [f64]) -> f64 {
        let _ = (tokens, losses);
        todo!()
    }

    /// Loss of each target without gradients: `nats` is `[B × (T − 1)]`.
    pub fn losses(&mut self, tokens: &[u32], nats: &mut [f32]) {
        let _ = (tokens, nats);
        todo!()
    }

    /// Logits of one sequence of at most T tokens: `[tokens.len() × V]`.
    pub fn logits(&mut self, tokens: &[u32]) -> Vec<f32> {
        let _ = tokens;
        todo!()
    }

    /// Global L2 norm of the gradients, and scales them so that it is at most `max_norm`
    /// (torch's rule: `min(1, max_norm / (norm + 1e-6))`). Returns the norm before.
    pub fn clip_gradients(&mut self, max_norm: Option<f32>) -> f64 {
        let _ = max_norm;
        todo!()
    }

    /// One optimizer step with the last gradients.
    pub fn update(&mut self, optimizer: &mut Optimizer, lr: f64) {
        let _ = (optimizer, lr);
        todo!()
    }
}

/// Which optimizer, with its constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimizerKind {
    /// Lion with decay decoupled from the rate.
    LionW {
        /// Peak rate η₀.
        lr: f64,
        /// β₁, β₂.
        betas: [f64; 2],
        /// λ; a weight shrinks by (η/η₀)·λ a step.
        weight_decay: f64,
    },
    /// Adam with decoupled decay.
    AdamW {
        /// Peak rate.
        lr: f64,
        /// β₁, β₂.
        betas: [f64; 2],
        /// Added to the root of the second moment.
        eps: f64,
        /// λ; a weight shrinks by η·λ a step.
        weight_decay: f64,
    },
}

impl OptimizerKind {
    /// Peak rate η₀.
    pub fn lr(&self) -> f64 {
        todo!()
    }
}

/// Optimizer state: the kind, its moments and the number of steps taken.
#[derive(Clone, Debug)]
pub struct Optimizer;

impl Optimizer {
    /// Zero moments.
    pub fn new(kind: OptimizerKind, parameters: usize) -> Self {
        let _ = (kind, parameters);
        todo!()
    }

    /// Moment buffers by name, each flat like the weights: LionW `exp_avg`; AdamW `exp_avg`, `exp_avg_sq`.
    pub fn moments(&self) -> Vec<(&'static str, &[f32])> {
        todo!()
    }

    /// The same, to restore a checkpoint.
    pub fn moments_mut(&mut self) -> Vec<(&'static str, &mut [f32])> {
        todo!()
    }

    /// Steps taken (AdamW's bias correction).
    pub fn steps(&self) -> u64 {
        todo!()
    }

    /// Restores the number of steps taken.
    pub fn set_steps(&mut self, steps: u64) {
        let _ = steps;
        todo!()
    }
}

/// The shape of the learning-rate curve; lengths are in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ScheduleKind {
    /// The paper's.
    InverseSqrt {
        /// Linear warmup.
        warmup: u64,
        /// Time scale.
        scale: u64,
        /// Linear cooldown to zero at the end.
        cooldown: u64,
    },
    /// Warmup, constant, linear decay to zero.
    WarmupStableDecay {
        /// Linear warmup.
        warmup: u64,
        /// Linear decay at the end.
        decay: u64,
    },
    /// Warmup, then half a cosine to `floor`.
    Cosine {
        /// Linear warmup.
        warmup: u64,
        /// Final factor.
        floor: f64,
    },
    /// Warmup, then a line to `floor`.
    Linear {
        /// Linear warmup.
        warmup: u64,
        /// Final factor.
        floor: f64,
    },
    /// Warmup, then constant.
    Constant {
        /// Linear warmup.
        warmup: u64,
    },
}

/// A learning-rate curve over a run of `total` tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its shape.
    pub kind: ScheduleKind,
    /// Tokens of the whole run.
    pub total: u64,
}

impl Schedule {
    /// The factor on the peak rate when `tokens` have been trained on before this step.
    pub fn factor(&self, tokens: u64) -> f64 {
        let _ = tokens;
        todo!()
    }
}

/// What this machine computes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Training tokens per second of the shape that was asked about.
    pub tokens_per_second: f64,
    /// Whether a real step of the shape was timed; otherwise it is scaled from products.
    pub timed_step: bool,
}

/// Times the shape on this machine in well under a second.
pub fn measure(shape: Shape, batch: usize, threads: usize) -> Throughput {
    let _ = (shape, batch, threads);
    todo!()
}

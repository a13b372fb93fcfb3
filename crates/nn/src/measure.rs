//! How fast this machine is, for the plan. Nothing but this and `products` looks at a clock.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Seed;

use crate::mpt::Mpt;
use crate::{Compute, Engine, Optimizer, OptimizerKind, Shape};

/// Seconds a step may take to be timed.
const PATIENCE: f64 = 0.5;

/// What this machine computes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Training tokens per second of the shape that was asked about.
    pub tokens_per_second: f64,
    /// Held-out tokens per second that are scored: forward, in fp32, whatever is trained in.
    pub scored_per_second: f64,
    /// Whether a real step of the shape was timed; otherwise it is scaled from a smaller one.
    pub timed_step: bool,
}

/// Times the shape on this machine in about a second.
///
/// A small model is timed first; where its FLOPs per second say that one microbatch of the shape
/// takes too long to wait for, they are the answer.
///
/// # Panics
///
/// If the shape, batch or number of threads is one [`Engine::new`] refuses.
pub fn measure(shape: Shape, batch: usize, compute: Compute) -> Throughput {
    let probe =
        Shape { layers: 1, width: 256, heads: 4, context: 256, vocab: 1024, clip_qkv: None };
    let flops_per_second = probe.flops(4) as f64 / seconds(probe, 4, compute);
    let sequences = shape.microbatch(batch);
    let expected = shape.flops(sequences as u64) as f64 / flops_per_second;
    let timed_step = expected < PATIENCE;
    let taken = if timed_step { seconds(shape, sequences, compute) } else { expected };
    let tokens = (sequences * shape.context) as f64;
    let scoring = if timed_step {
        scoring_seconds(shape, sequences, compute.threads)
    } else {
        // A step is three times a forward pass.
        let scaled = scoring_seconds(probe, 4, compute.threads) / probe.flops(4) as f64;
        scaled * shape.flops(sequences as u64) as f64
    };
    Throughput {
        tokens_per_second: tokens / taken,
        scored_per_second: tokens / scoring,
        timed_step,
    }
}

/// Seconds of a forward pass, as held-out text is scored.
fn scoring_seconds(shape: Shape, batch: usize, threads: usize) -> f64 {
    let compute = Compute { recompute: true, ..Compute::exact(threads) };
    let mut engine = Engine::new(shape, batch, compute).expect("the caller has checked the shape");
    engine.init(Seed(0));
    let tokens = some_tokens(shape, batch);
    let mut nats = vec![0.0; batch * (shape.context - 1)];
    best(|| engine.losses(&tokens, &mut nats))
}

fn some_tokens(shape: Shape, batch: usize) -> Vec<u32> {
    (0..batch * shape.context).map(|i| (i * 7919 % shape.vocab) as u32).collect()
}

/// Seconds of the fastest of some calls: the first touches the memory, and what else the machine
/// does for a moment is not what it can do.
fn best(mut call: impl FnMut()) -> f64 {
    call();
    let mut time = || {
        let start = Instant::now();
        call();
        start.elapsed().as_secs_f64()
    };
    (0..3).map(|_| time()).fold(f64::INFINITY, f64::min)
}

/// Seconds of a step of training.
fn seconds(shape: Shape, batch: usize, compute: Compute) -> f64 {
    let mut engine = Engine::new(shape, batch, compute).expect("the caller has checked the shape");
    engine.init(Seed(0));
    let lion = OptimizerKind::LionW { lr: 1e-4, betas: [0.9, 0.95], weight_decay: 0.0 };
    let mut optimizer = Optimizer::new(lion, engine.weights().len());
    let tokens = some_tokens(shape, batch);
    let mut losses = vec![0.0; batch];
    best(|| {
        engine.loss_and_gradients(&tokens, &mut losses);
        engine.clip_gradients(Some(1.0));
        engine.update(&mut optimizer, 1e-4);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_shapes_are_timed_and_large_ones_scaled() {
        let compute = Compute::exact(1);
        let small =
            Shape { layers: 1, width: 16, heads: 2, context: 16, vocab: 64, clip_qkv: None };
        let large = Shape { layers: 48, width: 8192, heads: 64, context: 4096, ..small };
        let (small, large) = (measure(small, 2, compute), measure(large, 960, compute));
        assert!(small.timed_step && small.tokens_per_second > 0.0);
        assert!(!large.timed_step && large.tokens_per_second > 0.0);
        assert!(large.tokens_per_second < small.tokens_per_second);
        assert!(large.scored_per_second < small.scored_per_second);
        assert!(large.scored_per_second > large.tokens_per_second);
    }
}

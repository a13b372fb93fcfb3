//! What the tree of runs costs, against training every branch from its first step.

use serde::{Deserialize, Serialize};
use sparkjoy_base::Tokens;
use sparkjoy_mix::Draw;
use sparkjoy_nn::Compute;

use crate::plan::Plan;

/// Batches at once: the one computed, the one that waits, and the one being read.
const BATCHES: u64 = 3;
/// Bytes of a process before its engine is made, measured: most of them are the tokenizer's
/// compiled split.
const PROGRAM: u64 = 10 << 20;
/// Bytes for each id of the vocabulary, measured with `cl100k`: the tokenizer's tables, and its
/// files as text while a checkpoint is saved.
const PER_ID: u64 = 300;

/// An amount of training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Optimizer steps.
    pub steps: u64,
    /// Training tokens.
    pub tokens: Tokens,
    /// Floating-point operations.
    pub flops: u128,
}

/// What a plan costs. Scoring is not counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeCost {
    /// Parameters of the model.
    pub parameters: u64,
    /// The trunk up to its last branch point.
    pub trunk: Effort,
    /// Each branch's window, same index as [`Plan::branches`].
    pub branches: Vec<Effort>,
    /// Trunk and branches together.
    pub tree: Effort,
    /// Every branch trained from its first step.
    pub in_full: Effort,
    /// The same, but without training the base mixture again for every window: from its first step
    /// to its last it is one run per replicate, whatever the window it is a control for.
    pub controls_once: Effort,
    /// How many times the tree's effort `in_full` is.
    pub saving: f64,
    /// How many times the tree's effort `controls_once` is.
    pub saving_controls_once: f64,
}

impl Plan {
    /// What the tree of runs costs.
    pub fn cost(&self) -> TreeCost {
        let flops = self.shape.flops(self.batch);
        let effort = |steps: u64| Effort {
            steps,
            tokens: Tokens(steps * self.tokens_per_step().0),
            flops: u128::from(steps) * flops,
        };
        let trunk_steps = self.branch_points().last().copied().unwrap_or(0);
        let windows: u64 = self.branches.iter().map(|branch| branch.window_steps).sum();
        let base = &self.trunk.phases[0].mixture;
        let others = self.branches.iter().filter(|b| b.spec.phases[0].mixture != *base).count();
        let controls = u64::from(others < self.branches.len()) * u64::from(self.replicates);

        let tree = effort(trunk_steps + windows);
        let in_full = effort(self.steps * self.branches.len() as u64);
        let controls_once = effort(self.steps * (others as u64 + controls));
        let times = |other: Effort| other.steps as f64 / tree.steps as f64;
        TreeCost {
            parameters: self.shape.parameters(),
            trunk: effort(trunk_steps),
            branches: self.branches.iter().map(|branch| effort(branch.window_steps)).collect(),
            saving: times(in_full),
            saving_controls_once: times(controls_once),
            tree,
            in_full,
            controls_once,
        }
    }

    /// Bytes of memory that the process of a run takes at its peak, which is in training: scoring
    /// has no gradients and no moments. Preparing text is apart.
    ///
    /// Mapped shards and the program's own file are not in it; the system drops them when it must.
    ///
    /// - `recompute`: as in [`Options`](crate::Options).
    pub fn memory(&self, threads: usize, recompute: bool) -> u64 {
        let compute = Compute { precision: self.trunk.precision, recompute, threads };
        let engine = self.shape.memory(self.batch as usize, self.trunk.optimizer, compute);
        let sequence = size_of::<u32>() * self.shape.context + size_of::<Draw>();
        let batches = BATCHES * self.batch * sequence as u64;
        engine + batches + PROGRAM + PER_ID * self.shape.vocab as u64
    }
}

//! What the tree of runs costs, against training every branch from its first step.

use serde::{Deserialize, Serialize};
use sparkjoy_base::Tokens;

use crate::plan::Plan;

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
    /// Bytes that training the model takes.
    pub memory: u64,
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
            memory: self.shape.memory(
                self.batch as usize,
                self.trunk.optimizer,
                sparkjoy_nn::Compute::exact(1),
            ),
            trunk: effort(trunk_steps),
            branches: self.branches.iter().map(|branch| effort(branch.window_steps)).collect(),
            saving: times(in_full),
            saving_controls_once: times(controls_once),
            tree,
            in_full,
            controls_once,
        }
    }
}

//! What the tree of runs costs, against training every branch from its first step.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sparkjoy_base::Tokens;
use sparkjoy_mix::Draw;
use sparkjoy_nn::{Compute, Throughput, memory};

use crate::plan::{Branch, Plan, QuestionPlan, Trunk};

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

/// Seconds of a study on a machine, estimated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeEstimate {
    /// Training.
    pub training: f64,
    /// Scoring branches on held-out text. Tasks are not in it: only a trial tells their time.
    pub scoring: f64,
}

impl TimeEstimate {
    /// Both.
    pub fn seconds(&self) -> f64 {
        self.training + self.scoring
    }
}

/// What a plan costs. Scoring is not counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TreeCost {
    /// Parameters of the model.
    pub parameters: u64,
    /// The trunks up to their last branch points.
    pub trunk: Effort,
    /// Each branch's window, same index as [`Plan::branches`].
    pub branches: Vec<Effort>,
    /// Trunk and branches together.
    pub tree: Effort,
    /// Every branch trained from the trunk's first step here.
    pub in_full: Effort,
    /// The same, but without training the base mixture again for every window: from its first step
    /// to its last it is one run per replicate, whatever the window it is a control for.
    pub controls_once: Effort,
    /// How many times the tree's effort `in_full` is.
    pub saving: f64,
    /// How many times the tree's effort `controls_once` is.
    pub saving_controls_once: f64,
}

impl Effort {
    fn add(&mut self, other: Self) {
        self.steps = self.steps.saturating_add(other.steps);
        self.tokens.0 = self.tokens.0.saturating_add(other.tokens.0);
        self.flops += other.flops;
    }

    fn sum(efforts: impl Iterator<Item = Self>) -> Self {
        efforts.fold(Self::default(), |mut sum, effort| {
            sum.add(effort);
            sum
        })
    }
}

impl Plan {
    /// What the tree of runs costs.
    pub fn cost(&self) -> TreeCost {
        self.cost_of(&self.compared().map(|(index, _)| index).collect())
    }

    /// Seconds for some training, and for scoring some branches on held-out text.
    ///
    /// - `speed`: of the model of the plan; others are taken in proportion to their FLOPs.
    pub fn time<'a>(
        &self,
        training: Effort,
        scored: impl Iterator<Item = &'a Branch>,
        speed: Throughput,
    ) -> TimeEstimate {
        let flops_per_token = self.shape.flops(1) as f64 / self.shape.context as f64;
        let context = self.shape.context as u64;
        let each = self.sources.len() as u64 * (self.evaluation.held_out.0 / context * context);
        let flops: f64 = scored.map(|branch| branch.spec.model.flops(1) as f64).sum();
        let models = flops / self.shape.flops(1) as f64;
        TimeEstimate {
            training: training.flops as f64 / flops_per_token / speed.tokens_per_second,
            scoring: models * each as f64 / speed.scored_per_second,
        }
    }

    /// Seconds for all of it.
    pub fn whole_time(&self, speed: Throughput) -> TimeEstimate {
        self.time(self.cost().tree, self.compared().map(|(_, branch)| branch), speed)
    }

    /// What one question costs, by itself: its runs, what they go on from, and the trunks as far
    /// as they need them.
    pub fn question_cost(&self, question: &QuestionPlan) -> TreeCost {
        let arms = question.arms.iter();
        self.cost_of(
            &arms.flat_map(|arm| arm.branches.iter().chain(&arm.controls)).copied().collect(),
        )
    }

    fn cost_of(&self, compared: &BTreeSet<usize>) -> TreeCost {
        let mut run = compared.clone();
        for &index in compared {
            let before =
                std::iter::successors(self.branches[index].after, |&i| self.branches[i].after);
            run.extend(before);
        }
        let effort = |trunk: usize, steps: u64| {
            let spec = &self.trunks[trunk].spec;
            Effort {
                steps,
                tokens: Tokens(steps * spec.tokens_per_step()),
                flops: u128::from(steps) * spec.model.flops(self.batch),
            }
        };
        let runs = || run.iter().map(|&index| &self.branches[index]);
        let last_point = |trunk: usize| {
            let starts = runs().filter(|branch| branch.trunk == trunk);
            starts.map(|branch| branch.spec.first_step - self.trunk().first_step).max().unwrap_or(0)
        };
        let trunk = Effort::sum((0..self.trunks.len()).map(|t| effort(t, last_point(t))));
        let mut tree = Effort::sum(runs().map(|branch| effort(branch.trunk, branch.window_steps)));
        tree.add(trunk);

        // On the trunk's mixture and curve from first to last, a run is the same for every window.
        let base = &self.trunk().phases[0].mixture;
        // What was trained elsewhere is paid for.
        let here = |branch: &Branch| branch.spec.last_step() - self.trunk().first_step;
        let full = |branch: &Branch| effort(branch.trunk, here(branch));
        let mut in_full = Effort::default();
        let mut controls_once = Effort::default();
        let mut controls: BTreeMap<(usize, u32), u64> = BTreeMap::new();
        for &index in compared {
            let branch = &self.branches[index];
            in_full.add(full(branch));
            let spec = &branch.spec;
            if spec.anneal.is_none() && spec.phases.iter().all(|phase| phase.mixture == *base) {
                let longest = controls.entry((branch.trunk, branch.replicate)).or_default();
                *longest = here(branch).max(*longest);
            } else {
                controls_once.add(full(branch));
            }
        }
        for ((trunk, _), steps) in controls {
            controls_once.add(effort(trunk, steps));
        }
        let times = |other: Effort| other.flops as f64 / tree.flops as f64;
        TreeCost {
            parameters: self.shape.parameters(),
            trunk,
            branches: self.branches.iter().map(|b| effort(b.trunk, b.window_steps)).collect(),
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
    /// The program's own file is not in it; the system drops it when it must.
    ///
    /// - `recompute`: as in [`Options`](crate::Options).
    pub fn memory(&self, threads: usize, recompute: bool) -> u64 {
        let compute = Compute { precision: self.trunk().precision, recompute, threads };
        let (batch, optimizer) = (self.batch as usize, self.trunk().optimizer);
        let engine = |trunk: &Trunk| memory(trunk.spec.model.shape(), batch, optimizer, compute);
        let engine = self.trunks.iter().map(engine).max().expect("a plan has a trunk");
        let sequence = size_of::<u32>() * self.shape.context + size_of::<Draw>();
        let batches = BATCHES * self.batch * sequence as u64;
        engine + batches + PROGRAM + PER_ID * self.shape.vocab as u64
    }
}

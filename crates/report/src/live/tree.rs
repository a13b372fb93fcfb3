//! The tree of a plan as the page draws it: runs, and replicates gathered into groups.
//!
//! This is the only place here that takes a plan apart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sparkjoy_base::thousands;
use sparkjoy_jobs::{branch_folder, trunk_folder};
use sparkjoy_spec::RunSpec;
use sparkjoy_study::{Plan, Trunk};

/// What a plan is about, in numbers and words that do not change while it runs.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) plan: String,
    pub(crate) branches: usize,
    pub(crate) parameters: u64,
    pub(crate) sources: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// What the page calls it; a branch's name, or `trunk`.
    pub(crate) id: String,
    pub(crate) folder: PathBuf,
    /// Where it begins and ends.
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) tokens_per_step: u64,
    pub(crate) flops_per_step: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Steps of a whole run: where the axis ends.
    pub(crate) steps: u64,
    pub(crate) trunks: Vec<TrunkNode>,
    pub(crate) groups: Vec<Group>,
    pub(crate) runs: Vec<Run>,
}

/// A run that others start from.
#[derive(Debug)]
pub(crate) struct TrunkNode {
    pub(crate) run: String,
    /// Where it begins; not at 0 where it was trained elsewhere.
    pub(crate) from: u64,
    /// Where it ends: at its last branch point.
    pub(crate) to: u64,
    /// Steps that branches start from.
    pub(crate) points: Vec<u64>,
}

/// A branch and its replicates.
#[derive(Debug)]
pub(crate) struct Group {
    /// The trunk they start from.
    pub(crate) trunk: String,
    /// The run that the first of them goes on from, where that is no trunk.
    pub(crate) after: Option<String>,
    pub(crate) label: String,
    pub(crate) window: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Whether others are compared with it.
    pub(crate) control: bool,
    pub(crate) runs: Vec<String>,
}

impl About {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            name: plan.name.clone(),
            plan: plan.fingerprint().to_string(),
            branches: plan.branches.len(),
            parameters: plan.shape.parameters(),
            sources: plan.sources.len(),
        }
    }
}

impl Tree {
    pub(crate) fn new(plan: &Plan, runs: &Path) -> Self {
        let mut tree = Self { steps: plan.steps, ..Self::default() };
        for (index, Trunk { name, spec, .. }) in plan.trunks.iter().enumerate() {
            let points = plan.branch_points_of(index);
            let to = points.last().copied().unwrap_or(spec.first_step);
            tree.steps = tree.steps.max(spec.last_step());
            tree.trunks.push(TrunkNode { run: name.clone(), from: spec.first_step, to, points });
            tree.runs.push(Run { to, ..of(name, spec, trunk_folder(spec, runs)) });
        }
        let controls: BTreeSet<usize> = plan
            .questions
            .iter()
            .flat_map(|question| &question.arms)
            .flat_map(|arm| arm.controls.iter().copied())
            .collect();
        // Replicates together.
        let mut groups: BTreeMap<usize, usize> = BTreeMap::new();
        for (index, branch) in plan.branches.iter().enumerate() {
            // A branch that goes on from another takes its steps from that one's end on.
            let from = branch.from_step;
            let run = Run { from, ..of(&branch.name, &branch.spec, branch_folder(branch, runs)) };
            let at = *groups.entry(branch.group).or_insert_with(|| {
                tree.groups.push(Group {
                    trunk: plan.trunks[branch.trunk].name.clone(),
                    after: branch.after.map(|before| plan.branches[before].name.clone()),
                    label: branch.label.clone(),
                    window: branch.window.clone(),
                    from: run.from,
                    to: run.to,
                    control: false,
                    runs: Vec::new(),
                });
                tree.groups.len() - 1
            });
            tree.groups[at].control |= controls.contains(&index);
            tree.groups[at].runs.push(run.id.clone());
            tree.runs.push(run);
        }
        tree
    }

    /// The number of the run that the page calls `id`.
    pub(crate) fn number(&self, id: &str) -> Option<usize> {
        self.runs.iter().position(|run| run.id == id)
    }

    /// The run that the page calls `id`.
    pub(crate) fn run(&self, id: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id)
    }
}

fn of(id: &str, spec: &RunSpec, folder: PathBuf) -> Run {
    Run {
        id: id.to_owned(),
        folder,
        from: spec.first_step,
        to: spec.last_step(),
        tokens_per_step: spec.tokens_per_step(),
        flops_per_step: spec.model.flops(spec.batch) as f64,
    }
}

/// `step 5,240`.
pub(crate) fn at_step(step: u64) -> String {
    format!("step {}", thousands(step))
}

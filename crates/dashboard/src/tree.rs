//! The tree of a plan as the page draws it: runs, and replicates gathered into groups.
//!
//! This is the only place here that takes a plan apart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sparkjoy_base::thousands;
use sparkjoy_lab::{Branch, Plan, branch_folder, trunk_folder};
use sparkjoy_train::RunSpec;

/// What a plan is about, in numbers and words that do not change while it runs.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    name: String,
    plan: String,
    branches: usize,
    steps: u64,
    tokens_per_step: u64,
    replicates: u32,
    parameters: u64,
    sources: usize,
    questions: Vec<String>,
}

/// A run of the tree.
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

/// The shape of the tree.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tree {
    /// Steps of a whole run: where the axis ends.
    steps: u64,
    trunks: Vec<TrunkNode>,
    groups: Vec<Group>,
    #[serde(skip)]
    pub(crate) runs: Vec<Run>,
}

/// A run that others start from.
#[derive(Debug, Serialize)]
struct TrunkNode {
    run: String,
    /// Where it begins; not at 0 where it was trained elsewhere.
    from: u64,
    /// Where it ends: at its last branch point.
    to: u64,
    /// Steps that branches start from.
    points: Vec<u64>,
}

/// A branch and its replicates.
#[derive(Debug, Serialize)]
struct Group {
    /// The trunk they start from.
    trunk: String,
    /// The run that the first of them goes on from, where that is no trunk.
    after: Option<String>,
    label: String,
    window: String,
    from: u64,
    to: u64,
    /// Whether others are compared with it.
    control: bool,
    runs: Vec<String>,
}

impl About {
    pub(crate) fn new(plan: &Plan) -> Self {
        let questions = plan.questions.iter().map(|question| {
            let ask = serde_json::to_value(question.ask).ok();
            let ask = ask.and_then(|ask| ask.as_str().map(str::to_owned)).unwrap_or_default();
            let arms: Vec<&str> = question.arms.iter().map(|arm| arm.label.as_str()).collect();
            let mixture = question.mixture.iter().map(|name| format!(" · {name}"));
            format!("{ask}{} · {}", mixture.collect::<String>(), arms.join(", "))
        });
        Self {
            name: plan.name.clone(),
            plan: plan.fingerprint().to_string(),
            branches: plan.branches.len(),
            steps: plan.steps,
            tokens_per_step: plan.tokens_per_step().0,
            replicates: plan.replicates,
            parameters: plan.shape.parameters(),
            sources: plan.sources.len(),
            questions: questions.collect(),
        }
    }
}

impl Tree {
    pub(crate) fn new(plan: &Plan, runs: &Path) -> Self {
        let mut tree = Self { steps: plan.steps, ..Self::default() };
        let others = plan.others.iter().map(|other| format!("{}-trunk", other.name));
        let names: Vec<String> = std::iter::once("trunk".to_owned()).chain(others).collect();
        for (index, (spec, name)) in plan.trunks().zip(&names).enumerate() {
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
        // By trunk and by name without the replicate: what is the same but for the replicate.
        let mut groups: BTreeMap<(usize, String), usize> = BTreeMap::new();
        for (index, branch) in plan.branches.iter().enumerate() {
            // A branch that goes on from another takes its steps from that one's end on.
            let from = branch.from_step;
            let run = Run { from, ..of(&branch.name, &branch.spec, branch_folder(branch, runs)) };
            let key = (branch.trunk, stem(branch));
            let at = *groups.entry(key).or_insert_with(|| {
                tree.groups.push(Group {
                    trunk: names[branch.trunk].clone(),
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

/// `upsampled-10%` of `upsampled-10%-r1`.
fn stem(branch: &Branch) -> String {
    let replicate = format!("-r{}", branch.replicate);
    match branch.name.rsplit_once(&replicate) {
        Some((stem, number)) => format!("{stem}{number}"),
        None => branch.name.clone(),
    }
}

/// `step 5,240`.
pub(crate) fn at_step(step: u64) -> String {
    format!("step {}", thousands(step))
}

//! Scorecards of a study's models on disk, each in the folder of the run it scores.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, Seed};
use sparkjoy_eval::Scorecard;
use sparkjoy_study::{Branch, Plan, TaskPlan};

use crate::folders::{branch_folder, trunk_folder};
use crate::keyed::Keyed;
use crate::problem::foreign_results;

/// A model that is scored on tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point<'a> {
    Trunk(u64),
    Branch(&'a Branch),
}

impl Point<'_> {
    /// What it is called in messages and in the names of jobs.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Trunk(step) => format!("trunk-{step}"),
            Self::Branch(branch) => branch.name.clone(),
        }
    }

    pub(crate) fn step(&self) -> u64 {
        match self {
            Self::Trunk(step) => *step,
            Self::Branch(branch) => branch.spec.last_step(),
        }
    }

    /// The folder of its run.
    pub(crate) fn folder(&self, plan: &Plan, runs: &Path) -> PathBuf {
        match self {
            Self::Trunk(_) => trunk_folder(plan.trunk(), runs),
            Self::Branch(branch) => branch_folder(branch, runs),
        }
    }
}

/// What was asked of which model: everything a study says that determines a scorecard. The
/// rows of tasks are named on the scorecard itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScorecardKey {
    /// The run; holds model and tokenizer.
    run: Fingerprint,
    /// The checkpoint's step.
    step: u64,
    /// Draws sampled texts.
    seed: Seed,
    /// Tasks, baselines, limit.
    tasks: TaskPlan,
}

impl ScorecardKey {
    /// What the plan wants of a model; nothing where it asks for no tasks.
    pub(crate) fn new(plan: &Plan, point: Point<'_>) -> Option<Self> {
        let run = match point {
            Point::Trunk(_) => plan.trunk().fingerprint(),
            Point::Branch(branch) => branch.spec.fingerprint(),
        };
        // Which other models are scored changes nothing about this one.
        let tasks = TaskPlan { at: Vec::new(), ..plan.evaluation.tasks.clone()? };
        Some(Self { run, step: point.step(), seed: plan.seed, tasks })
    }
}

/// A scorecard as it lies on the disk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FiledScorecard {
    pub(crate) of: ScorecardKey,
    #[serde(rename = "card")]
    pub(crate) scorecard: Scorecard,
}

impl Keyed for FiledScorecard {
    type Key = ScorecardKey;

    fn key(&self) -> &ScorecardKey {
        &self.of
    }

    fn file_name(key: &ScorecardKey) -> String {
        format!("tasks-{}.json", Fingerprint::of_value(key))
    }

    fn foreign(path: &Path, _: &ScorecardKey, _: &ScorecardKey) -> Option<Problem> {
        Some(foreign_results(path))
    }
}

//! Scorecards of a study's models on disk, each in the folder of the run it scores.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Seed, read, write_atomic};

use crate::JobError;
use crate::folders::{branch_folder, trunk_folder};
use crate::problem::{damaged, foreign_results};
use sparkjoy_eval::Scorecard;
use sparkjoy_study::{Branch, Plan, TaskPlan};

/// A model that is scored on tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point<'a> {
    /// The trunk at a step.
    Trunk(u64),
    /// The end of a branch.
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

    /// Its step.
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

/// What was asked of which model: everything a study says that determines a card. The rows of
/// tasks are named on the card itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The run; holds model and tokenizer.
    run: Fingerprint,
    /// The checkpoint's step.
    step: u64,
    /// Draws sampled texts.
    seed: Seed,
    /// Tasks, baselines, limit.
    tasks: TaskPlan,
}

impl Asked {
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

    fn file(&self, run_folder: &Path) -> PathBuf {
        run_folder.join(format!("tasks-{}.json", Fingerprint::of_value(self)))
    }
}

/// A card as it lies on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filed {
    of: Asked,
    card: Scorecard,
}

/// The card of a model, if it has one.
///
/// # Errors
///
/// A file that is damaged, or not what its name says.
pub(crate) fn read_card(run_folder: &Path, of: &Asked) -> Result<Option<Scorecard>, JobError> {
    let path = of.file(run_folder);
    if !path.exists() {
        return Ok(None);
    }
    match serde_json::from_slice::<Filed>(&read(&path)?) {
        Ok(filed) if filed.of == *of => Ok(Some(filed.card)),
        Ok(_) => Err(foreign_results(&path).into()),
        Err(why) => Err(damaged(&path, &why).into()),
    }
}

/// Writes a card where [`read_card`] finds it.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write_card(run_folder: &Path, of: Asked, card: Scorecard) -> Result<(), JobError> {
    let path = of.file(run_folder);
    let json = serde_json::to_vec(&Filed { of, card }).expect("plain data has a JSON form");
    Ok(write_atomic(&path, &json)?)
}

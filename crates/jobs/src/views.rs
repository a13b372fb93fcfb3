//! The jobs of a plan as others see them: what each takes, leaves and has cost, and its state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::Tokens;
use sparkjoy_spec::OptimizerKind;
use sparkjoy_study::{Branch, Effort, Plan};

use crate::error::JobError;
use crate::graph::{Job, JobState, jobs};
use crate::scorecards::Point;
use crate::timing::{self, JobTime};

/// Bytes of a number in a checkpoint.
const FLOAT: u64 = 4;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Trains a run from a step to a step.
    Train {
        /// Where it begins.
        from: u64,
        /// Where it ends.
        to: u64,
    },
    /// Scores a model on held-out text.
    Score,
    /// Scores a model on tasks.
    Tasks,
    /// Looks for items of tasks in training text.
    Contamination,
}

/// The run that a job trains or scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobRun {
    /// One of the plan's trunks.
    Trunk(usize),
    /// One of the plan's branches.
    Branch(usize),
    /// No run at all.
    None,
}

/// What a job takes and leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCost {
    /// Training; none in a job that scores.
    #[serde(flatten)]
    pub effort: Effort,
    /// Bytes of the checkpoints it leaves, about: weights and optimizer state.
    pub disk: u64,
}

/// A job as it is planned: what anybody's scheduler has to know to run it by
/// `sparkjoy run STUDY --job NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedJob {
    /// Its name, unique in its plan. Letters, digits, `.`, `_` and `-` alone.
    pub name: String,
    /// What it does.
    pub kind: JobKind,
    /// The run it trains or scores.
    pub run: JobRun,
    /// Names of the jobs that must be done before.
    pub needs: Vec<String>,
    /// The folder of its run, below the folder of all runs.
    pub folder: PathBuf,
    /// What it takes and leaves.
    #[serde(flatten)]
    pub cost: JobCost,
}

/// A job as it is on the disk.
#[derive(Debug)]
pub struct JobView {
    /// Its name, unique in its plan.
    pub name: String,
    /// What it does.
    pub kind: JobKind,
    /// The run it trains or scores.
    pub run: JobRun,
    /// The folder of that run.
    pub folder: PathBuf,
    /// How far it has come, or what is wrong with what it left.
    pub state: Result<JobState, JobError>,
    /// What it has cost so far, if it ever ran.
    pub time: Option<JobTime>,
}

/// All jobs of a plan, each after those it needs.
pub fn planned_jobs(plan: &Plan, runs: &Path) -> Vec<PlannedJob> {
    jobs(plan).iter().map(|job| job.planned(plan, runs)).collect()
}

/// All jobs of a plan with their states. What is wrong with one keeps no other from being seen.
pub fn job_views(plan: &Plan, runs: &Path) -> Vec<JobView> {
    let views = jobs(plan).into_iter().map(|job| JobView {
        name: job.name(plan),
        kind: job.kind(),
        run: job.run(plan),
        folder: job.folder(plan, runs),
        state: job.state(plan, runs),
        time: timing::of_job(plan, runs, &job.names(plan)),
    });
    views.collect()
}

/// State of each job of a plan, by name: the contamination check, the trunk's stretches, then each
/// branch and its score.
///
/// # Errors
///
/// A folder that holds something else than its name says; whatever reading the folders meets.
pub fn job_states(plan: &Plan, runs: &Path) -> Result<Vec<(String, JobState)>, JobError> {
    let states = jobs(plan).into_iter().map(|job| {
        let state = job.state(plan, runs)?;
        Ok((job.name(plan), state))
    });
    states.collect()
}

/// What each job of a plan has cost, by name; jobs that never ran, or whose time is lost, are
/// absent.
pub fn timings(plan: &Plan, runs: &Path) -> BTreeMap<String, JobTime> {
    let times = jobs(plan).into_iter().filter_map(|job| {
        let time = timing::of_job(plan, runs, &job.names(plan))?;
        Some((job.name(plan), time))
    });
    times.collect()
}

impl Job<'_> {
    fn planned(&self, plan: &Plan, runs: &Path) -> PlannedJob {
        let folder = self.folder(plan, runs);
        PlannedJob {
            name: self.name(plan),
            kind: self.kind(),
            run: self.run(plan),
            needs: self.needs(plan).iter().map(|job| job.name(plan)).collect(),
            folder: folder.strip_prefix(runs).map_or_else(|_| folder.clone(), Path::to_owned),
            cost: self.cost(plan),
        }
    }

    fn kind(&self) -> JobKind {
        match self {
            Self::Trunk { from, to, .. } => JobKind::Train { from: *from, to: *to },
            Self::Branch(branch) => {
                JobKind::Train { from: branch.from_step, to: branch.spec.last_step() }
            }
            Self::Score(_) => JobKind::Score,
            Self::Tasks(_) => JobKind::Tasks,
            Self::Contamination => JobKind::Contamination,
        }
    }

    /// The run it trains or scores.
    fn run(&self, plan: &Plan) -> JobRun {
        match self {
            Self::Trunk { trunk, .. } => JobRun::Trunk(*trunk),
            Self::Branch(branch) | Self::Score(branch) | Self::Tasks(Point::Branch(branch)) => {
                let is_it = |other: &Branch| other.name == branch.name;
                JobRun::Branch(plan.branches.iter().position(is_it).expect("a branch of the plan"))
            }
            Self::Tasks(Point::Trunk(_)) => JobRun::Trunk(0),
            Self::Contamination => JobRun::None,
        }
    }

    /// What it takes and leaves, if it is done from its beginning.
    fn cost(&self, plan: &Plan) -> JobCost {
        let (spec, checkpoints) = match self {
            Self::Trunk { trunk, from, to } => {
                let kept = plan
                    .kept_steps(*trunk)
                    .into_iter()
                    .filter(|step| (from + 1..=*to).contains(step));
                (&plan.trunks[*trunk].spec, kept.count() as u64)
            }
            Self::Branch(branch) => (&branch.spec, 1),
            Self::Score(_) | Self::Tasks(_) | Self::Contamination => return JobCost::default(),
        };
        let steps = self.steps_left(JobState::Missing);
        let moments = match spec.optimizer {
            OptimizerKind::LionW { .. } => 1,
            OptimizerKind::AdamW { .. } => 2,
        };
        JobCost {
            effort: Effort {
                steps,
                tokens: Tokens(steps * spec.tokens_per_step()),
                flops: u128::from(steps) * spec.model.flops(spec.batch),
            },
            disk: checkpoints * spec.model.parameters() * FLOAT * (1 + moments),
        }
    }
}

//! The jobs of a plan, what each needs, and how far each has come.
//!
//! A job is one idempotent piece of work on shared folders. Nothing keeps a list of what is done:
//! the folders are asked, each time, and only what is whole and of the right identity counts.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, Tokens};
use sparkjoy_nn::OptimizerKind;
use sparkjoy_study::Effort;
use sparkjoy_train::{Checkpoint, RunSpec};

use crate::cards::{Asked, Point, read_card};
use crate::contamination::Record;
use crate::folders::{branch_folder, study_folder, trunk_folder};
use crate::problem::AGAIN;
use crate::scores::{Scored, Scores};
use crate::timing;
use crate::{JobError, JobTime};
use sparkjoy_study::{Branch, Plan};

/// Whether a job is done, begun or missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Nothing there.
    Missing,
    /// Begun; continues from this step.
    Begun {
        /// Steps done.
        step: u64,
    },
    /// Whole.
    Done,
}

/// Bytes of a number in a checkpoint.
const FLOAT: u64 = 4;

/// The name of the job that comes before all others.
pub(crate) const CONTAMINATION: &str = "contamination";

/// One piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Job<'a> {
    /// Look for items of tasks in training text.
    Contamination,
    /// Train a trunk from one branch point to the next.
    Trunk {
        /// Which: 0 is the study's own.
        trunk: usize,
        /// The branch point before, or the trunk's start.
        from: u64,
        /// The branch point to reach.
        to: u64,
    },
    /// Train a branch to its end.
    Branch(&'a Branch),
    /// Score the end of a branch on held-out text.
    Score(&'a Branch),
    /// Score a model on tasks.
    Tasks(Point<'a>),
}

/// All jobs of a plan in an order in which each finds what it needs.
pub(crate) fn jobs(plan: &Plan) -> Vec<Job<'_>> {
    let trunks = plan.trunks.iter().enumerate();
    let trunks = trunks.flat_map(|(trunk, of)| stretches(plan, trunk, &of.spec));
    let branches = plan.branches.iter().flat_map(|branch| {
        let score = branch.compared.then_some(Job::Score(branch));
        std::iter::once(Job::Branch(branch)).chain(score)
    });
    // Tasks last: they take long, and the answers on held-out text need not wait for them.
    let tasks = points_of(plan).into_iter().map(Job::Tasks);
    let check = plan.evaluation.tasks.as_ref().map(|_| Job::Contamination);
    check.into_iter().chain(trunks).chain(branches).chain(tasks).collect()
}

/// A trunk from branch point to branch point.
fn stretches<'a>(plan: &Plan, trunk: usize, spec: &RunSpec) -> Vec<Job<'a>> {
    let points = plan.branch_points_of(trunk).into_iter().filter(|&step| step > 0);
    let points: Vec<u64> = points.collect();
    let starts = std::iter::once(spec.first_step).chain(points.iter().copied());
    starts.zip(&points).map(|(from, &to)| Job::Trunk { trunk, from, to }).collect()
}

/// The models of a plan that are scored on tasks.
fn points_of(plan: &Plan) -> Vec<Point<'_>> {
    let Some(tasks) = &plan.evaluation.tasks else { return Vec::new() };
    let trunk = tasks.at.iter().map(|&step| Point::Trunk(step));
    trunk.chain(plan.compared().map(|(_, branch)| Point::Branch(branch))).collect()
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
        // A time that cannot be read is a time that is not known.
        time: timing::of_job(plan, runs, &job).unwrap_or_default(),
    });
    views.collect()
}

impl<'a> Job<'a> {
    fn planned(&self, plan: &'a Plan, runs: &Path) -> PlannedJob {
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

    /// What it does.
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

    /// The folder of its run.
    pub(crate) fn folder(&self, plan: &Plan, runs: &Path) -> PathBuf {
        match self {
            Self::Trunk { trunk, .. } => {
                let spec = &plan.trunks[*trunk].spec;
                trunk_folder(spec, runs)
            }
            Self::Branch(branch) | Self::Score(branch) => branch_folder(branch, runs),
            Self::Tasks(point) => point.folder(plan, runs),
            Self::Contamination => study_folder(plan, runs),
        }
    }

    /// What it is called on a command line; unique in its plan.
    pub(crate) fn name(&self, plan: &Plan) -> String {
        match self {
            Self::Trunk { trunk, to, .. } => format!("{}-{to}", plan.trunks[*trunk].name),
            Self::Branch(branch) => branch.name.clone(),
            Self::Score(branch) => format!("{}-score", branch.name),
            Self::Tasks(point) => format!("{}-tasks", point.name()),
            Self::Contamination => CONTAMINATION.to_owned(),
        }
    }

    /// What versions before 0.2 called it.
    pub(crate) fn former_name(&self) -> Option<String> {
        match self {
            Self::Branch(branch) => branch.former_name.clone(),
            Self::Score(branch) => branch.former_name.as_ref().map(|name| format!("{name}-score")),
            Self::Tasks(Point::Branch(branch)) => {
                branch.former_name.as_ref().map(|name| format!("{name}-tasks"))
            }
            Self::Contamination | Self::Trunk { .. } | Self::Tasks(Point::Trunk(_)) => None,
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

    /// The jobs that must be done before this one.
    pub(crate) fn needs(&self, plan: &'a Plan) -> Vec<Self> {
        let trunk_to = |of: usize, step: u64| {
            let reaches = |job: &Job<'_>| {
                let Job::Trunk { trunk, to, .. } = job else { return false };
                (*trunk, *to) == (of, step)
            };
            jobs(plan).into_iter().find(reaches)
        };
        let before = match self {
            Self::Contamination => return Vec::new(),
            // The stretch that only makes a checkpoint of an imported model needs nothing.
            Self::Trunk { trunk, from, to } => trunk_to(*trunk, *from).filter(|_| from < to),
            Self::Branch(branch) => match branch.after {
                Some(after) => Some(Self::Branch(&plan.branches[after])),
                None => trunk_to(branch.trunk, branch.from_step),
            },
            Self::Score(branch) | Self::Tasks(Point::Branch(branch)) => Some(Self::Branch(branch)),
            // The first stretch that comes past it; none reaches back to the very start.
            Self::Tasks(Point::Trunk(step)) => jobs(plan)
                .into_iter()
                .find(|job| matches!(job, Job::Trunk { trunk: 0, to, .. } if to >= step)),
        };
        // Nothing is trained on text that nobody has looked at.
        let check = plan.evaluation.tasks.as_ref().map(|_| Self::Contamination);
        before.or(check).into_iter().collect()
    }

    /// How far it has come.
    pub(crate) fn state(&self, plan: &Plan, runs: &Path) -> Result<JobState, JobError> {
        match self {
            Self::Trunk { trunk, from, to } => {
                let spec = &plan.trunks[*trunk].spec;
                progress(&trunk_folder(spec, runs), spec, *from, *to)
            }
            Self::Branch(branch) => {
                let spec = &branch.spec;
                progress(&branch_folder(branch, runs), spec, branch.from_step, spec.last_step())
            }
            Self::Score(branch) => {
                let scored = Scored::new(plan, branch);
                let scores = Scores::read(&branch_folder(branch, runs), &scored)?;
                Ok(if scores.is_some() { JobState::Done } else { JobState::Missing })
            }
            Self::Tasks(point) => {
                let of = Asked::new(plan, *point).expect("there are tasks to score");
                let card = read_card(&point.folder(plan, runs), &of)?;
                Ok(if card.is_some() { JobState::Done } else { JobState::Missing })
            }
            Self::Contamination => {
                let record = Record::read(plan, runs)?.filter(|record| record.is_complete(plan));
                Ok(if record.is_some() { JobState::Done } else { JobState::Missing })
            }
        }
    }

    /// Steps of training it still takes.
    pub(crate) fn steps_left(&self, state: JobState) -> u64 {
        let (from, to) = match self {
            Self::Trunk { from, to, .. } => (*from, *to),
            Self::Branch(branch) => (branch.from_step, branch.spec.last_step()),
            Self::Score(_) | Self::Tasks(_) | Self::Contamination => return 0,
        };
        match state {
            JobState::Missing => to - from,
            JobState::Begun { step } => to - step,
            JobState::Done => 0,
        }
    }
}

/// A run folder that holds the checkpoint of another run.
fn other_run(path: &Path, found: Fingerprint, expected: Fingerprint) -> Problem {
    let text = format!(
        "the checkpoint `{}` belongs to run {found}, expected run {expected}",
        path.display()
    );
    let folder = path.parent().unwrap_or(path).display();
    Problem::new(text)
        .with_hint(format!("move `{folder}` away and {AGAIN}: the run is trained anew"))
}

/// How far the run of `spec` in `folder` has come between two of its steps.
fn progress(folder: &Path, spec: &RunSpec, from: u64, to: u64) -> Result<JobState, JobError> {
    if !folder.exists() {
        return Ok(JobState::Missing);
    }
    let checkpoints = Checkpoint::list(folder)?;
    let expected = spec.fingerprint();
    if let Some(foreign) = checkpoints.iter().find(|c| c.run != expected) {
        return Err(other_run(&foreign.folder, foreign.run, expected).into());
    }
    if checkpoints.iter().any(|c| c.step == to) {
        return Ok(JobState::Done);
    }
    let begun = checkpoints.iter().map(|c| c.step).filter(|step| (from + 1..to).contains(step));
    Ok(begun.max().map_or(JobState::Missing, |step| JobState::Begun { step }))
}

/// The whole checkpoint of `spec` at `step` in `folder`, if it is there.
pub(crate) fn checkpoint(folder: &Path, step: u64) -> Result<Option<Checkpoint>, JobError> {
    if !folder.exists() {
        return Ok(None);
    }
    Ok(Checkpoint::list(folder)?.into_iter().find(|c| c.step == step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    #[test]
    fn a_checkpoint_of_another_run_is_refused_with_its_place() {
        let [found, expected] = ["found", "expected"].map(|t| Fingerprint::of_bytes(t.as_bytes()));
        let path = Path::new("runs/trunk-3f9a12bc/step-3600");
        insta::assert_snapshot!(shown(Err(other_run(path, found, expected))), @"
        the checkpoint `runs/trunk-3f9a12bc/step-3600` belongs to run 6166e496, expected run a99e31b7
        hint: move `runs/trunk-3f9a12bc` away and run the same command again: the run is trained anew
        ");
    }
}

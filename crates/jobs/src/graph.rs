//! The jobs of a plan, what each needs, and how far each has come.
//!
//! A job is one idempotent piece of work on shared folders. Nothing keeps a list of what is done:
//! the folders are asked, each time, and only what is whole and of the right identity counts.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, apart};
use sparkjoy_spec::RunSpec;
use sparkjoy_study::{Branch, Plan};
use sparkjoy_train::{Checkpoint, check_run, has_metrics};

use crate::contamination::Record;
use crate::error::JobError;
use crate::folders::{branch_folder, study_folder, trunk_folder};
use crate::keyed::find;
use crate::problem::move_away;
use crate::scorecards::{FiledScorecard, Point, ScorecardKey};
use crate::scores::{HeldOutKey, Scores};
use crate::tasks::has_items;

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

/// The name of the job that comes before all others.
pub(crate) const CONTAMINATION: &str = "contamination";

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

impl<'a> Job<'a> {
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
    fn former_name(&self) -> Option<String> {
        match self {
            Self::Branch(branch) => branch.former_name.clone(),
            Self::Score(branch) => branch.former_name.as_ref().map(|name| format!("{name}-score")),
            Self::Tasks(Point::Branch(branch)) => {
                branch.former_name.as_ref().map(|name| format!("{name}-tasks"))
            }
            Self::Contamination | Self::Trunk { .. } | Self::Tasks(Point::Trunk(_)) => None,
        }
    }

    /// The names it has and had, the present one first.
    pub(crate) fn names(&self, plan: &Plan) -> Vec<String> {
        std::iter::once(self.name(plan)).chain(self.former_name()).collect()
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
                let asked = HeldOutKey::new(plan, branch);
                let scores = find::<Scores>(&branch_folder(branch, runs), &asked)?;
                Ok(if scores.is_some() { JobState::Done } else { JobState::Missing })
            }
            Self::Tasks(point) => {
                let asked = ScorecardKey::new(plan, *point).expect("there are tasks to score");
                let folder = point.folder(plan, runs);
                let filed = find::<FiledScorecard>(&folder, &asked)?;
                let is_whole = match filed {
                    Some(filed) => has_items(&folder.join("tasks"), &filed.scorecard, plan.seed)?,
                    None => false,
                };
                Ok(if is_whole { JobState::Done } else { JobState::Missing })
            }
            Self::Contamination => {
                let record = Record::read(plan, runs)?.filter(|record| record.is_complete(plan));
                Ok(if record.is_some() { JobState::Done } else { JobState::Missing })
            }
        }
    }

    /// Whether it trains.
    pub(crate) fn trains(&self) -> bool {
        matches!(self, Self::Trunk { .. } | Self::Branch(_))
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
    let [found, expected] = apart(found, expected);
    let text = format!(
        "the checkpoint `{}` belongs to run {found}, expected run {expected}",
        path.display()
    );
    Problem::new(text).with_hint(move_away(path.parent().unwrap_or(path)))
}

/// How far the run of `spec` in `folder` has come between two of its steps.
fn progress(folder: &Path, spec: &RunSpec, from: u64, to: u64) -> Result<JobState, JobError> {
    check_run(folder, spec)?;
    let checkpoints = Checkpoint::list(folder)?;
    let expected = spec.fingerprint();
    if let Some(foreign) = checkpoints.iter().find(|c| c.run != expected) {
        return Err(other_run(&foreign.folder, foreign.run, expected).into());
    }
    if checkpoints.iter().any(|c| c.step == to) {
        let is_whole = has_metrics(folder, checkpoints.last())?;
        // Nothing is left to compute, but its metrics are to be written again.
        return Ok(if is_whole { JobState::Done } else { JobState::Begun { step: to } });
    }
    let begun = checkpoints.iter().map(|c| c.step).filter(|step| (from + 1..to).contains(step));
    Ok(begun.max().map_or(JobState::Missing, |step| JobState::Begun { step }))
}

/// The whole checkpoint of `spec` at `step` in `folder`, if it is there.
pub(crate) fn checkpoint(folder: &Path, step: u64) -> Result<Option<Checkpoint>, JobError> {
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
        hint: move `runs/trunk-3f9a12bc` away: `sparkjoy run STUDY` makes it anew
        ");
    }
}

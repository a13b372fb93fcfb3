//! What the runs of a plan have left on the disk, as answers are computed from it.

use std::collections::BTreeMap;
use std::path::Path;

use sparkjoy_answers::{Computed, HeldOut, Items, Results};
use sparkjoy_base::{Fingerprint, metadata};
use sparkjoy_eval::Scorecard;
use sparkjoy_study::{Branch, Plan};
use sparkjoy_train::{Checkpoint, check_metrics, check_run, step_name};

use crate::contamination::checked;
use crate::error::JobError;
use crate::folders::{branch_folder, trunk_folder};
use crate::graph::checkpoint;
use crate::keyed::find;
use crate::scorecards::{FiledScorecard, Point, ScorecardKey};
use crate::scores::{HeldOutKey, Scores};
use crate::tasks::item_results;

/// Everything there is of a plan's results.
///
/// # Errors
///
/// A result on disk that is damaged or not of what the plan names.
pub fn results(plan: &Plan, runs: &Path) -> Result<Results, JobError> {
    let trunks = plan.trunks.iter().map(|it| (trunk_folder(&it.spec, runs), &it.spec));
    let branches = plan.branches.iter().map(|it| (branch_folder(it, runs), &it.spec));
    for (folder, spec) in trunks.chain(branches) {
        check_run(&folder, spec)?;
        check_metrics(&folder)?;
    }
    let scores = scores(plan, runs)?;
    let computed = computed(plan.branches.iter().zip(&scores), runs)?;
    let scorecards = scorecards(plan, runs)?;
    Ok(Results {
        items: items(plan, &scorecards, runs)?,
        trunk: trunk(plan, runs)?,
        contamination: checked(plan, runs)?,
        held_out: by_source(scores),
        scorecards,
        computed,
    })
}

/// Scores on held-out text for an estimate of their noise, one element per branch: on the sample
/// of held-out text on which most branches are scored. That is another one than the plan's where
/// its `held_out` has changed since.
pub fn scored_before(plan: &Plan, runs: &Path) -> Vec<Option<HeldOut>> {
    let of_branch = |branch: &Branch| {
        let key = HeldOutKey::new(plan, branch);
        if branch.compared {
            Scores::of_checkpoint(&branch_folder(branch, runs), &key)
        } else {
            vec![]
        }
    };
    let all: Vec<Vec<Scores>> = plan.branches.iter().map(of_branch).collect();
    let mut samples: Vec<(Fingerprint, usize)> = Vec::new();
    for sample in all.iter().flatten().map(|scores| scores.of.sample()) {
        match samples.iter_mut().find(|(known, _)| *known == sample) {
            Some((_, count)) => *count += 1,
            None => samples.push((sample, 1)),
        }
    }
    let most = samples.into_iter().max_by_key(|(_, count)| *count).map(|(sample, _)| sample);
    let chosen = all
        .into_iter()
        .map(|scores| scores.into_iter().find(|scores| Some(scores.of.sample()) == most));
    by_source(chosen.collect())
}

fn scores(plan: &Plan, runs: &Path) -> Result<Vec<Option<Scores>>, JobError> {
    let scores = plan.branches.iter().map(|branch| {
        if !branch.compared {
            return Ok(None);
        }
        find(&branch_folder(branch, runs), &HeldOutKey::new(plan, branch))
    });
    scores.collect()
}

fn by_source(scores: Vec<Option<Scores>>) -> Vec<Option<HeldOut>> {
    let of_one = |scores: Scores| {
        scores.held_out.into_iter().map(|score| (score.source.clone(), score)).collect()
    };
    scores.into_iter().map(|scores| scores.map(of_one)).collect()
}

/// What computed each branch that is scored, by the checkpoint at its end and by its score. A score
/// is enough for a report: its checkpoint may have been removed to save space, and with it what
/// computed it.
///
/// # Errors
///
/// If a checkpoint is not as it was written.
fn computed<'a>(
    branches: impl Iterator<Item = (&'a Branch, &'a Option<Scores>)>,
    runs: &Path,
) -> Result<Vec<Computed>, JobError> {
    let mut groups: Vec<Computed> = Vec::new();
    for (branch, scores) in branches {
        let Some(scores) = scores else { continue };
        let (run, step) = (branch_folder(branch, runs), branch.spec.last_step());
        let end = checkpoint(&run, step)?;
        let folder = run.join(step_name(step));
        if end.is_none() && metadata(&folder)?.is_some() {
            // It lacks what says what it is, and the report would lack what computed the branch.
            Checkpoint::open(&folder)?;
        }
        let mut kernels: Vec<String> = match end {
            Some(end) => end.inspect()?.kernels.iter().map(|it| it.kernel.clone()).collect(),
            None => Vec::new(),
        };
        if let (Some(last), Some(scored_by)) = (kernels.last_mut(), &scores.kernel) {
            *last = format!("{last}, scored by {scored_by}");
        }
        match groups.iter_mut().find(|group| group.kernels == kernels) {
            Some(group) => group.branches.push(branch.name.clone()),
            None => groups.push(Computed { kernels, branches: vec![branch.name.clone()] }),
        }
    }
    Ok(groups)
}

/// Items of every task on the scorecards.
fn items(
    plan: &Plan,
    scorecards: &[Option<Scorecard>],
    runs: &Path,
) -> Result<Vec<BTreeMap<String, Items>>, JobError> {
    let of = |(branch, scorecard): (&Branch, &Option<Scorecard>)| {
        let mut by_task = BTreeMap::new();
        let Some(scorecard) = scorecard else { return Ok(by_task) };
        let folder = branch_folder(branch, runs).join("tasks");
        for task in &scorecard.tasks {
            if let Some(results) = item_results(&folder, scorecard, task, plan.seed)? {
                by_task.insert(task.task.clone(), Items::of(task, &results));
            }
        }
        Ok(by_task)
    };
    plan.branches.iter().zip(scorecards).map(of).collect()
}

/// The scorecards of all branches of a plan, as far as there are any.
fn scorecards(plan: &Plan, runs: &Path) -> Result<Vec<Option<Scorecard>>, JobError> {
    plan.branches.iter().map(|branch| scorecard(plan, Point::Branch(branch), runs)).collect()
}

/// The trunk's scores on tasks at the steps the plan asks for, as far as there are any.
fn trunk(plan: &Plan, runs: &Path) -> Result<Vec<(u64, Scorecard)>, JobError> {
    let steps = plan.evaluation.tasks.iter().flat_map(|tasks| &tasks.at);
    let mut points = Vec::new();
    for &step in steps {
        let Some(scorecard) = scorecard(plan, Point::Trunk(step), runs)? else { continue };
        points.push((step, scorecard));
    }
    Ok(points)
}

fn scorecard(plan: &Plan, point: Point<'_>, runs: &Path) -> Result<Option<Scorecard>, JobError> {
    let Some(asked) = ScorecardKey::new(plan, point) else { return Ok(None) };
    let filed = find::<FiledScorecard>(&point.folder(plan, runs), &asked)?;
    Ok(filed.map(|filed| filed.scorecard))
}

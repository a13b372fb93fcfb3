//! What the runs of a plan have left on the disk, as answers are computed from it.

use std::collections::BTreeMap;
use std::path::Path;

use sparkjoy_answers::{Computed, HeldOut, Items, Results};
use sparkjoy_eval::Scorecard;
use sparkjoy_study::{Branch, Plan};

use crate::JobError;
use crate::cards::{Asked, Point, read_card};
use crate::contamination::checked;
use crate::folders::branch_folder;
use crate::graph::checkpoint;
use crate::scores::{Scored, Scores};
use crate::tasks::item_results;

/// Everything there is of a plan's results.
///
/// # Errors
///
/// A result on disk that is damaged or not of what the plan names.
pub fn results(plan: &Plan, runs: &Path) -> Result<Results, JobError> {
    let held_out = held_out(plan, runs)?;
    let scored = plan.branches.iter().zip(&held_out).filter(|(_, score)| score.is_some());
    let computed = computed(scored.map(|(branch, _)| branch), runs)?;
    let scorecards = scorecards(plan, runs)?;
    Ok(Results {
        items: items(plan, &scorecards, runs)?,
        trunk: trunk(plan, runs)?,
        contamination: checked(plan, runs)?,
        held_out,
        scorecards,
        computed,
    })
}

/// Scores on held-out text, one element per branch; none where it is not compared or not scored.
///
/// # Errors
///
/// As [`results`].
pub fn held_out(plan: &Plan, runs: &Path) -> Result<Vec<Option<HeldOut>>, JobError> {
    let scores = plan.branches.iter().map(|branch| {
        if !branch.compared {
            return Ok(None);
        }
        let scored = Scored::new(plan, branch);
        let scores = Scores::read(&branch_folder(branch, runs), &scored)?;
        let by_source = |scores: Scores| {
            scores.held_out.into_iter().map(|score| (score.source.clone(), score)).collect()
        };
        Ok(scores.map(by_source))
    });
    scores.collect()
}

/// What computed each branch, by the checkpoint at its end.
///
/// # Errors
///
/// If a checkpoint is not as it was written.
fn computed<'a>(
    branches: impl Iterator<Item = &'a Branch>,
    runs: &Path,
) -> Result<Vec<Computed>, JobError> {
    let mut groups: Vec<Computed> = Vec::new();
    for branch in branches {
        let end = checkpoint(&branch_folder(branch, runs), branch.spec.last_step())?;
        // A score is enough for a report; its checkpoint may have been removed to save space.
        let Some(end) = end else { continue };
        let kernels: Vec<String> =
            end.inspect()?.kernels.iter().map(|since| since.kernel.clone()).collect();
        match groups.iter_mut().find(|group| group.kernels == kernels) {
            Some(group) => group.branches.push(branch.name.clone()),
            None => groups.push(Computed { kernels, branches: vec![branch.name.clone()] }),
        }
    }
    Ok(groups)
}

/// Items of every task on the cards.
fn items(
    plan: &Plan,
    cards: &[Option<Scorecard>],
    runs: &Path,
) -> Result<Vec<BTreeMap<String, Items>>, JobError> {
    let of = |(branch, card): (&Branch, &Option<Scorecard>)| {
        let mut by_task = BTreeMap::new();
        let Some(card) = card else { return Ok(by_task) };
        let folder = branch_folder(branch, runs).join("tasks");
        for task in &card.tasks {
            if let Some(results) = item_results(&folder, card, task, plan.seed)? {
                by_task.insert(task.task.clone(), Items::of(task, &results));
            }
        }
        Ok(by_task)
    };
    plan.branches.iter().zip(cards).map(of).collect()
}

/// The cards of all branches of a plan, as far as there are any.
fn scorecards(plan: &Plan, runs: &Path) -> Result<Vec<Option<Scorecard>>, JobError> {
    let card = |branch| {
        let point = Point::Branch(branch);
        match Asked::new(plan, point) {
            None => Ok(None),
            Some(asked) => read_card(&point.folder(plan, runs), &asked),
        }
    };
    plan.branches.iter().map(card).collect()
}

/// The trunk's scores on tasks at the steps the plan asks for, as far as there are any.
fn trunk(plan: &Plan, runs: &Path) -> Result<Vec<(u64, Scorecard)>, JobError> {
    let steps = plan.evaluation.tasks.iter().flat_map(|tasks| &tasks.at);
    let mut points = Vec::new();
    for &step in steps {
        let point = Point::Trunk(step);
        let Some(asked) = Asked::new(plan, point) else { continue };
        let Some(card) = read_card(&point.folder(plan, runs), &asked)? else { continue };
        points.push((step, card));
    }
    Ok(points)
}

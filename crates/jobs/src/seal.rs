//! Seals what earlier versions wrote without: once, on request, and only what holds against all
//! else that is known of it.
//!
//! Losses and answers of a model cannot be told from others without the model. Which sequences and
//! items they are of, how much text that is, what a scorecard makes of its items, and every byte of
//! every checkpoint can.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sparkjoy_eval::{Dataset, Scorecard, is_of_text, score};
use sparkjoy_study::TaskPlan;
use sparkjoy_train::{Checkpoint, check_run};

use crate::contamination::seal_record;
use crate::error::JobError;
use crate::folders::branch_folder;
use crate::graph::{Job, jobs};
use crate::inputs::Inputs;
use crate::keyed;
use crate::places::Places;
use crate::problem::{does_not_hold, no_task_data};
use crate::scorecards::{FiledScorecard, Point, ScorecardKey};
use crate::scores::{HeldOutKey, Scores};
use crate::tasks::{item_results, seal_items};

/// Seals the results of a plan that have no seal; returns the files. Every checkpoint is read.
///
/// # Errors
///
/// The first thing that does not hold; nothing that comes after it is sealed.
pub fn seal_results(inputs: &Inputs<'_>, places: &Places) -> Result<Vec<PathBuf>, JobError> {
    let Inputs { plan, .. } = *inputs;
    inputs.check()?;
    let mut sealed = Vec::new();
    let mut seen = BTreeSet::new();
    for job in jobs(plan) {
        let folder = job.folder(plan, &places.runs);
        let spec = match job {
            Job::Trunk { trunk, .. } => Some(&plan.trunks[trunk].spec),
            Job::Branch(branch) => Some(&branch.spec),
            Job::Score(branch) => {
                sealed.extend(keyed::seal(
                    &branch_folder(branch, &places.runs),
                    &HeldOutKey::new(plan, branch),
                    |scores: &Scores| check_scores(inputs, scores, &folder),
                )?);
                None
            }
            Job::Tasks(point) => {
                sealed.extend(seal_tasks(inputs, places, point)?);
                None
            }
            Job::Contamination => {
                sealed.extend(seal_record(inputs, &places.runs)?);
                None
            }
        };
        if let Some(spec) = spec
            && seen.insert(folder.clone())
        {
            check_run(&folder, spec)?;
            for checkpoint in Checkpoint::list(&folder)? {
                Checkpoint::open(&checkpoint.folder)?;
            }
        }
    }
    Ok(sealed)
}

/// Holds scores on held-out text against the text.
fn check_scores(inputs: &Inputs<'_>, scores: &Scores, folder: &Path) -> Result<(), JobError> {
    let Inputs { plan, tokenizer, .. } = *inputs;
    let (context, budget) = (plan.shape.context, plan.evaluation.held_out);
    for score in &scores.held_out {
        let corpus = inputs.corpus(&score.source);
        if !is_of_text(score, corpus, tokenizer, context, plan.seed, budget)? {
            let what = format!("the score of `{}` is not of its held-out text", score.source);
            return Err(does_not_hold(folder, &what).into());
        }
    }
    Ok(())
}

/// Seals the items of a model, then its scorecard if it is what the items give.
fn seal_tasks(
    inputs: &Inputs<'_>,
    places: &Places,
    point: Point<'_>,
) -> Result<Vec<PathBuf>, JobError> {
    let plan = inputs.plan;
    let folder = point.folder(plan, &places.runs);
    let asked = ScorecardKey::new(plan, point).expect("the job is there for its tasks");
    let mut sealed = Vec::new();
    let scorecard = keyed::seal(&folder, &asked, |filed: &FiledScorecard| {
        let items = folder.join("tasks");
        sealed.extend(seal_items(&items, &filed.scorecard, plan.seed)?);
        let tasks = plan.evaluation.tasks.as_ref().expect("the job is there for its tasks");
        check_scorecard(&filed.scorecard, tasks, inputs, places, &items)
    })?;
    sealed.extend(scorecard);
    Ok(sealed)
}

/// Computes a scorecard again from its items. Those that are lost are asked again by the next run.
fn check_scorecard(
    scorecard: &Scorecard,
    tasks: &TaskPlan,
    inputs: &Inputs<'_>,
    places: &Places,
    items: &Path,
) -> Result<(), JobError> {
    let data = places.eval_data.as_ref().ok_or_else(no_task_data)?;
    for found in &scorecard.tasks {
        let Some(results) = item_results(items, scorecard, found, inputs.plan.seed)? else {
            continue;
        };
        let Some(task) = tasks.selection.tasks.iter().find(|task| task.name == found.task) else {
            continue;
        };
        let rows = Dataset::open(task, data)?;
        if !score(task, &rows, &results, scorecard.baselines).is_the_same(found) {
            let what = format!("the score of `{}` is not what its items give", found.task);
            return Err(does_not_hold(items, &what).into());
        }
    }
    Ok(())
}

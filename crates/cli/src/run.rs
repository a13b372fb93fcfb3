//! `run`: everything that is missing, then the report.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_jobs::changed_settings;

use crate::args::{ForTasks, Place};
use crate::failure::Failure;
use crate::output::{Output, say};
use crate::progress::Progress;
use crate::study::{Opened, with_options};
use crate::{plan, report};

/// Prepares, plans, trains and scores what is missing of a study, and reports.
///
/// # Errors
///
/// What is wrong with the study, its text or its folders; a run that diverged; an interruption.
pub(crate) fn run(
    study: &Path,
    job: Option<&str>,
    tasks_need: &ForTasks,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let opened = Opened::to_run(study, job, place, stop)?;
    train(&opened, job, tasks_need, place, stop)?;
    if job.is_some() { Ok(()) } else { report::print_report(&opened, place) }
}

/// Trains and scores what is missing of an opened study.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn train(
    opened: &Opened,
    job: Option<&str>,
    tasks_need: &ForTasks,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let Opened { study, tokenizer, corpora, plan, .. } = opened;
    if place.output() == Output::Text {
        say(plan::header(plan).trim_end());
        for change in changed_settings(plan, &place.runs) {
            say(&format!("note: {}", change.sentence()));
        }
    }
    let mut progress = Progress::of_tree(plan, &place.runs);
    let ended = with_options(place, stop, &mut progress, |options| {
        options.eval_data = tasks_need.data(study.task_data());
        options.programs = tasks_need.programs();
        sparkjoy_jobs::run(study, plan, corpora, tokenizer, job, options)
    });
    progress.finish();
    Ok(ended?)
}

//! `run`: everything that is missing, then the report.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_jobs::{Event, Watcher, changed_settings};

use crate::args::{ForRun, Place};
use crate::failure::Failure;
use crate::output::{Output, say};
use crate::progress::Progress;
use crate::study::OpenedStudy;
use crate::{plan, report};

/// Prepares, plans, trains and scores what is missing of a study, and reports.
///
/// # Errors
///
/// What is wrong with the study, its text or its folders; a run that diverged; an interruption.
pub(crate) fn run(
    study: &Path,
    job: Option<&str>,
    with: &ForRun,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let opened = OpenedStudy::to_run(study, job, place, stop)?;
    train(&opened, job, with, place, stop)?;
    if job.is_some() { Ok(()) } else { report::print_report(&opened, place) }
}

/// Trains and scores what is missing of an opened study.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn train(
    opened: &OpenedStudy,
    job: Option<&str>,
    with: &ForRun,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let plan = &opened.plan;
    if place.output() == Output::Text {
        say(plan::header(plan).trim_end());
        for change in changed_settings(plan, &place.runs) {
            say(&format!("note: {}", change.sentence()));
        }
    }
    let places = place.places(with.scoring.tasks.data(opened.study.task_data()));
    let mut progress = Progress::of_tree(plan, &place.runs);
    let mut show = |event: Event<'_>| progress.show(&event);
    let mut watcher = Watcher::new(stop, &mut show);
    let resources = with.resources(place);
    let ended = sparkjoy_jobs::run(&opened.inputs(), job, &places, &resources, &mut watcher);
    progress.finish();
    Ok(ended?)
}

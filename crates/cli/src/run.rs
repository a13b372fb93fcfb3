//! `run`: everything that is missing, then the report.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{Problem, about, duration};
use sparkjoy_jobs::{Event, JobError, Watcher, changed_settings};
use sparkjoy_study::Plan;

use crate::args::{ForRun, Place};
use crate::failure::Failure;
use crate::output::{Output, say};
use crate::progress::Progress;
use crate::study::OpenedStudy;
use crate::{plan, report};

/// Seconds of a study that are run without being asked for twice: a week.
const MOST_SECONDS: f64 = 7.0 * 86_400.0;

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
    // One job is somebody's scheduler's business, and what another program takes is not known.
    if job.is_none() && !with.yes && !with.is_by_command() {
        refuse_long(&opened.plan, place)?;
    }
    train(&opened, job, with, place, stop)?;
    if job.is_some() { Ok(()) } else { report::print_report(&opened, &[], place) }
}

/// Refuses a study that would take very long on this machine: a slip of the budget more often than
/// patience.
fn refuse_long(plan: &Plan, place: &Place) -> Result<(), Failure> {
    let Some(seconds) = plan::seconds_left(plan, place)? else { return Ok(()) };
    if seconds <= MOST_SECONDS {
        return Ok(());
    }
    let text = format!(
        "what is left of the study takes {} on this machine, expected at most {}",
        about(seconds),
        duration(MOST_SECONDS)
    );
    let hint =
        "`sparkjoy plan STUDY` shows what takes so long; to run it all the same, type `--yes`";
    Err(JobError::from(Problem::new(text).with_hint(hint)).into())
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

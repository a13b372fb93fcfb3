//! `report`: the answers of a study, as tables and as a page.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sparkjoy_answers::{Answers, Cause, answers};
use sparkjoy_base::{Fingerprint, Problem, read};
use sparkjoy_jobs::{ChangedSetting, JobError, changed_settings, results, study_folder, timings};
use sparkjoy_report::sentences::not_scored;
use sparkjoy_report::{
    Provenance, Report, TrainedModel, read_models, report_text, write_page, write_report,
};
use sparkjoy_study::{Plan, Study};
use sparkjoy_world::World;

use crate::args::Place;
use crate::failure::Failure;
use crate::machine;
use crate::output::{Output, print, print_json, say};
use crate::study::OpenedStudy;
use crate::truth;

/// Reports a study as far as it is run.
///
/// # Errors
///
/// What is wrong with the study or its folders.
///
/// - `models`: a table of the user's own models to show beside the study.
pub(crate) fn show(study: &Path, models: Option<&Path>, place: &Place) -> Result<(), Failure> {
    let opened = OpenedStudy::prepared(study, place)?;
    let models = models.map(|file| read_models(file, &opened.plan)).transpose();
    let models = models.map_err(JobError::from)?.unwrap_or_default();
    print_report(&opened, &models, place)
}

/// Writes the report files of a study and prints its tables.
///
/// # Errors
///
/// As [`show`].
pub(crate) fn print_report(
    opened: &OpenedStudy,
    models: &[TrainedModel],
    place: &Place,
) -> Result<(), Failure> {
    let (answers, folder) = write(opened, models, place)?;
    match place.output() {
        Output::Json => print_json(&answers)?,
        Output::Text => {
            let of_check = opened.plan.notes.iter().filter(|note| note.is_of_check());
            let lines = of_check.map(ToString::to_string).map(|note| note + "\n");
            print(&(report_text(&answers) + &lines.collect::<String>()))?;
        }
    }
    say(&format!("written to {}/report.html, report.json, report.csv, figures/", folder.display()));
    Ok(())
}

/// Writes the report files of a study. Returns what they say, and their folder.
///
/// # Errors
///
/// As [`show`].
pub(crate) fn write(
    opened: &OpenedStudy,
    models: &[TrainedModel],
    place: &Place,
) -> Result<(Answers, PathBuf), Failure> {
    let plan = &opened.plan;
    let answers = answers(plan, results(plan, &place.runs)?);
    let changed = changed_settings(plan, &place.runs);
    if (is_incomplete(&answers) || lost_items(&answers).is_some())
        && let Some(report) = finished_report(plan, &place.runs)
    {
        return Err(JobError::from(less(&opened.study, report, &answers, &changed)).into());
    }
    if is_incomplete(&answers) {
        for change in changed {
            say(&format!("note: {}", change.sentence()));
        }
    }
    let folder = write_report(plan, &answers, &place.runs)?;
    let of_a_world = opened.study.file().parent().is_some_and(World::lies_in);
    let truth = truth::table(&answers).filter(|_| of_a_world);
    let report = Report {
        plan,
        answers: &answers,
        study: opened.study.text(),
        times: &timings(plan, &place.runs),
        provenance: &provenance(place),
        runs: &place.runs,
        truth: truth.as_ref(),
        models,
    };
    write_page(&report, &folder)?;
    Ok((answers, folder))
}

fn is_incomplete(answers: &Answers) -> bool {
    !answers.missing.is_empty() || !answers.missing_tasks.is_empty()
}

/// A task of which results of items are lost.
fn lost_items(answers: &Answers) -> Option<&str> {
    let mut gaps = answers.questions.iter().flat_map(|answer| &answer.gaps);
    gaps.find_map(|gap| match &gap.why {
        Cause::MissingItems { task } => Some(task.as_str()),
        _ => None,
    })
}

/// What every version writes into `report.json` of what is not there yet.
#[derive(Deserialize)]
struct Filed {
    plan: Fingerprint,
    missing: Vec<String>,
    #[serde(default)]
    missing_tasks: Vec<String>,
}

/// The plan of the finished report that incomplete answers would replace, if there is one.
fn finished_report(plan: &Plan, runs: &Path) -> Option<Fingerprint> {
    let bytes = read(&study_folder(plan, runs).join("report.json")).ok()?;
    let report: Filed = serde_json::from_slice(&bytes).ok()?;
    (report.missing.is_empty() && report.missing_tasks.is_empty()).then_some(report.plan)
}

/// Nothing finished is replaced by less.
fn less(
    study: &Study,
    report: Fingerprint,
    answers: &Answers,
    changed: &[ChangedSetting],
) -> Problem {
    let missing = if !is_incomplete(answers) {
        let task = lost_items(answers).unwrap_or_default();
        format!("results of some items of `{task}` are not there")
    } else if answers.missing.is_empty() {
        not_scored(&answers.missing_tasks, answers.branches, " on tasks")
    } else {
        not_scored(&answers.missing, answers.branches, "")
    };
    let of = if report == answers.plan {
        "of this plan".to_owned()
    } else {
        format!("of plan {report}, and this is plan {}", answers.plan)
    };
    let mut text = format!(
        "the report of `{}` is finished and is not replaced by an incomplete one: it is {of}\n  now \
         {missing}",
        study.name()
    );
    for change in changed {
        let _ = write!(text, "\n  {}", change.sentence());
    }
    let file = study.file().display();
    Problem::new(text).with_hint(format!(
        "`sparkjoy run {file}` makes what is missing and then replaces it; to keep it, give the \
         edited study another `name`"
    ))
}

/// What the page says about who wrote it.
fn provenance(place: &Place) -> Provenance {
    Provenance {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cpu: machine::processor(),
        system: Some(machine::system()),
        threads: place.threads(),
    }
}

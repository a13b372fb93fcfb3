//! `report`: the answers of a study, as tables and as a page.

use std::path::{Path, PathBuf};

use sparkjoy_answers::{Answers, answers};
use sparkjoy_jobs::{results, timings};
use sparkjoy_report::{Provenance, Report, report_text, write_page, write_report};
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
pub(crate) fn show(study: &Path, place: &Place) -> Result<(), Failure> {
    let opened = OpenedStudy::prepared(study, place)?;
    print_report(&opened, place)
}

/// Writes the report files of a study and prints its tables.
///
/// # Errors
///
/// As [`show`].
pub(crate) fn print_report(opened: &OpenedStudy, place: &Place) -> Result<(), Failure> {
    let (answers, folder) = write(opened, place)?;
    match place.output() {
        Output::Json => print_json(&answers)?,
        Output::Text => print(&report_text(&answers))?,
    }
    say(&format!("written to {}/report.html, report.json, report.csv, figures/", folder.display()));
    Ok(())
}

/// Writes the report files of a study. Returns what they say, and their folder.
///
/// # Errors
///
/// As [`show`].
pub(crate) fn write(opened: &OpenedStudy, place: &Place) -> Result<(Answers, PathBuf), Failure> {
    let plan = &opened.plan;
    let answers = answers(plan, results(plan, &place.runs)?);
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
    };
    write_page(&report, &folder)?;
    Ok((answers, folder))
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

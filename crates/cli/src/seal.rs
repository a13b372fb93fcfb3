//! `seal`: hashes for what earlier versions wrote without.

use std::path::Path;

use sparkjoy_base::counted;
use sparkjoy_jobs::{seal_corpora, seal_results};
use sparkjoy_study::Study;

use crate::args::{ForData, Place};
use crate::failure::Failure;
use crate::output::{Output, print, print_json};
use crate::study::OpenedStudy;

/// Seals what a study has without a seal, once it was held against all else that is known, and
/// prints which files that were.
///
/// # Errors
///
/// What is wrong with the study; what does not hold.
pub(crate) fn seal(study: &Path, tasks: &ForData, place: &Place) -> Result<(), Failure> {
    let opened = Study::open(study, place.data.as_deref())?;
    let mut files = seal_corpora(&opened, &place.prepared)?;
    let opened = OpenedStudy::prepared(study, place)?;
    let places = place.places(tasks.data(opened.study.task_data()));
    files.extend(seal_results(&opened.inputs(), &places)?);
    if place.output() == Output::Json {
        return print_json(&files);
    }
    let mut lines: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    lines.push(match files.len() {
        0 => "every file has its seal".to_owned(),
        files => format!("{} sealed", counted(files as u64, "file")),
    });
    print(&(lines.join("\n") + "\n"))
}

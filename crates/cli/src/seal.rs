//! `seal`: hashes for what earlier versions wrote without.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::counted;
use sparkjoy_jobs::{Event, Resources, Sealed, Sealing, Watcher, seal_corpora, seal_results};
use sparkjoy_study::Study;

use crate::args::{ForData, Place};
use crate::failure::Failure;
use crate::output::{Output, print, print_json};
use crate::progress::Progress;
use crate::study::OpenedStudy;

/// Seals what a study has without a seal, once it was checked or made again, and prints which files
/// that were.
///
/// # Errors
///
/// What is wrong with the study; what does not hold; an interruption.
pub(crate) fn seal(
    study: &Path,
    tasks: &ForData,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let opened = Study::open(study, place.data.as_deref())?;
    let checked = seal_corpora(&opened, &place.prepared)?.into_iter();
    let mut files: Vec<Sealed> =
        checked.map(|file| Sealed { file, how: Sealing::Checked }).collect();
    let opened = OpenedStudy::prepared(study, place)?;
    let places = place.places(tasks.data(opened.study.task_data()));
    let mut progress = Progress::of_tree(&opened.plan, &place.runs);
    let mut show = |event: Event<'_>| progress.show(&event);
    let mut watcher = Watcher::new(stop, &mut show);
    let resources = Resources::new(place.threads());
    let sealed = seal_results(&opened.inputs(), &places, &resources, &mut watcher);
    progress.finish();
    files.extend(sealed?);
    if place.output() == Output::Json {
        return print_json(&files);
    }
    let line = |Sealed { file, how }: &Sealed| match how {
        Sealing::Checked => file.display().to_string(),
        Sealing::MadeAgain => format!("{}: made again, as it was", file.display()),
        Sealing::Replaced => format!("{}: made again, it was otherwise", file.display()),
    };
    let mut lines: Vec<String> = files.iter().map(line).collect();
    lines.push(match files.len() {
        0 => "every file has its seal".to_owned(),
        files => format!("{} sealed", counted(files as u64, "file")),
    });
    print(&(lines.join("\n") + "\n"))
}

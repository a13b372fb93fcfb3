//! `serve`: a study in a browser, while it runs.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use sparkjoy_report::live::{self, Subject};

use crate::args::Place;
use crate::failure::Failure;
use crate::output::{Output, print_json, say};
use crate::study as studies;

#[derive(Serialize)]
struct Served {
    url: String,
}

/// Shows a study at an address of this machine until Ctrl-C. Writes nothing.
///
/// # Errors
///
/// A study file that cannot be read; a port that cannot be had. What is wrong with the study's
/// text or runs is shown on the page.
pub(crate) fn serve(
    study: &Path,
    port: u16,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    studies::open(study, place)?;
    let subject = Subject {
        study: study.to_owned(),
        data: place.data.clone(),
        prepared: place.prepared.clone(),
        runs: place.runs.clone(),
    };
    let mut printed = Ok(());
    live::serve(subject, port, stop, |address| {
        let url = format!("http://{address}/");
        say(&format!("{} is shown at {url} (Ctrl-C ends it)", study.display()));
        if place.output() == Output::Json {
            printed = print_json(&Served { url });
        }
    })?;
    printed
}

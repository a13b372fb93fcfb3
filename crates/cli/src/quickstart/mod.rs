//! `quickstart`: a whole study from nothing, in a world whose truth is known.

mod explain;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{Seed, write_atomic};
use sparkjoy_jobs::Programs;
use sparkjoy_report::wrap;
use sparkjoy_world::{FULL, QUICKSTART, World, study};

use crate::args::{ForRun, Place};
use crate::failure::Failure;
use crate::output::{BOLD, Output, print, say, say_styled};
use crate::study::OpenedStudy;
use crate::{report, run, truth};

/// Bytes of training text: enough that the longest of the two studies reads no domain too often.
const SIZE: u64 = 24_000_000;

/// Makes a world, asks a study in it, and says what it answers and what to do next.
///
/// # Errors
///
/// What the disk says; a folder that holds another world; an interruption.
pub(crate) fn quickstart(
    folder: &Path,
    seed: u64,
    full: bool,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    say(&format!("making a world of 11 sources in {}", folder.display()));
    World::new(Seed(seed)).write(folder, SIZE, stop)?;
    let path = study_file(folder, seed, full)?;

    let opened = OpenedStudy::preparing(&path, place, stop)?;
    for line in explain::plan(&opened.plan) {
        say(&wrap(&line).join("\n"));
    }
    run::train(&opened, None, &ForRun::default(), place, stop)?;
    let (answers, written) = report::write(&opened, &[], place)?;
    match place.output() {
        Output::Json => crate::output::print_json(&answers)?,
        Output::Text => {
            let text = format!("{}{}", explain::answers(&answers), truth::text(&answers));
            print(&text)?;
        }
    }
    let (study, report) = (path.display(), written.join("report.html"));
    say_styled(&format!(
        "\n{BOLD}open{BOLD:#}  {}\n{BOLD}type{BOLD:#}  sparkjoy plan {study}   what was read, how \
         often, and what it cost\n      sparkjoy new study.toml --data FOLDER   the same with your \
         own text\n      sparkjoy run study.toml",
        report.display()
    ));
    Ok(())
}

/// Writes both studies beside the text, unless they are there, and names the one to run.
///
/// A study that somebody has changed is theirs.
fn study_file(folder: &Path, seed: u64, full: bool) -> Result<PathBuf, Failure> {
    let sandbox = Programs::run_by(false).sandbox().and_then(|sandbox| sandbox.probe());
    if let Err(error) = &sandbox {
        say(&format!("programs are not run here, so that task is left out: {error}"));
    }
    for (name, text) in [("study.toml", QUICKSTART), ("full.toml", FULL)] {
        let path = folder.join(name);
        if !path.exists() {
            let text = study(text, Seed(seed), sandbox.is_ok());
            write_atomic(&path, text.as_bytes())?;
        }
    }
    Ok(folder.join(if full { "full.toml" } else { "study.toml" }))
}

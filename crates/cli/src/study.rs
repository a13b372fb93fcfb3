//! A study as the commands need it: read, its sources opened, planned.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::Problem;
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_jobs::{
    Event, Inputs, JobError, Watcher, check_held_out, corpora, held_out_notes, open_corpora,
    refuse_leaked, text_is_gone,
};
use sparkjoy_study::{Plan, Study};

use crate::args::Place;
use crate::failure::Failure;
use crate::progress::Progress;

/// A study with its plan and what the plan was made of.
pub(crate) struct OpenedStudy {
    pub(crate) study: Study,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) corpora: Vec<Corpus>,
    pub(crate) plan: Plan,
}

impl OpenedStudy {
    /// Opens a study, preparing what is missing.
    ///
    /// # Errors
    ///
    /// What is wrong with the study or its text; [`Failure`] of an interrupted command.
    pub(crate) fn preparing(
        path: &Path,
        place: &Place,
        stop: &AtomicBool,
    ) -> Result<Self, Failure> {
        let study = open(path, place)?;
        let (tokenizer, corpora) = prepare(&study, place, stop)?;
        Self::planned(study, tokenizer, corpora, place)
    }

    /// Opens a study to run it: from what is prepared where a single job is to be run or where the
    /// text is no longer on this machine, preparing what is missing otherwise.
    ///
    /// # Errors
    ///
    /// As [`OpenedStudy::preparing`].
    pub(crate) fn to_run(
        path: &Path,
        job: Option<&str>,
        place: &Place,
        stop: &AtomicBool,
    ) -> Result<Self, Failure> {
        let study = open(path, place)?;
        if (job.is_some() || text_is_gone(&study))
            && let Ok((tokenizer, corpora)) = open_corpora(&study, &place.prepared)
        {
            match job {
                // Many jobs may start at once, and each would look.
                Some(_) => refuse_leaked(&study, &corpora, &place.prepared)?,
                None => check(&study, &corpora, &tokenizer, place, stop)?,
            }
            return Self::planned(study, tokenizer, corpora, place);
        }
        Self::preparing(path, place, stop)
    }

    /// Opens a study whose sources are prepared, and writes nothing.
    ///
    /// # Errors
    ///
    /// As [`OpenedStudy::preparing`], and if a source is not prepared.
    pub(crate) fn prepared(path: &Path, place: &Place) -> Result<Self, Failure> {
        let study = open(path, place)?;
        let (tokenizer, corpora) = open_corpora(&study, &place.prepared)?;
        Self::planned(study, tokenizer, corpora, place)
    }

    /// What the plan was made of.
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        let Self { study, tokenizer, corpora, plan } = self;
        Inputs { study, plan, corpora, tokenizer }
    }

    fn planned(
        study: Study,
        tokenizer: Tokenizer,
        corpora: Vec<Corpus>,
        place: &Place,
    ) -> Result<Self, Failure> {
        let mut plan = Plan::new(&study, &corpora, &tokenizer)?;
        plan.notes.extend(held_out_notes(&study, &corpora, &place.prepared)?);
        Ok(Self { study, tokenizer, corpora, plan })
    }
}

/// Reads a study, and looks for what an earlier version left in the current folder: it kept folders
/// there, and they now lie beside the study.
///
/// # Errors
///
/// What is wrong with the study; results of it in the current folder that would be made again.
pub(crate) fn open(path: &Path, place: &Place) -> Result<Study, Failure> {
    if path.is_dir() {
        return Err(JobError::from(no_file(path)).into());
    }
    let study = Study::open(path, place.data.as_deref())?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let (false, Some(folder)) = (place.is_named, folder) else { return Ok(study) };
    let here = Path::new("runs").join(study.name());
    let is_old = here.join("plan.json").is_file() && !place.runs.join(study.name()).exists();
    if is_old {
        return Err(JobError::from(old_tree(&here, folder)).into());
    }
    Ok(study)
}

/// A folder in place of a study.
fn no_file(folder: &Path) -> Problem {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut studies: Vec<_> = entries.map(|entry| entry.path()).collect();
    studies.retain(|path| path.extension().is_some_and(|it| it == "toml"));
    studies.sort();
    let hint = match studies.first() {
        Some(study) => format!("name the file: `{}`", study.display()),
        None => format!(
            "name the file of the study, such as `study.toml`; `sparkjoy show {}` looks into a \
             checkpoint, a run or a prepared source",
            folder.display()
        ),
    };
    Problem::new(format!("`{}` is a folder, expected the file of a study", folder.display()))
        .with_hint(hint)
}

/// Results in the current folder that are of a study in `folder`.
fn old_tree(here: &Path, folder: &Path) -> Problem {
    let (here, folder) = (here.display(), folder.display());
    Problem::new(format!(
        "`{here}` has results of this study, but `runs` and `prepared` now lie beside the study \
         file, in `{folder}`: there all of it would be made again"
    ))
    .with_hint(format!(
        "move them: `mv runs prepared {folder}/`; or name them: `--runs runs --prepared prepared`"
    ))
}

/// Prepares what is missing of a study's tokenizer and sources, and shows how that goes.
///
/// # Errors
///
/// What is wrong with the text; an interruption.
pub(crate) fn prepare(
    study: &Study,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(Tokenizer, Vec<Corpus>), Failure> {
    shown(stop, |watcher| corpora(study, &place.prepared, place.threads(), watcher))
}

/// Looks for held-out text in sources that are prepared, unless it was done, and shows how that
/// goes.
///
/// # Errors
///
/// What is found; an interruption.
pub(crate) fn check(
    study: &Study,
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let (prepared, threads) = (&place.prepared, place.threads());
    shown(stop, |watcher| check_held_out(study, corpora, tokenizer, prepared, threads, watcher))
}

/// Does what reports its progress.
fn shown<T>(
    stop: &AtomicBool,
    does: impl FnOnce(&mut Watcher<'_>) -> Result<T, JobError>,
) -> Result<T, Failure> {
    let mut progress = Progress::new();
    let mut show = |event: Event<'_>| progress.show(&event);
    let done = does(&mut Watcher::new(stop, &mut show));
    progress.finish();
    Ok(done?)
}

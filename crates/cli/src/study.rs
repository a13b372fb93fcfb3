//! A study as the commands need it: read, its sources opened, planned.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_jobs::{Options, Programs, corpora, open_corpora, text_is_gone};
use sparkjoy_study::{Plan, Study};

use crate::args::Place;
use crate::failure::Failure;
use crate::progress::Progress;

/// How much training a kill may cost.
const SAVE_EVERY: Duration = Duration::from_secs(15);

/// A study with its plan and what the plan was made of.
pub(crate) struct Opened {
    pub(crate) study: Study,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) corpora: Vec<Corpus>,
    pub(crate) plan: Plan,
}

impl Opened {
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
        let study = Study::open(path, place.data.as_deref())?;
        let (tokenizer, corpora) = prepare(&study, place, stop)?;
        Self::planned(study, tokenizer, corpora)
    }

    /// Opens a study to run it: from what is prepared where a single job is to be run or where the
    /// text is no longer on this machine, preparing what is missing otherwise.
    ///
    /// # Errors
    ///
    /// As [`Opened::preparing`].
    pub(crate) fn to_run(
        path: &Path,
        job: Option<&str>,
        place: &Place,
        stop: &AtomicBool,
    ) -> Result<Self, Failure> {
        let study = Study::open(path, place.data.as_deref())?;
        if (job.is_some() || text_is_gone(&study))
            && let Ok((tokenizer, corpora)) = open_corpora(&study, &place.prepared)
        {
            return Self::planned(study, tokenizer, corpora);
        }
        Self::preparing(path, place, stop)
    }

    /// Opens a study whose sources are prepared, and writes nothing.
    ///
    /// # Errors
    ///
    /// As [`Opened::preparing`], and if a source is not prepared.
    pub(crate) fn prepared(path: &Path, place: &Place) -> Result<Self, Failure> {
        let study = Study::open(path, place.data.as_deref())?;
        let (tokenizer, corpora) = open_corpora(&study, &place.prepared)?;
        Self::planned(study, tokenizer, corpora)
    }

    fn planned(study: Study, tokenizer: Tokenizer, corpora: Vec<Corpus>) -> Result<Self, Failure> {
        let plan = Plan::new(&study, &corpora, &tokenizer)?;
        Ok(Self { study, tokenizer, corpora, plan })
    }
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
    let mut progress = Progress::new();
    let found = with_options(place, stop, &mut progress, |options| corpora(study, options));
    progress.finish();
    Ok(found?)
}

/// Calls `work` with the options of a place, events going to `progress`.
pub(crate) fn with_options<T>(
    place: &Place,
    stop: &AtomicBool,
    progress: &mut Progress,
    work: impl FnOnce(&mut Options<'_>) -> T,
) -> T {
    work(&mut Options {
        runs: place.runs.clone(),
        prepared: place.prepared.clone(),
        threads: place.threads(),
        recompute: place.recompute,
        save_every: SAVE_EVERY,
        eval_data: None,
        programs: Programs::run_by(false),
        stop,
        observe: &mut |event| progress.show(&event),
    })
}

//! A study as the commands need it: read, its sources opened, planned.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_lab::{Options, Plan, Study, corpora};

use crate::args::Place;
use crate::failure::Failure;
use crate::progress::Progress;

/// A study with its plan and what the plan was made of.
pub(crate) struct Opened {
    /// Where it was read from.
    pub(crate) path: PathBuf,
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
        let mut progress = Progress::new();
        let found = with_options(place, stop, &mut progress, |options| corpora(&study, options));
        progress.finish();
        let (tokenizer, corpora) = found?;
        Self::planned(path, study, tokenizer, corpora)
    }

    /// Opens a study whose sources are prepared, and changes nothing on the disk.
    ///
    /// # Errors
    ///
    /// As [`Opened::preparing`], and if a source is not prepared.
    pub(crate) fn prepared(path: &Path, place: &Place) -> Result<Self, Failure> {
        let study = Study::open(path, place.data.as_deref())?;
        let (tokenizer, corpora) = todo!();
        Self::planned(path, study, tokenizer, corpora)
    }

    fn planned(
        path: &Path,
        study: Study,
        tokenizer: Tokenizer,
        corpora: Vec<Corpus>,
    ) -> Result<Self, Failure> {
        let plan = Plan::new(&study, &corpora, &tokenizer)?;
        Ok(Self { path: path.to_owned(), study, tokenizer, corpora, plan })
    }
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
        stop,
        observe: &mut |event| progress.show(&event),
    })
}

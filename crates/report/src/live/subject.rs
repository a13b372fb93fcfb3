//! What is shown: a study, where its runs lie, and the plan that is current.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sparkjoy_base::{Hint, read, read_to_string};
use sparkjoy_jobs::{open_corpora, study_folder};
use sparkjoy_study::{Plan, Study};

/// A study that cannot be planned yet is tried again this often: opening its text takes a while.
const AGAIN: Duration = Duration::from_secs(10);

/// A study and its folders.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The study file.
    pub study: PathBuf,
    /// Folder of the text of sources, where it is not the study's own.
    pub data: Option<PathBuf>,
    /// Folder of prepared sources.
    pub prepared: PathBuf,
    /// Folder of runs.
    pub runs: PathBuf,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) error: String,
    pub(crate) hint: Option<String>,
}

impl<E: Hint> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self { error: error.to_string(), hint: error.hint() }
    }
}

/// The plan of a subject, made again when something it is made of changes.
#[derive(Debug)]
pub(crate) struct Planned {
    subject: Subject,
    /// The name the study last had.
    name: Option<String>,
    seen: Vec<Option<Stamp>>,
    tried: Option<Instant>,
    plan: Option<Result<Plan, Trouble>>,
}

/// What tells one version of a file from the next: files are replaced, never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|found| Self::of_found(&found))
    }

    pub(crate) fn of_file(file: &File) -> Option<Self> {
        file.metadata().ok().map(|found| Self::of_found(&found))
    }

    fn of_found(found: &Metadata) -> Self {
        let changed = (found.mtime(), found.mtime_nsec());
        Self { inode: found.ino(), bytes: found.len(), changed }
    }

    /// Which file it is, whatever its name.
    pub(crate) fn inode(self) -> u64 {
        self.inode
    }

    /// How long it is.
    pub(crate) fn bytes(self) -> u64 {
        self.bytes
    }
}

impl Planned {
    pub(crate) fn new(subject: Subject) -> Self {
        Self { subject, name: None, seen: Vec::new(), tried: None, plan: None }
    }

    /// The study's file.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Looks whether the plan is still the plan; true if it was made anew.
    pub(crate) fn refresh(&mut self) -> bool {
        let stamps = self.stamps();
        let stale = stamps != self.seen;
        let waiting = matches!(self.plan, Some(Err(_)))
            && self.tried.is_none_or(|before| before.elapsed() >= AGAIN);
        if self.plan.is_some() && !stale && !waiting {
            return false;
        }
        let found = self.find();
        // With the name that the study turned out to have.
        self.seen = self.stamps();
        self.tried = Some(Instant::now());
        let fresh = self.plan.as_ref() != Some(&found);
        self.plan = Some(found);
        fresh
    }

    /// The plan, or why there is none.
    pub(crate) fn plan(&self) -> Option<Result<&Plan, &Trouble>> {
        self.plan.as_ref().map(Result::as_ref)
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        let folder = self.name.as_ref().map(|name| self.subject.runs.join(name));
        let mut paths = vec![self.subject.study.clone()];
        paths.extend(
            folder
                .iter()
                .flat_map(|folder| ["study.toml", "plan.json"].map(|file| folder.join(file))),
        );
        paths.iter().map(|path| Stamp::of(path)).collect()
    }

    /// The plan that `run` has recorded for this very study, else one made of prepared sources.
    fn find(&mut self) -> Result<Plan, Trouble> {
        let study = Study::open(&self.subject.study, self.subject.data.as_deref())?;
        self.name = Some(study.name().to_owned());
        if let Some(plan) = self.recorded(&study) {
            return Ok(plan);
        }
        let (tokenizer, corpora) = open_corpora(&study, &self.subject.prepared)?;
        Ok(Plan::new(&study, &corpora, &tokenizer)?)
    }

    /// The plan that lies beside the same study in the folder of runs.
    fn recorded(&self, study: &Study) -> Option<Plan> {
        let folder = self.subject.runs.join(study.name());
        if read_to_string(&folder.join("study.toml")).ok()? != study.text() {
            return None;
        }
        let plan: Plan = serde_json::from_slice(&read(&folder.join("plan.json")).ok()?).ok()?;
        (study_folder(&plan, &self.subject.runs) == folder).then_some(plan)
    }
}

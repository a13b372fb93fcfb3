//! The folder of a run: one run, one process at a time, whole checkpoints only.
//!
//! ```text
//! run.json          the spec and its fingerprint; another spec is refused
//! keep.json         steps whose checkpoints stay
//! metrics.jsonl     one line a step
//! step-000500/      checkpoints
//! diverged-512.json the batch that broke the run, if one did
//! lock              held while a process trains here
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{FileError, Fingerprint, apart, metadata, read, read_if_there};
use sparkjoy_spec::RunSpec;

use crate::TrainError;
use crate::checkpoint::{self, Checkpoint, Contents, entries};
use crate::disk;
use crate::metrics::{self, check_metrics};

const RUN: &str = "run.json";
const KEEP: &str = "keep.json";
const LOCK: &str = "lock";

/// The version of `run.json` that is written. It is not part of the run's identity.
const VERSION: u32 = 2;

/// The oldest version that is read. Version 1 differs from 2 only in that it does not say so.
const OLDEST: u32 = 1;

/// What `run.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct RunRecord {
    #[serde(default = "unsaid")]
    version: u32,
    fingerprint: Fingerprint,
    spec: RunSpec,
}

/// The only field that every version of `run.json` is asked for.
#[derive(Deserialize)]
struct Version {
    #[serde(default = "unsaid")]
    version: u32,
}

fn unsaid() -> u32 {
    1
}

/// The name of the folder of a run's checkpoint.
pub fn step_name(step: u64) -> String {
    format!("step-{step:06}")
}

/// Reads the spec of the run in a folder.
///
/// # Errors
///
/// [`TrainError::Older`] or [`TrainError::Newer`] if another version wrote it that this one does
/// not read, [`TrainError::Json`] if `run.json` cannot be read as one, [`TrainError::Altered`] if
/// its spec does not have the fingerprint beside it.
pub fn read_spec(run_folder: &Path) -> Result<RunSpec, TrainError> {
    let path = run_folder.join(RUN);
    let json = read(&path)?;
    let unreadable = |source| TrainError::Json { path: path.clone(), source };
    let Version { version } = serde_json::from_slice(&json).map_err(unreadable)?;
    if version < OLDEST {
        return Err(TrainError::Older { path, found: version, oldest: OLDEST });
    }
    if version > VERSION {
        return Err(TrainError::Newer { path, found: version, newest: VERSION });
    }
    let RunRecord { fingerprint, spec, .. } = serde_json::from_slice(&json).map_err(unreadable)?;
    if spec.fingerprint() != fingerprint {
        let [found, expected] =
            apart(spec.fingerprint(), fingerprint).map(|f| format!("a spec {f}"));
        return Err(TrainError::Altered { path, found, expected });
    }
    Ok(spec)
}

/// Refuses the folder of another run than `spec`; one that is not there, or that does not say yet
/// which run's it is, is anybody's.
///
/// # Errors
///
/// [`TrainError::OtherRun`]; as [`read_spec`].
pub fn check_run(run_folder: &Path, spec: &RunSpec) -> Result<(), TrainError> {
    if metadata(&run_folder.join(RUN))?.is_none() {
        return Ok(());
    }
    let (found, run) = (read_spec(run_folder)?, spec.fingerprint());
    if found.fingerprint() == run {
        return Ok(());
    }
    Err(TrainError::OtherRun {
        folder: run_folder.to_owned(),
        found: found.fingerprint(),
        expected: run,
        differing: differing(&found, spec),
    })
}

/// A run folder, locked.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    run: Fingerprint,
    /// Whole checkpoints by step, wherever they lie.
    checkpoints: BTreeMap<u64, Checkpoint>,
    keep: BTreeSet<u64>,
    /// Held until dropped, or until the process dies.
    lock: File,
}

impl RunFolder {
    /// Opens or makes the folder of the run `spec`, and adds to the steps it keeps.
    ///
    /// Removes what a killed process left half-written.
    ///
    /// # Errors
    ///
    /// [`TrainError::Busy`] if another process trains in it, [`TrainError::OtherRun`] if it is
    /// another run's.
    pub(crate) fn open(path: &Path, spec: &RunSpec, keep: &[u64]) -> Result<Self, TrainError> {
        disk::create_folder(path)?;
        let lock = lock(path)?;
        let run = spec.fingerprint();
        check_run(path, spec)?;
        if metadata(&path.join(RUN))?.is_none() {
            let record = RunRecord { version: VERSION, fingerprint: run, spec: spec.clone() };
            let json = serde_json::to_vec_pretty(&record).expect("plain data has a JSON form");
            disk::write(&path.join(RUN), &json)?;
        }
        remove_leftovers(path)?;
        let checkpoints = own_checkpoints(path, run)?;
        let keep = add_to_kept(path, keep)?;
        Ok(Self { path: path.to_owned(), run, checkpoints, keep, lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn run(&self) -> Fingerprint {
        self.run
    }

    /// The last checkpoint at or before `target`: never one beyond it.
    pub(crate) fn last_up_to(&self, target: u64) -> Option<&Checkpoint> {
        self.checkpoints.range(..=target).next_back().map(|(_, checkpoint)| checkpoint)
    }

    pub(crate) fn last(&self) -> Option<&Checkpoint> {
        self.checkpoints.values().next_back()
    }

    /// The steps of a range whose checkpoints stay.
    pub(crate) fn kept(&self, steps: RangeInclusive<u64>) -> Vec<u64> {
        self.keep.range(steps).copied().collect()
    }

    /// Whether the checkpoint of this step stays.
    pub(crate) fn keeps(&self, step: u64) -> bool {
        self.keep.contains(&step)
    }

    /// Makes sure a checkpoint of this step is there, then removes earlier ones that need not
    /// stay. At most two of those exist at any time, the new one included.
    pub(crate) fn save(&mut self, contents: &Contents<'_>) -> Result<PathBuf, TrainError> {
        let step = contents.numbers.step;
        if !self.checkpoints.contains_key(&step) {
            let folder = self.path.join(step_name(step));
            if metadata(&folder)?.is_some() {
                return Err(TrainError::Occupied { folder, step });
            }
            self.checkpoints.insert(step, checkpoint::save(&folder, contents)?);
        }
        self.remove_passed(step)?;
        Ok(self.checkpoints[&step].folder.clone())
    }

    /// Removes the checkpoints before `step`, whose own is whole, that need not stay.
    pub(crate) fn remove_passed(&mut self, step: u64) -> Result<(), TrainError> {
        let passed =
            self.checkpoints.range(..step).map(|(&step, _)| step).filter(|&s| !self.keeps(s));
        for step in passed.collect::<Vec<_>>() {
            let checkpoint = self.checkpoints.remove(&step).expect("the step was listed above");
            // Under a name that the next start cleans up, should this one not live to the end.
            let leftover = checkpoint.folder.with_added_extension("partial");
            disk::rename(&checkpoint.folder, &leftover)?;
            disk::remove(&leftover)?;
        }
        Ok(())
    }
}

/// Removes what a killed process left in the folder of a finished run: what is half-written, and
/// checkpoints that were passed and need not stay. Writes metrics that were altered again. Leaves
/// the folder alone while a process trains in it, and where nobody knows which checkpoints others
/// rely on.
///
/// - `keep`: steps whose checkpoints stay, besides those that are on record.
///
/// # Errors
///
/// As for every call that opens the folder.
pub fn tidy(run_folder: &Path, spec: &RunSpec, keep: &[u64]) -> Result<(), TrainError> {
    let json = read_if_there(&run_folder.join(KEEP))?.unwrap_or_default();
    let Ok(mut kept) = serde_json::from_slice::<BTreeSet<u64>>(&json) else { return Ok(()) };
    kept.extend(keep);
    let paths = entries(run_folder)?;
    let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
    let steps: BTreeSet<u64> =
        names.filter_map(|name| name.strip_prefix("step-")?.parse().ok()).collect();
    let is_half = |path: &PathBuf| path.extension().is_some_and(|it| it == "partial");
    let are_passed = steps.iter().rev().skip(1).any(|step| !kept.contains(step));
    let are_altered = match check_metrics(run_folder) {
        Err(TrainError::Metrics { .. }) => true,
        checked => checked.map(|()| false)?,
    };
    if !are_passed && !are_altered && !paths.iter().any(is_half) {
        return Ok(());
    }
    let mut folder = match RunFolder::open(run_folder, spec, keep) {
        Err(TrainError::Busy { .. }) => return Ok(()),
        folder => folder?,
    };
    let Some(last) = folder.last().cloned() else { return Ok(()) };
    if are_altered {
        metrics::rewrite(run_folder, &last)?;
    }
    folder.remove_passed(last.step)
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Closing the file is not enough where another thread is starting a process just now: the
        // new process shares it for a moment.
        let _ = self.lock.unlock();
    }
}

fn lock(folder: &Path) -> Result<File, TrainError> {
    let path = folder.join(LOCK);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(FileError::at("open", &path))?;
    match file.try_lock() {
        Ok(()) => {
            let note = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            note.map_err(FileError::at("write", &path))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Only for the message; the lock itself says enough.
            let _ = file.read_to_string(&mut process);
            Err(TrainError::Busy { folder: folder.to_owned(), process })
        }
        Err(TryLockError::Error(source)) => Err(FileError { action: "lock", path, source }.into()),
    }
}

/// The lock is held, so whatever is half-written belongs to a process that is gone.
fn remove_leftovers(folder: &Path) -> Result<(), TrainError> {
    for path in entries(folder)? {
        if path.extension().is_some_and(|extension| extension == "partial") {
            disk::remove(&path)?;
        }
    }
    Ok(())
}

fn own_checkpoints(
    folder: &Path,
    run: Fingerprint,
) -> Result<BTreeMap<u64, Checkpoint>, TrainError> {
    let mut own = BTreeMap::new();
    for checkpoint in Checkpoint::list(folder)? {
        if checkpoint.run != run {
            return Err(TrainError::OtherRun {
                folder: checkpoint.folder,
                found: checkpoint.run,
                expected: run,
                differing: Vec::new(),
            });
        }
        own.entry(checkpoint.step).or_insert(checkpoint);
    }
    Ok(own)
}

/// What was kept once stays: a later call with other targets does not know who relies on it.
fn add_to_kept(folder: &Path, steps: &[u64]) -> Result<BTreeSet<u64>, TrainError> {
    let path = folder.join(KEEP);
    let kept: BTreeSet<u64> = match read_if_there(&path)? {
        Some(json) => serde_json::from_slice(&json)
            .map_err(|source| TrainError::Json { path: path.clone(), source })?,
        None => BTreeSet::new(),
    };
    let all: BTreeSet<u64> = kept.iter().chain(steps).copied().collect();
    if all != kept {
        disk::write(&path, &serde_json::to_vec(&all).expect("numbers have a JSON form"))?;
    }
    Ok(all)
}

fn differing(found: &RunSpec, expected: &RunSpec) -> Vec<String> {
    let [found, expected] = [found, expected]
        .map(|spec| serde_json::to_value(spec).expect("plain data has a JSON form"));
    let fields = expected.as_object().into_iter().flatten();
    fields.filter(|(name, value)| found[*name] != **value).map(|(name, _)| name.clone()).collect()
}

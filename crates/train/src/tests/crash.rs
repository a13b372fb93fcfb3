//! A kill and a full disk at every single change this crate makes to the disk.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::process::{Command, exit};

use sparkjoy_base::{FileError, Hint};

use super::tiny::{LAST, LION, Tiny, assert_same_bytes, files_and_folders, go_on, step_folders};
use crate::{Checkpoint, Outcome, Signal, StepRecord, TrainError, run};

thread_local! {
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    static ACCIDENT: Cell<Option<Accident>> = const { Cell::new(None) };
}

/// What happens at the n-th change to the disk, counted from 1.
#[derive(Clone, Copy)]
enum Accident {
    /// The process is gone, without a destructor run.
    Kill(u64),
    /// The disk is full from here on.
    Full(u64),
}

/// Called by [`crate::disk`] around every change.
pub(crate) fn point(path: &Path) -> Result<(), FileError> {
    let change = CHANGES.get() + 1;
    CHANGES.set(change);
    match ACCIDENT.get() {
        Some(Accident::Kill(at)) if change == at => exit(KILLED),
        Some(Accident::Full(at)) if change >= at => {
            Err(FileError::at("write", path)(io::ErrorKind::StorageFull.into()))
        }
        _ => Ok(()),
    }
}

const KILLED: i32 = 137;
const KILL_AT: &str = "SPARKJOY_TEST_KILL_AT";
const FOLDER: &str = "SPARKJOY_TEST_FOLDER";

/// Saves after every second step.
fn saving(record: &StepRecord) -> Signal {
    if record.step.is_multiple_of(2) { Signal::Save } else { Signal::Continue }
}

fn with_accident<T>(accident: Option<Accident>, action: impl FnOnce() -> T) -> (T, u64) {
    CHANGES.set(0);
    ACCIDENT.set(accident);
    let result = action();
    ACCIDENT.set(None);
    (result, CHANGES.get())
}

/// Not a test of its own: what [`a_kill_at_every_write_leaves_a_resumable_run`] starts and kills.
#[test]
fn victim() {
    let (Ok(at), Ok(folder)) = (std::env::var(KILL_AT), std::env::var(FOLDER)) else {
        return;
    };
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let request = tiny.request(&spec, Path::new(&folder));
    let kill = Accident::Kill(at.parse().unwrap());
    with_accident(Some(kill), || run(request, &mut saving)).0.unwrap();
}

#[test]
fn a_kill_at_every_write_leaves_a_resumable_run() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.folder("whole");
    let request = tiny.request(&spec, &whole);
    let (outcome, changes) = with_accident(None, || run(request, &mut saving));
    assert_eq!(outcome.unwrap(), Outcome::Done);
    assert!(changes > 100, "only {changes} changes are watched");

    for at in 1..=changes {
        let folder = tiny.folder(&format!("killed-{at}"));
        let victim = Command::new(std::env::current_exe().unwrap())
            .args(["tests::crash::victim", "--exact", "--nocapture"])
            .env(KILL_AT, at.to_string())
            .env(FOLDER, &folder)
            .output()
            .unwrap();
        assert_eq!(victim.status.code(), Some(KILLED), "change {at} of {changes}: {victim:?}");
        // Whatever is there under a checkpoint's name is whole.
        for checkpoint in Checkpoint::list(&folder).unwrap() {
            Checkpoint::open(&checkpoint.folder).unwrap();
        }
        assert_recovers(&tiny, &folder, &whole, &format!("killed at change {at} of {changes}"));
    }
}

#[test]
fn a_full_disk_at_every_write_leaves_a_resumable_run() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.folder("whole");
    let (outcome, changes) = with_accident(None, || run(tiny.request(&spec, &whole), &mut saving));
    assert_eq!(outcome.unwrap(), Outcome::Done);

    for at in 1..=changes {
        let folder = tiny.folder(&format!("full-{at}"));
        let request = tiny.request(&spec, &folder);
        let (outcome, _) = with_accident(Some(Accident::Full(at)), || run(request, &mut saving));
        let error = outcome.unwrap_err();
        assert!(matches!(error, TrainError::File(_)), "change {at}: {error}");
        assert!(error.hint().unwrap().contains("free some space"), "change {at}");
        // A failed save frees its space; only a removal may be left half done.
        let last = Checkpoint::list(&folder).unwrap().pop().map(|checkpoint| checkpoint.folder);
        let left = if folder.exists() { step_folders(&folder) } else { Vec::new() };
        for name in left.iter().filter(|name| name.ends_with(".partial")) {
            assert!(Some(folder.join(name)) < last, "change {at} left `{name}`");
        }
        assert_recovers(&tiny, &folder, &whole, &format!("full at change {at} of {changes}"));
    }
}

/// Running again ends as if nothing had happened, with nothing left over.
fn assert_recovers(tiny: &Tiny, folder: &Path, whole: &Path, what: &str) {
    let spec = tiny.trunk(LION);
    assert_eq!(run(tiny.request(&spec, folder), &mut go_on).unwrap(), Outcome::Done, "{what}");
    assert_same_bytes(folder, whole, LAST, what);
    assert_eq!(files_and_folders(folder), files_and_folders(whole), "{what}");
}

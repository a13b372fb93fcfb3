//! Heartbeats: what a job is doing, and how its last attempt failed, for other processes.
//!
//! ```text
//! <study>/live/
//! ├── trunk-900.json     what it does, written anew every few seconds
//! └── trunk-900.lock     locked while it does
//! ```
//!
//! A job that ends well, or is stopped by its user, leaves neither. One that fails leaves its
//! message; one that is killed leaves its last heartbeat, and the system lets go of the lock:
//! nothing looks as if it ran for ever, and no clock is compared with another machine's. Heartbeats
//! are no results. Where they cannot be written the job goes on without them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Hint, open, read, write_atomic};

use crate::error::JobError;
use crate::folders::study_folder;
use crate::graph::jobs;
use crate::throughput::RecentThroughput;
use crate::watcher::Event;
use sparkjoy_study::Plan;

/// A heartbeat is written this often.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(2);
/// Whoever looks whether a job runs holds its lock for a moment; beginning waits that out.
const LOCK_TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// What a job last said of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The job's name.
    pub job: String,
    /// The name of the folder of its run: another plan may have a job of the same name.
    pub run: String,
    /// Process id, on the machine it runs on.
    pub process: u32,
    /// When it began, milliseconds since 1970.
    pub began: u64,
    /// When this was written, milliseconds since 1970.
    pub written: u64,
    /// What it is at.
    pub at: At,
    /// How it ended, if it failed.
    pub failed: Option<JobFailure>,
}

/// What a job is at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// Reading what it needs.
    Start,
    /// A training step.
    Step {
        /// Steps done, counted from the trunk's first.
        step: u64,
        /// Tokens a second over the last while; none after one step.
        tokens_per_second: Option<f64>,
    },
    /// Held-out text.
    HeldOut,
    /// A task.
    Task {
        /// Its name.
        task: String,
        /// Which of the tasks, from 1.
        index: usize,
        /// How many there are.
        of: usize,
        /// Items answered.
        items: usize,
        /// Items asked.
        items_of: usize,
    },
}

/// How a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// What went wrong, with its causes.
    pub error: String,
    /// What to do.
    pub hint: Option<String>,
}

impl JobFailure {
    /// An error with its causes, each said once, and its hint.
    pub fn of(error: &JobError) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        Self { error: text, hint: error.hint() }
    }
}

/// The last heartbeat of each job of a plan that has left one, and whether its process lives, in
/// the order of names. A file that is no heartbeat is passed over.
pub fn heartbeats(plan: &Plan, runs: &Path) -> Vec<(Heartbeat, bool)> {
    let Ok(entries) = fs::read_dir(live_folder(plan, runs)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let found = paths.into_iter().filter_map(|path| {
        let heartbeat: Heartbeat = serde_json::from_slice(&read(&path).ok()?).ok()?;
        let lives = heartbeat.failed.is_none() && is_locked(&lock_file(&path));
        Some((heartbeat, lives))
    });
    found.collect()
}

fn live_folder(plan: &Plan, runs: &Path) -> PathBuf {
    study_folder(plan, runs).join("live")
}

fn lock_file(heartbeat: &Path) -> PathBuf {
    heartbeat.with_extension("lock")
}

/// Whether a process holds the lock at `path`. A system without locks never says so.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = open(path) else { return false };
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            false
        }
        Err(fs::TryLockError::WouldBlock) => true,
        Err(fs::TryLockError::Error(_)) => false,
    }
}

/// Writes the heartbeats of the jobs of this process, one after the other.
pub(crate) struct HeartbeatWriter {
    folder: PathBuf,
    /// The folder of each job's run, by the job's name.
    runs: BTreeMap<String, String>,
    shared: Arc<Shared>,
    beat: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Held while a file is written or removed, so that no heartbeat is written after its end.
    disk: Mutex<()>,
}

#[derive(Default)]
struct State {
    job: Option<Alive>,
    tokens: RecentThroughput,
    closed: bool,
}

/// A job that writes heartbeats.
struct Alive {
    heartbeat: Heartbeat,
    path: PathBuf,
    /// Held until dropped, or until the process dies.
    lock: File,
}

impl HeartbeatWriter {
    /// Starts the thread that writes; nothing is written before a job begins.
    pub(crate) fn new(plan: &Plan, runs: &Path) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            disk: Mutex::default(),
        });
        let beating = Arc::clone(&shared);
        let beat =
            thread::Builder::new().name("heartbeats".to_owned()).spawn(move || beating.beat());
        let of_jobs = jobs(plan).into_iter().map(|job| {
            let folder = job.folder(plan, runs);
            let run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (job.name(plan), run)
        });
        let (folder, runs) = (live_folder(plan, runs), of_jobs.collect());
        Self { folder, runs, shared, beat: beat.ok() }
    }

    /// Takes note of an event, without touching the disk unless a job begins.
    pub(crate) fn note(&self, event: &Event<'_>) {
        match event {
            Event::Job { name, done: false, .. } => self.begin(name),
            Event::Step { record, .. } => {
                let mut state = self.shared.state();
                state.tokens.add(record.tokens.values().sum(), Instant::now());
                let tokens_per_second = state.tokens.per_second();
                state.is_at(At::Step { step: record.step, tokens_per_second });
            }
            Event::Scoring(_) => self.shared.state().is_at(At::HeldOut),
            Event::Task { task, index, of, .. } => {
                let (task, index, of) = ((*task).to_owned(), *index, *of);
                self.shared.state().is_at(At::Task { task, index, of, items: 0, items_of: 0 });
            }
            Event::Items { done, of } => {
                let mut state = self.shared.state();
                if let Some(Alive {
                    heartbeat: Heartbeat { at: At::Task { items, items_of, .. }, .. },
                    ..
                }) = &mut state.job
                {
                    (*items, *items_of) = (*done, *of);
                }
            }
            _ => {}
        }
    }

    /// The first heartbeat of a job. Another process that writes heartbeats of the same job keeps
    /// doing so.
    fn begin(&self, job: &str) {
        let path = self.folder.join(format!("{job}.json"));
        if fs::create_dir_all(&self.folder).is_err() {
            return;
        }
        let Some(lock) = lock(&lock_file(&path)) else { return };
        let now = milliseconds();
        let heartbeat = Heartbeat {
            job: job.to_owned(),
            run: self.runs.get(job).cloned().unwrap_or_default(),
            process: std::process::id(),
            began: now,
            written: now,
            at: At::Start,
            failed: None,
        };
        *self.shared.state() =
            State { job: Some(Alive { heartbeat, path, lock }), ..State::default() };
        self.shared.write();
    }

    pub(crate) fn ended(&self, result: &Result<(), JobError>) {
        let _disk = self.shared.disk.lock();
        let Some(Alive { mut heartbeat, path, lock }) = self.shared.state().job.take() else {
            return;
        };
        match result {
            Ok(()) | Err(JobError::Interrupted) => {
                let _ = fs::remove_file(&path);
                let _ = fs::remove_file(lock_file(&path));
            }
            Err(error) => {
                heartbeat.written = milliseconds();
                heartbeat.failed = Some(JobFailure::of(error));
                put(&path, &heartbeat);
            }
        }
        let _ = lock.unlock();
    }
}

impl Drop for HeartbeatWriter {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.wake.notify_all();
        if let Some(beat) = self.beat.take() {
            let _ = beat.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing under this lock panics")
    }

    fn beat(&self) {
        let mut state = self.state();
        while !state.closed {
            let waited = self.wake.wait_timeout(state, HEARTBEAT_EVERY);
            (state, _) = waited.expect("nothing under this lock panics");
            if !state.closed {
                drop(state);
                self.write();
                state = self.state();
            }
        }
    }

    fn write(&self) {
        let _disk = self.disk.lock();
        let current =
            self.state().job.as_ref().map(|job| (job.heartbeat.clone(), job.path.clone()));
        if let Some((mut heartbeat, path)) = current {
            heartbeat.written = milliseconds();
            put(&path, &heartbeat);
        }
    }
}

impl State {
    fn is_at(&mut self, at: At) {
        if let Some(job) = &mut self.job {
            job.heartbeat.at = at;
        }
    }
}

/// Heartbeats are best-effort: a failed write is ignored.
fn put(path: &Path, heartbeat: &Heartbeat) {
    let _ = write_atomic(path, &serde_json::to_vec(heartbeat).expect("plain data has a JSON form"));
}

fn lock(path: &Path) -> Option<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path).ok()?;
    for _ in 0..LOCK_TRIES {
        if file.try_lock().is_ok() {
            return Some(file);
        }
        thread::sleep(BETWEEN_TRIES);
    }
    None
}

fn milliseconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

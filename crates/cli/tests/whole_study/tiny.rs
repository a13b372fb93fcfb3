//! A study so small that all of it runs in a blink, on text made up here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sparkjoy_answers::{Answers, answers};
use sparkjoy_data::{Corpus, Tokenizer};
use sparkjoy_jobs::{
    Event, Inputs, JobError, Places, Resources, Watcher, corpora, results, run, study_folder,
};
use sparkjoy_report::sentences::contamination_summary;
use sparkjoy_report::{report_text, write_report};
use sparkjoy_spec::KernelChange;
use sparkjoy_study::{Plan, Study};
use tempfile::TempDir;

pub(crate) const STUDY: &str = r#"name = "tiny"
seed = 17
data = "text"

[tokenizer]
kind = "bpe"
vocab = 300
sample = "20K"

[model]
layers = 1
width = 16
heads = 2
context = 16

[training]
budget = "3840"
batch = 6
optimizer = { kind = "lionw", lr = 3e-3, betas = [0.9, 0.95], weight_decay = 1e-4 }
schedule = { kind = "inverse-sqrt", warmup = "4 steps", scale = "4 steps", cooldown = "0" }
grad_clip = 1.0
replicates = 2

[sources.tales]
path = "tales.jsonl"
domain = "web"
holdout = "20%"

[sources.notices]
path = "notices.jsonl"
domain = "web"
holdout = "20%"

[sources.sums]
path = "sums.jsonl"
domain = "math"
holdout = "20%"

[sources.proofs]
path = "proofs.jsonl"
domain = "math"
holdout = "20%"

[mixtures.base]
tales = 0.5
notices = 0.3
math = 0.2

[mixtures.upsampled]
web = 0.4
math = 0.6

[trunk]
mixture = "base"

[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["10%", "20%"]

[[questions]]
ask = "removal"
mixture = "upsampled"
window = "20%"
remove = ["sums"]
refill = "domain"

[evaluation]
held_out = "64"
"#;

/// Folders of a study, its plan and what the plan was made of.
pub(crate) struct Tiny {
    root: TempDir,
    pub(crate) study: Study,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) corpora: Vec<Corpus>,
    pub(crate) plan: Plan,
}

/// What a call told its observer.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Name and whether it was done before.
    pub(crate) jobs: Vec<(String, bool)>,
    /// Steps that jobs continued from.
    pub(crate) continued: Vec<u64>,
    pub(crate) steps: usize,
    pub(crate) tokens_left: Vec<u64>,
    pub(crate) saved: usize,
    /// Jobs that were stopped, and the step at which each is saved.
    pub(crate) stopped: Vec<(String, u64)>,
    pub(crate) scored: Vec<String>,
    pub(crate) kernels: Vec<KernelChange>,
    /// Model and task.
    pub(crate) tasks: Vec<(String, String)>,
    /// What was said about items in training text.
    pub(crate) checked: Vec<String>,
}

impl Tiny {
    /// Writes text and study, prepares, plans.
    pub(crate) fn new() -> Self {
        Self::with(STUDY)
    }

    pub(crate) fn with(study: &str) -> Self {
        Self::with_files(study, &|_| {})
    }

    pub(crate) fn with_files(study: &str, write_more: &dyn Fn(&Path)) -> Self {
        Self::try_plan(study, write_more).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, unless it is refused.
    pub(crate) fn try_plan(study: &str, write_more: &dyn Fn(&Path)) -> Result<Self, JobError> {
        let root = tempfile::tempdir().unwrap();
        write_text(&root.path().join("text"));
        write_more(root.path());
        let path = root.path().join("study.toml");
        sparkjoy_base::write_atomic(&path, study.as_bytes()).unwrap();
        let study = Study::open(&path, None)?;
        let (tokenizer, corpora) = prepared(&study, root.path())?;
        let plan = Plan::new(&study, &corpora, &tokenizer)?;
        Ok(Self { root, study, tokenizer, corpora, plan })
    }

    /// The same folders under another study.
    pub(crate) fn changed(self, study: &str) -> Self {
        let path = self.root().join("study.toml");
        sparkjoy_base::write_atomic(&path, study.as_bytes()).unwrap();
        let study = Study::open(&path, None).unwrap();
        let Self { root, tokenizer, corpora, .. } = self;
        let plan = Plan::new(&study, &corpora, &tokenizer).unwrap_or_else(|e| panic!("{e}"));
        Self { root, study, tokenizer, corpora, plan }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.root().join("runs")
    }

    pub(crate) fn inputs(&self) -> Inputs<'_> {
        let Self { study, plan, corpora, tokenizer, .. } = self;
        Inputs { study, plan, corpora, tokenizer }
    }

    pub(crate) fn places(&self) -> Places {
        let eval_data = self.study.task_data().map(Path::to_owned);
        Places { eval_data, ..places(self.root()) }
    }

    /// Runs all jobs or one; `stop_after` steps of training the user loses patience.
    pub(crate) fn run(
        &self,
        only: Option<&str>,
        stop_after: Option<usize>,
    ) -> (Result<(), JobError>, Seen) {
        self.run_saving(only, stop_after, Duration::from_hours(1))
    }

    pub(crate) fn run_saving(
        &self,
        only: Option<&str>,
        stop_after: Option<usize>,
        save_every: Duration,
    ) -> (Result<(), JobError>, Seen) {
        self.run_with(only, stop_after, &Resources { save_every, ..resources() })
    }

    /// The same, with what trains and scores.
    pub(crate) fn run_with(
        &self,
        only: Option<&str>,
        stop_after: Option<usize>,
        resources: &Resources,
    ) -> (Result<(), JobError>, Seen) {
        let stop = AtomicBool::new(false);
        let seen = RefCell::new(Seen::default());
        let mut observe = |event: Event<'_>| {
            let mut seen = seen.borrow_mut();
            match event {
                Event::Job { name, done, from, .. } => {
                    seen.jobs.push((name.to_owned(), done));
                    seen.continued.extend(from);
                }
                Event::Step { tokens_left, .. } => {
                    seen.steps += 1;
                    seen.tokens_left.push(tokens_left);
                    if Some(seen.steps) == stop_after {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                Event::Saved(_) => seen.saved += 1,
                Event::Stopped { name, step } => seen.stopped.push((name.to_owned(), step)),
                Event::Scoring(name) => seen.scored.push(name.to_owned()),
                Event::OtherKernel(change) => seen.kernels.push(change.clone()),
                Event::Task { model, task, .. } => {
                    seen.tasks.push((model.to_owned(), task.to_owned()));
                }
                Event::Preparing(..)
                | Event::TrainingTokenizer
                | Event::OtherTokenizer(_)
                | Event::Stopping
                | Event::Tolerated(_)
                | Event::Checking { .. }
                | Event::Items { .. } => {}
                Event::Checked(checked) => seen.checked.push(contamination_summary(checked)),
            }
        };
        let mut watcher = Watcher::new(&stop, &mut observe);
        let result = run(&self.inputs(), only, &self.places(), resources, &mut watcher);
        (result, seen.into_inner())
    }

    /// Runs until the first items of a task are answered.
    pub(crate) fn run_stopping_at_items(&self) -> Result<(), JobError> {
        let stop = AtomicBool::new(false);
        let mut observe = |event: Event<'_>| {
            if matches!(event, Event::Items { .. }) {
                stop.store(true, Ordering::Relaxed);
            }
        };
        let mut watcher = Watcher::new(&stop, &mut observe);
        run(&self.inputs(), None, &self.places(), &resources(), &mut watcher)
    }

    /// Runs whatever is missing to the end.
    pub(crate) fn finish(&self) -> Seen {
        let (result, seen) = self.run(None, None);
        result.unwrap_or_else(|error| panic!("{error}"));
        seen
    }

    pub(crate) fn report(&self) -> Result<String, Box<JobError>> {
        let results = results(&self.plan, &self.runs()).map_err(Box::new)?;
        Ok(report_text(&answers(&self.plan, results)))
    }

    pub(crate) fn answers(&self) -> Answers {
        answers(&self.plan, results(&self.plan, &self.runs()).unwrap())
    }

    /// Writes the report and returns every result: reports, scores, weights and metrics, by path.
    pub(crate) fn results(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let answers = self.answers();
        write_report(&self.plan, &answers, &self.runs()).unwrap();
        let mut files = BTreeMap::new();
        collect(&self.runs(), &self.runs(), &mut files);
        let timing = study_folder(&self.plan, Path::new("")).join("timing");
        // Event files hold wall times.
        let is_event_file = |path: &Path| path.extension().is_some_and(|kind| kind == "sparkjoy");
        files.retain(|path, _| !path.starts_with(&timing) && !is_event_file(path));
        files
    }
}

pub(crate) fn places(root: &Path) -> Places {
    Places { runs: root.join("runs"), prepared: root.join("prepared"), eval_data: None }
}

/// This program on two threads.
pub(crate) fn resources() -> Resources {
    Resources { save_every: Duration::from_hours(1), ..Resources::new(2) }
}

pub(crate) fn prepared(study: &Study, root: &Path) -> Result<(Tokenizer, Vec<Corpus>), JobError> {
    let (stop, mut observe) = (AtomicBool::new(false), |_: Event<'_>| {});
    let mut watcher = Watcher::new(&stop, &mut observe);
    corpora(study, &places(root).prepared, 2, &mut watcher)
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Four sources of short documents, each with its own few words.
fn write_text(folder: &Path) {
    let words: [(&str, [&str; 6]); 4] = [
        ("tales", ["once", "the fox", "ran", "far", "into", "the wood"]),
        ("notices", ["please", "note", "that", "the office", "will", "close"]),
        ("sums", ["two", "and", "three", "make", "five", "again"]),
        ("proofs", ["let", "x", "be", "such", "that", "it holds"]),
    ];
    for (name, words) in words {
        let document = |i: usize| {
            let text: Vec<&str> = (0..30).map(|j| words[(i * 7 + j * j + i * j) % 6]).collect();
            format!("{{\"text\":\"{} {i}\"}}\n", text.join(" "))
        };
        let lines: Vec<String> = (0..80).map(document).collect();
        let path = folder.join(format!("{name}.jsonl"));
        sparkjoy_base::write_atomic(&path, lines.concat().as_bytes()).unwrap();
    }
}

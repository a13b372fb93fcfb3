//! How far everything has come: the state of each run, and what failed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sparkjoy_jobs::{At, Heartbeat, JobFailure, JobKind, JobState, JobView};
use sparkjoy_train::Divergence;

use super::tree::{Run, Tree, at_step};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Missing,
    /// A process is at it.
    Running,
    /// Begun, and nobody is at it.
    Stopped,
    /// Its last attempt failed.
    Failed,
    Done,
}

impl State {
    /// All of them, in the order of the legend.
    pub(crate) const ALL: [Self; 5] =
        [Self::Running, Self::Done, Self::Failed, Self::Stopped, Self::Missing];

    /// For classes and selectors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    /// For people.
    pub(crate) fn word(self) -> &'static str {
        if self == Self::Missing { "not begun" } else { self.name() }
    }

    /// A sign beside the word: colour never carries a state alone.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Missing => "○",
            Self::Running => "▶",
            Self::Stopped => "‖",
            Self::Failed => "✕",
            Self::Done => "✓",
        }
    }
}

/// A run as the page shows it.
#[derive(Clone, Debug)]
pub(crate) struct RunPicture {
    pub(crate) state: State,
    pub(crate) step: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Scores: on held-out text, and on tasks where the study asks for them.
    pub(crate) scores: (usize, usize),
    /// What is being done, where something is.
    pub(crate) doing: Option<Doing>,
    /// What is worth knowing of a run that stands still.
    pub(crate) remark: Option<String>,
}

/// A job under way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Doing {
    pub(crate) job: String,
    pub(crate) run: String,
    pub(crate) process: u32,
    /// `training`, `scoring on held-out text`, `mmlu, task 3 of 31`.
    pub(crate) what: String,
    /// Of that: done, and all there is; nothing where it is not known.
    pub(crate) part: Option<(u64, u64)>,
    pub(crate) tokens_per_second: Option<f64>,
    pub(crate) training: bool,
}

/// A job that went wrong, or what it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) job: String,
    pub(crate) run: String,
    pub(crate) error: String,
    pub(crate) hint: Option<String>,
    /// Rows of the batch that broke the run, the worst first.
    pub(crate) rows: Vec<String>,
}

/// Rows of a batch that are worth naming.
const ROWS: usize = 3;

/// What was found on the disk for each job: its state, and its last heartbeat.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) jobs: &'a [JobView],
    pub(crate) heartbeats: &'a [(Heartbeat, bool)],
}

/// All runs and failures.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) runs: BTreeMap<String, RunPicture>,
    pub(crate) doing: Vec<Doing>,
    pub(crate) failing: Vec<Failing>,
}

impl Picture {
    pub(crate) fn new(tree: &Tree, found: &Found<'_>) -> Self {
        let mut picture = Self { runs: BTreeMap::new(), doing: Vec::new(), failing: Vec::new() };
        let heartbeats: BTreeMap<&str, &(Heartbeat, bool)> = found
            .heartbeats
            .iter()
            .map(|heartbeat| (heartbeat.0.job.as_str(), heartbeat))
            .collect();
        for run in &tree.runs {
            let jobs: Vec<&JobView> =
                found.jobs.iter().filter(|job| job.folder == run.folder).collect();
            let of_run = picture.of_run(run, &jobs, &heartbeats);
            picture.runs.insert(run.id.clone(), of_run);
        }
        picture
    }

    fn of_run(
        &mut self,
        run: &Run,
        jobs: &[&JobView],
        heartbeats: &BTreeMap<&str, &(Heartbeat, bool)>,
    ) -> RunPicture {
        let mut step = run.from;
        let mut scores = (0, 0);
        let (mut all_done, mut doing, mut remark) = (true, None, None);
        let failed_before = self.failing.len();
        for job in jobs {
            let done = matches!(job.state, Ok(JobState::Done));
            let reached = match (&job.state, job.kind) {
                (Ok(JobState::Done), JobKind::Train { to, .. }) => to,
                (Ok(JobState::Begun { step }), _) => *step,
                _ => run.from,
            };
            step = step.max(reached);
            all_done &= done;
            if !matches!(job.kind, JobKind::Train { .. }) {
                scores = (scores.0 + usize::from(done), scores.1 + 1);
            }
            if let Err(error) = &job.state {
                self.fail(job, run, JobFailure::of(error));
            }
            // A heartbeat of a run that another plan had under this name tells nothing.
            let of_run = |heartbeat: &&&(Heartbeat, bool)| job.folder.ends_with(&heartbeat.0.run);
            match heartbeats.get(job.name.as_str()).filter(of_run) {
                Some((heartbeat, true)) => {
                    if let At::Step { step: at, .. } = heartbeat.at {
                        step = step.max(at);
                    }
                    doing = Some(under_way(job, run, heartbeat));
                }
                Some((Heartbeat { failed: Some(failure), .. }, false)) if !done => {
                    self.fail(job, run, failure.clone());
                }
                Some((_, false)) if !done => {
                    let from = if step > run.from { at_step(step) } else { "the start".to_owned() };
                    remark = Some(format!(
                        "Its process ended without an error message: it was killed, or the machine \
                         went down. The same command continues from {from}."
                    ));
                }
                _ => {}
            }
        }
        let state = if doing.is_some() {
            State::Running
        } else if self.failing.len() > failed_before {
            State::Failed
        } else if all_done {
            State::Done
        } else if step > run.from || remark.is_some() {
            State::Stopped
        } else {
            State::Missing
        };
        if state == State::Stopped && remark.is_none() && step < run.to {
            remark = Some(format!("It continues from {}.", at_step(step)));
        }
        self.doing.extend(doing.clone());
        RunPicture { state, step, from: run.from, to: run.to, scores, doing, remark }
    }

    fn fail(&mut self, job: &JobView, run: &Run, failure: JobFailure) {
        self.failing.push(Failing {
            job: job.name.clone(),
            run: run.id.clone(),
            error: failure.error,
            hint: failure.hint,
            rows: match job.kind {
                JobKind::Train { .. } => worst_rows(&run.folder),
                JobKind::Score | JobKind::Tasks | JobKind::Contamination => Vec::new(),
            },
        });
    }
}

fn under_way(job: &JobView, run: &Run, heartbeat: &Heartbeat) -> Doing {
    let (what, part, tokens_per_second) = match (&heartbeat.at, job.kind) {
        (At::Step { step, tokens_per_second }, JobKind::Train { from, to }) => (
            "training".to_owned(),
            Some((step.saturating_sub(from), to - from)),
            *tokens_per_second,
        ),
        (At::HeldOut, _) => ("scoring on held-out text".to_owned(), None, None),
        (At::Task { task, index, of, items, items_of }, _) => (
            format!("{task}, task {index} of {of}"),
            (*items_of > 0).then_some((*items as u64, *items_of as u64)),
            None,
        ),
        _ => ("starting".to_owned(), None, None),
    };
    Doing {
        job: job.name.clone(),
        run: run.id.clone(),
        process: heartbeat.process,
        what,
        part,
        tokens_per_second,
        training: matches!(job.kind, JobKind::Train { .. }),
    }
}

/// The rows with the greatest losses of the last batch that broke a run, if one did.
fn worst_rows(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let batches = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("diverged-")?.strip_suffix(".json")?;
        Divergence::open(&path).ok()
    });
    let Some(mut batch) = batches.max_by_key(|batch| batch.step) else { return Vec::new() };
    // What is no number comes first: it is what broke the run.
    batch.rows.sort_by(|a, b| {
        b.loss.is_finite().cmp(&a.loss.is_finite()).reverse().then(b.loss.total_cmp(&a.loss))
    });
    let rows = batch.rows.iter().take(ROWS).map(|row| {
        let (source, loss) = (&row.source, row.loss);
        format!(
            "{source}, epoch {}, sequence {}: loss {}",
            row.epoch,
            row.ordinal,
            sparkjoy_base::number(loss, 3)
        )
    });
    rows.collect()
}

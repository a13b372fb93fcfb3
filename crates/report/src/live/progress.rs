//! How much of the study is done, how fast it goes, and how long it still takes.

use sparkjoy_jobs::{JobKind, JobState, JobView};

use super::picture::{Picture, State};
use super::tree::Tree;

/// The whole study in a few numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StudyProgress {
    /// Runs by state, in the order of the page's legend.
    pub(crate) runs: [(State, usize); 5],
    /// Training steps: done, all.
    pub(crate) steps: (u64, u64),
    /// Training tokens: done, all.
    pub(crate) tokens: (u64, u64),
    /// Scores on held-out text: done, all.
    pub(crate) scores: (usize, usize),
    /// Models scored on tasks: done, all.
    pub(crate) tasks: (usize, usize),
    /// Tokens a second of all that trains now.
    pub(crate) tokens_per_second: Option<f64>,
    /// Seconds until all is done.
    pub(crate) seconds_left: Option<f64>,
    /// Whether `seconds_left` is by the speed of now rather than by what was measured before.
    pub(crate) at_present_speed: bool,
    /// Whether the time that tasks take is unknown, and not in `seconds_left`.
    pub(crate) without_tasks: bool,
}

impl StudyProgress {
    pub(crate) fn new(tree: &Tree, jobs: &[JobView], picture: &Picture) -> Self {
        let count = |state| picture.runs.values().filter(|run| run.state == state).count();
        let runs = State::ALL.map(|state| (state, count(state)));
        let (mut steps, mut tokens, mut flops_left) = ((0, 0), (0, 0), 0.0);
        for run in &tree.runs {
            let (done, all) = (picture.runs[&run.id].step - run.from, run.to - run.from);
            steps = (steps.0 + done, steps.1 + all);
            tokens = (tokens.0 + done * run.tokens_per_step, tokens.1 + all * run.tokens_per_step);
            flops_left += (all - done.min(all)) as f64 * run.flops_per_step;
        }
        let now = flops_per_second_now(tree, picture);
        let speed = now.or_else(|| flops_per_second_before(tree, jobs));
        let training =
            if flops_left > 0.0 { speed.map(|speed| flops_left / speed) } else { Some(0.0) };
        let [scores, tasks] =
            [JobKind::Score, JobKind::Tasks].map(|kind| Evaluations::of(kind, jobs));
        let at_once = picture.doing.len().max(1) as f64;
        let evaluating = (scores.left() + tasks.left()) / at_once;
        let tokens_per_second: f64 =
            picture.doing.iter().filter_map(|doing| doing.tokens_per_second).sum();
        Self {
            runs,
            steps,
            tokens,
            scores: scores.counts(),
            tasks: tasks.counts(),
            tokens_per_second: (tokens_per_second > 0.0).then_some(tokens_per_second),
            seconds_left: training.map(|training| training + evaluating),
            at_present_speed: now.is_some(),
            without_tasks: tasks.done < tasks.all && tasks.timed == 0,
        }
    }
}

impl StudyProgress {
    /// Whether every run is trained and scored.
    pub(crate) fn all_done(&self) -> bool {
        self.runs.iter().all(|(state, count)| *state == State::Done || *count == 0)
    }
}

/// Models of several sizes go at several speeds in tokens, and at about one in operations.
fn flops_per_second_now(tree: &Tree, picture: &Picture) -> Option<f64> {
    let speeds = picture.doing.iter().filter(|doing| doing.training).filter_map(|doing| {
        let run = tree.run(&doing.run)?;
        Some(doing.tokens_per_second? / run.tokens_per_step as f64 * run.flops_per_step)
    });
    let speed: f64 = speeds.sum();
    (speed > 0.0).then_some(speed)
}

/// By what jobs have cost so far.
fn flops_per_second_before(tree: &Tree, jobs: &[JobView]) -> Option<f64> {
    let (mut flops, mut seconds) = (0.0, 0.0);
    for job in jobs.iter().filter(|job| matches!(job.kind, JobKind::Train { .. })) {
        let run = tree.runs.iter().find(|run| run.folder == job.folder);
        if let (Some(time), Some(run)) = (job.time, run) {
            flops += time.steps as f64 * run.flops_per_step;
            seconds += time.seconds;
        }
    }
    (seconds > 0.0 && flops > 0.0).then(|| flops / seconds)
}

/// Jobs that score, of one kind.
#[derive(Default)]
struct Evaluations {
    done: usize,
    all: usize,
    timed: usize,
    seconds: f64,
}

impl Evaluations {
    fn of(kind: JobKind, jobs: &[JobView]) -> Self {
        let mut found = Self::default();
        for job in jobs.iter().filter(|job| job.kind == kind) {
            let done = matches!(job.state, Ok(JobState::Done));
            found.done += usize::from(done);
            found.all += 1;
            if let Some(time) = job.time.filter(|_| done) {
                found.timed += 1;
                found.seconds += time.seconds;
            }
        }
        found
    }

    fn counts(&self) -> (usize, usize) {
        (self.done, self.all)
    }

    /// Seconds the missing ones take, as the others took.
    fn left(&self) -> f64 {
        if self.timed == 0 {
            return 0.0;
        }
        (self.all - self.done) as f64 * self.seconds / self.timed as f64
    }
}

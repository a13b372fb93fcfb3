//! The tree of a study on a terminal, while it runs: how much of each part is done.
//!
//! ```text
//! ██▌               5 %  5.5M tok left  14.5K tok/s  6 min 21 s
//! ████             trunk-1600  1,450/1,600  loss 3.412  |g| 0.81  lr 4.1e-4
//! ███████▌         1/3   trunk
//!                  0/12  10% from step 1,800: base, upsampled
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use sparkjoy_base::{duration, quantity, thousands};
use sparkjoy_jobs::{JobKind, JobRun, JobState, JobView, RecentThroughput, job_views};
use sparkjoy_study::Plan;

/// Branch points that get a line of their own: the rest of a screen is for what runs.
const LINES: usize = 12;

/// The lines above the line of what runs.
pub(crate) struct ProgressTree {
    lines: MultiProgress,
    whole: ProgressBar,
    parts: Vec<ProgressBar>,
    /// Which part each job belongs to.
    part_of: BTreeMap<String, usize>,
    /// The job that is being done; it is done when the next begins.
    current: Option<String>,
    /// Training tokens of the whole tree.
    tokens: u64,
}

impl ProgressTree {
    /// The tree of a plan as it is on the disk.
    pub(crate) fn new(plan: &Plan, runs: &Path) -> Self {
        let lines = MultiProgress::new();
        let whole = lines.add(ProgressBar::new(1000).with_style(style("{bar:16} {wide_msg}")));
        let parts = parts(plan, runs);
        let width = parts.iter().map(|part| part.jobs.len().to_string().len()).max().unwrap_or(1);
        let template = format!("{{bar:16}} {{pos:>{width}}}/{{len:<{width}}}  {{wide_msg}}");
        let mut part_of = BTreeMap::new();
        let bars = parts.into_iter().enumerate().map(|(index, part)| {
            let bar = lines.add(ProgressBar::new(part.jobs.len() as u64));
            bar.set_style(style(&template));
            bar.set_message(part.name);
            bar.set_position(part.done as u64);
            part_of.extend(part.jobs.into_iter().map(|job| (job, index)));
            bar
        });
        let (parts, tokens) = (bars.collect(), plan.cost().tree.tokens.0);
        whole.tick();
        Self { lines, whole, parts, part_of, current: None, tokens }
    }

    /// Puts a line below the first: where the screen is too low, the tree is cut off, not what
    /// runs.
    pub(crate) fn add(&self, line: ProgressBar) -> ProgressBar {
        self.lines.insert_after(&self.whole, line)
    }

    /// A job begins, or turns out to be done.
    pub(crate) fn job(&mut self, name: &str, done: bool) {
        let before = self.current.take();
        if let Some(&part) = before.as_ref().and_then(|job| self.part_of.get(job)) {
            self.parts[part].inc(1);
        }
        // What was done before has been counted.
        self.current = (!done).then(|| name.to_owned());
    }

    /// So many training tokens are left of the whole study.
    pub(crate) fn tokens(&mut self, left: u64, rate: &RecentThroughput) {
        let done = self.tokens.saturating_sub(left);
        self.whole.set_position(done * 1000 / self.tokens.max(1));
        self.whole.set_message(whole_line(done, self.tokens, rate));
    }

    /// Takes the lines away.
    pub(crate) fn finish(&self) {
        for line in self.parts.iter().chain([&self.whole]) {
            line.finish_and_clear();
        }
    }
}

/// ` 5 %  5.5M tok left  14.5K tok/s  6 min 21 s`.
fn whole_line(done: u64, all: u64, rate: &RecentThroughput) -> String {
    let left = all - done;
    if left == 0 {
        return "all is trained; what is left is scored".to_owned();
    }
    let mut words =
        vec![format!("{} %", done * 100 / all.max(1)), format!("{} tok left", quantity(left))];
    words.extend(rate.per_second().map(|rate| format!("{} tok/s", quantity(rate as u64))));
    words.extend(rate.seconds_for(left).map(duration));
    words.join("  ")
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("a constant template");
    style.progress_chars("█▉▊▋▌▍▎▏ ")
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    jobs: Vec<String>,
    done: usize,
}

/// The trunks, each branch point with its branches and their scores, and the tasks.
fn parts(plan: &Plan, runs: &Path) -> Vec<Part> {
    let views = job_views(plan, runs);
    let mut parts = Vec::new();
    let trains = |view: &JobView| matches!(view.kind, JobKind::Train { .. });
    let trunk = |view: &&JobView| trains(view) && matches!(view.run, JobRun::Trunk(_));
    parts.push(part("trunk".to_owned(), views.iter().filter(trunk)));

    let mut points: BTreeMap<u64, (BTreeSet<String>, BTreeSet<String>, BTreeSet<_>)> =
        BTreeMap::new();
    for (index, branch) in plan.branches.iter().enumerate() {
        let (windows, labels, branches) = points.entry(branch.from_step).or_default();
        windows.insert(branch.window.clone());
        labels.insert(branch.label.clone());
        branches.insert(index);
    }
    // The latest first, as they run least; what has no line of its own comes together.
    let mut rest: Option<(usize, BTreeSet<_>)> = None;
    for (at, (step, (windows, labels, branches))) in points.into_iter().rev().enumerate() {
        if at >= LINES {
            let (count, all) = rest.get_or_insert_with(Default::default);
            *count += 1;
            all.extend(branches);
            continue;
        }
        let [windows, labels] =
            [windows, labels].map(|words| words.into_iter().collect::<Vec<_>>().join(", "));
        let name = format!("{windows} from step {}: {labels}", thousands(step));
        parts.push(part(name, views.iter().filter(|view| of_branch(view, &branches))));
    }
    if let Some((count, branches)) = rest {
        let name = format!("{count} branch points more");
        parts.push(part(name, views.iter().filter(|view| of_branch(view, &branches))));
    }
    parts.push(part("tasks".to_owned(), views.iter().filter(|view| view.kind == JobKind::Tasks)));
    parts.retain(|part| !part.jobs.is_empty());
    parts
}

fn of_branch(view: &JobView, branches: &BTreeSet<usize>) -> bool {
    let JobRun::Branch(branch) = view.run else { return false };
    view.kind != JobKind::Tasks && branches.contains(&branch)
}

fn part<'a>(name: String, views: impl Iterator<Item = &'a JobView>) -> Part {
    let mut part = Part { name, jobs: Vec::new(), done: 0 };
    for view in views {
        part.jobs.push(view.name.clone());
        part.done += usize::from(matches!(view.state, Ok(JobState::Done)));
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_training_while_the_last_branch_is_scored() {
        let rate = RecentThroughput::default();
        assert_eq!(whole_line(50, 200, &rate), "25 %  150 tok left");
        assert_eq!(whole_line(200, 200, &rate), "all is trained; what is left is scored");
    }
}

//! What is going on, for whoever watches.
//!
//! On a terminal one line is rewritten, below the tree where a study runs; in a log there is a line
//! where something begins and then at most one a minute. The numbers go to `metrics.jsonl` either
//! way.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use sparkjoy_base::{SourceName, bytes, duration, number, printable, quantity, thousands};
use sparkjoy_data::PrepareProgress;
use sparkjoy_jobs::{Event, RecentThroughput};
use sparkjoy_report::sentences::{cautions, contamination_summary};
use sparkjoy_spec::{KernelChange, StepRecord, Tolerated};
use sparkjoy_study::Plan;

use crate::output::say;
use crate::progress_tree::ProgressTree;

/// A log gets a line this often at most.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// Shows events as they come.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// The tree of the study that runs, above the line.
    tree: Option<ProgressTree>,
    /// The source or job the next lines are about.
    subject: String,
    /// Tokens trained on, or bytes of input read.
    main: RecentThroughput,
    /// Bytes of text encoded.
    text: RecentThroughput,
    logged: Option<Instant>,
}

impl Progress {
    /// Nothing is shown before the first event.
    pub(crate) fn new() -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0).with_style(spinner());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let (main, text) = (RecentThroughput::default(), RecentThroughput::default());
        Self { bar, tree: None, subject: String::new(), main, text, logged: None }
    }

    /// The same with the tree of a plan, on a terminal.
    pub(crate) fn of_tree(plan: &Plan, runs: &Path) -> Self {
        let mut progress = Self::new();
        progress.tree = progress.bar.take().map(|bar| {
            let tree = ProgressTree::new(plan, runs);
            progress.bar = Some(tree.add(bar));
            tree
        });
        progress
    }

    pub(crate) fn show(&mut self, event: &Event<'_>) {
        let now = Instant::now();
        match event {
            Event::Preparing(source, progress) => self.preparing(source, *progress, now),
            Event::Checking { looked_for, source, text_bytes, of } => {
                self.checking(looked_for, source, (*text_bytes, *of), now);
            }
            Event::Checked(checked) => {
                for line in cautions(checked).iter().chain([&contamination_summary(checked)]) {
                    self.remark(line);
                }
            }
            Event::OtherTokenizer(before) => self.remark(&format!(
                "note: the text has changed since `{before}` was trained on it: a tokenizer is \
                 trained, sources are prepared and all runs are trained anew"
            )),
            Event::TrainingTokenizer => self.begin("", "training the tokenizer", now),
            Event::Job { name, index, of, done, from } => {
                if let Some(tree) = &mut self.tree {
                    tree.job(name, *done);
                }
                self.begin(name, &job_line(name, *index, *of, *done, *from), now);
            }
            Event::Step { record, target, tokens_left } => {
                self.main.add(record.tokens.values().sum(), now);
                if let Some(tree) = &mut self.tree {
                    tree.tokens(*tokens_left, &self.main);
                }
                // The tree shows what is left.
                let left = self.tree.is_none().then_some(*tokens_left);
                let line = step_line(&self.subject, record, *target, &self.main, left);
                self.line(&line, record.step, *target, now);
            }
            Event::OtherKernel(change) => self.remark(&kernel_line(&self.subject, change)),
            Event::Tolerated(steps) => self.remark(&tolerated_line(&self.subject, steps)),
            Event::Stopping => self.remark(&format!(
                "stopping {}: it saves first; a second Ctrl-C stops it at once",
                self.subject
            )),
            Event::Stopped { name, step } => {
                self.remark(&format!("{name} is saved at step {}", thousands(*step)));
            }
            Event::Saved(path) => {
                // Worth keeping on a terminal, not worth a line of a log.
                if let Some(bar) = &self.bar {
                    bar.println(format!("saved {}", path.display()));
                }
            }
            Event::Scoring(name) => self.line(&format!("scoring {name}"), 0, 0, now),
            Event::Task { model, task, index, of } => {
                self.begin(task, &format!("{model} · {task} · task {index} of {of}"), now);
            }
            Event::Items { done, of } => {
                self.main.reach(*done as u64, now);
                let line = items_line(&self.subject, *done, *of, &self.main);
                self.line(&line, *done as u64, *of as u64, now);
            }
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Some(tree) = &self.tree {
            tree.finish();
        }
    }

    /// A line that stays, on a terminal and in a log.
    fn remark(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(printable(line)),
            None => say(line),
        }
    }

    fn preparing(&mut self, source: &SourceName, progress: PrepareProgress, now: Instant) {
        if self.subject != source.as_str() {
            self.begin(source.as_str(), &format!("preparing {source}"), now);
        }
        self.main.reach(progress.stored_bytes, now);
        self.text.reach(progress.text_bytes, now);
        let line = prepare_line(source, progress, &self.main, &self.text);
        self.line(&line, progress.stored_bytes, progress.stored_bytes_total, now);
    }

    fn checking(
        &mut self,
        looked_for: &str,
        source: &SourceName,
        (text_bytes, of): (u64, u64),
        now: Instant,
    ) {
        let begun = format!("looking for {looked_for} in {source}");
        if self.subject != begun {
            self.begin(&begun, &begun, now);
        }
        self.main.reach(text_bytes, now);
        let line = check_line(source, text_bytes, of, &self.main);
        self.line(&line, text_bytes, of, now);
    }

    /// Something new starts: its first line is always shown.
    fn begin(&mut self, subject: &str, line: &str, now: Instant) {
        subject.clone_into(&mut self.subject);
        (self.main, self.text) = (RecentThroughput::default(), RecentThroughput::default());
        self.logged = Some(now);
        match &self.bar {
            Some(bar) => {
                bar.set_style(spinner());
                bar.set_message(printable(line).into_owned());
            }
            None => say(line),
        }
    }

    fn line(&mut self, line: &str, position: u64, length: u64, now: Instant) {
        if let Some(bar) = &self.bar {
            bar.set_style(if length > 0 { gauge() } else { spinner() });
            bar.set_length(length);
            bar.set_position(position);
            bar.set_message(line.to_owned());
        } else if self.logged.is_none_or(|before| now - before >= LOG_EVERY) {
            self.logged = Some(now);
            say(line);
        }
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}").expect("a constant template")
}

fn gauge() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:16} {wide_msg}").expect("a constant template");
    style.progress_chars("█▉▊▋▌▍▎▏ ")
}

/// `web  31.2 of 40.0 MiB  12.3M tok  45.1 MB/s  8 s`; the rate is of text, decompressed.
fn prepare_line(
    source: &SourceName,
    progress: PrepareProgress,
    stored: &RecentThroughput,
    text: &RecentThroughput,
) -> String {
    let (read, total) = (progress.stored_bytes, progress.stored_bytes_total);
    let mut parts = vec![
        source.to_string(),
        format!("{} of {}", bytes(read), bytes(total)),
        format!("{} tok", quantity(progress.tokens)),
    ];
    parts.extend(text.per_second().map(|rate| format!("{:.1} MB/s", rate / 1e6)));
    parts.extend(stored.seconds_for(total.saturating_sub(read)).map(duration));
    if progress.skipped > 0 {
        parts.push(format!("{} documents skipped", thousands(progress.skipped)));
    }
    parts.join("  ")
}

/// `web  items of tasks in 31.2 of 40.0 MiB  45.1 MB/s  8 s`.
fn check_line(source: &SourceName, text_bytes: u64, of: u64, rate: &RecentThroughput) -> String {
    let mut parts = vec![
        source.to_string(),
        format!("items of tasks in {} of {}", bytes(text_bytes), bytes(of)),
    ];
    parts.extend(rate.per_second().map(|rate| format!("{:.1} MB/s", rate / 1e6)));
    parts.extend(rate.seconds_for(of.saturating_sub(text_bytes)).map(duration));
    parts.join("  ")
}

/// `trunk-72 · job 1 of 12`, and what was done of it before. `from`: the step it continues from.
fn job_line(name: &str, index: usize, of: usize, done: bool, from: Option<u64>) -> String {
    let before = match from {
        _ if done => " · done before".to_owned(),
        Some(step) => format!(" · continues from step {}", thousands(step)),
        None => String::new(),
    };
    format!("{name} · job {index} of {of}{before}")
}

/// `trunk  5,240/6,102  343.4M tok left  loss 3.412  |g| 0.81  lr 4.1e-4  38.2K tok/s  24 min`.
///
/// What is left, in tokens and in time, is of the whole study; nothing of it where it stands
/// elsewhere.
fn step_line(
    job: &str,
    record: &StepRecord,
    target: u64,
    rate: &RecentThroughput,
    tokens_left: Option<u64>,
) -> String {
    let mut parts =
        vec![job.to_owned(), format!("{}/{}", thousands(record.step), thousands(target))];
    let tokens_left = tokens_left.filter(|&left| left > 0);
    parts.extend(tokens_left.map(|left| format!("{} tok left", quantity(left))));
    parts.extend([
        format!("loss {}", number(record.loss, 3)),
        format!("|g| {}", number(record.grad_norm, 2)),
        format!("lr {:.1e}", record.lr),
    ]);
    parts.extend(rate.per_second().map(|rate| format!("{} tok/s", quantity(rate as u64))));
    parts.extend(tokens_left.and_then(|left| rate.seconds_for(left)).map(duration));
    parts.join("  ")
}

/// What it means that a run goes on elsewhere.
fn kernel_line(job: &str, change: &KernelChange) -> String {
    let KernelChange { step, found, now } = change;
    format!(
        "note: {job} was computed on {found} up to step {}, this machine continues on {now}: sound, \
         but not the bits of a run that stayed on either; the report will say so",
        thousands(*step)
    )
}

/// What it means that steps were computed again and came out close.
fn tolerated_line(job: &str, tolerated: &Tolerated) -> String {
    let Tolerated { steps, difference, tolerance } = tolerated;
    format!(
        "note: {job} computed steps {} to {} again: their losses differ by at most {difference:.1e} \
         nats per token, {tolerance:.1e} are accepted",
        thousands(*steps.start()),
        thousands(*steps.end())
    )
}

/// `arc_easy  1,024/2,376 items  85 it/s  16 s`.
fn items_line(task: &str, done: usize, of: usize, rate: &RecentThroughput) -> String {
    let mut line = format!("{task}  {}/{} items", thousands(done as u64), thousands(of as u64));
    if let Some(rate) = rate.per_second() {
        let _ = write!(line, "  {rate:.0} it/s");
    }
    if let Some(left) = rate.seconds_for((of - done) as u64) {
        let _ = write!(line, "  {}", duration(left));
    }
    line
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// 100,000 things in 10 seconds.
    fn rate() -> RecentThroughput {
        let start = Instant::now();
        let mut rate = RecentThroughput::default();
        rate.reach(0, start);
        rate.reach(100_000, start + Duration::from_secs(10));
        rate
    }

    #[test]
    fn a_job_that_was_begun_says_where_it_continues() {
        let line = |done, from| job_line("trunk-72", 1, 12, done, from);
        assert_eq!(line(false, None), "trunk-72 · job 1 of 12");
        assert_eq!(line(true, None), "trunk-72 · job 1 of 12 · done before");
        assert_eq!(line(false, Some(1040)), "trunk-72 · job 1 of 12 · continues from step 1,040");
    }

    #[test]
    fn a_training_line_tells_what_is_left_of_the_study() {
        let record = StepRecord {
            step: 5240,
            loss: 3.4119,
            grad_norm: 0.8123,
            lr: 4.1e-4,
            tokens: BTreeMap::new(),
            losses: BTreeMap::new(),
        };
        assert_eq!(
            step_line("upsampled-10pct-r1", &record, 6102, &rate(), Some(1_500_000)),
            "upsampled-10pct-r1  5,240/6,102  1.5M tok left  loss 3.412  |g| 0.81  lr 4.1e-4  \
             10K tok/s  2 min 30 s"
        );
        assert!(
            !step_line("trunk", &record, 6102, &RecentThroughput::default(), None)
                .contains("tok/s")
        );
    }

    #[test]
    fn a_run_that_moves_says_from_where_to_where_and_what_that_means() {
        let change =
            KernelChange { step: 5240, found: "avx512bf16".to_owned(), now: "avx2".to_owned() };
        assert_eq!(
            kernel_line("trunk-6102", &change),
            "note: trunk-6102 was computed on avx512bf16 up to step 5,240, this machine continues on \
             avx2: sound, but not the bits of a run that stayed on either; the report will say so"
        );
    }

    #[test]
    fn steps_that_came_out_close_are_told_with_their_difference() {
        let tolerated = Tolerated { steps: 1200..=1240, difference: 2.5e-5, tolerance: 1e-3 };
        assert_eq!(
            tolerated_line("trunk-6102", &tolerated),
            "note: trunk-6102 computed steps 1,200 to 1,240 again: their losses differ by at most \
             2.5e-5 nats per token, 1.0e-3 are accepted"
        );
    }

    #[test]
    fn a_preparing_line_tells_rate_and_time_left() {
        let web = SourceName::new("web").unwrap();
        let progress = PrepareProgress {
            stored_bytes: 100_000,
            stored_bytes_total: 300_000,
            text_bytes: 400_000,
            tokens: 98_765,
            documents: 321,
            skipped: 2,
        };
        assert_eq!(
            prepare_line(&web, progress, &rate(), &rate()),
            "web  97.7 KiB of 293 KiB  98.77K tok  0.0 MB/s  20 s  2 documents skipped"
        );
    }
}

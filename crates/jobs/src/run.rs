//! Runs what is missing of a plan, on this machine, one job after the other.
//!
//! The executor decides nothing: the plan says what there is to do, the folders say what is done,
//! and whether a job is run again, continued or refused follows from the two. It is the only place
//! below the command line that looks at a clock, to know when to save and how long a job took.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use sparkjoy_base::{Fingerprint, Problem, SourceName, write_atomic};
use sparkjoy_data::{Corpus, Part, Tokenizer};
use sparkjoy_eval::FailedTask;
use sparkjoy_train::{Checkpoint, ModelFolder, Outcome, RunRequest};

use crate::cards::{self, Asked, Point};
use crate::contamination::{self, Record, check, is_of_these_files};
use crate::folders::{branch_folder, study_folder, trunk_folder};
use crate::graph::{CONTAMINATION, Job, JobState, checkpoint, jobs};
use crate::heartbeat::Pulse;
use crate::problem::{AGAIN, no_task_data, no_task_files, not_done};
use crate::scores::{Scored, Scores};
use crate::tasks::{TaskRequest, check_tasks, score_tasks};
use crate::timing::{self, JobTime};
use crate::watch::Watch;
use crate::{Event, JobError, Options};
use sparkjoy_study::{Branch, Plan, Study};

/// Runs what is missing: trunk to its branch points, branches, scores.
///
/// - `only`: one job by its name ([`job_states`] lists them), for executors that run each job as
///   a command of its own.
///
/// # Guarantees
///
/// Jobs that are done are not run again, jobs that were interrupted continue, folders that hold
/// something else than the plan expects are refused. Interrupted at any instant and run again, a
/// study ends in the same bytes of every weight and score.
///
/// # Errors
///
/// [`JobError::Interrupted`] after saving, when `options.stop` is set. [`JobError::Problem`] for a
/// job that cannot begin or a result that is not the plan's; what goes wrong in training and
/// scoring.
pub fn run(
    study: &Study,
    plan: &Plan,
    corpora: &[Corpus],
    tokenizer: &Tokenizer,
    only: Option<&str>,
    options: &mut Options<'_>,
) -> Result<(), JobError> {
    check_inputs(plan, corpora, tokenizer)?;
    record(study.text(), plan, &options.runs)?;

    let jobs = jobs(plan);
    let only = only.map(|name| known_job(plan, &jobs, name)).transpose()?;
    let only = only.as_deref();
    check_task_files(plan, tokenizer, &jobs, only, options)?;
    let pulse = Pulse::new(plan, &options.runs);
    let Options { runs, prepared, threads, recompute, save_every, eval_data, .. } = options;
    let (programs, stop) = (options.programs.clone(), options.stop);
    let observe = &mut *options.observe;
    let mut tell = |event: Event<'_>| {
        pulse.note(&event);
        observe(event);
    };
    let mut options = Options {
        runs: runs.clone(),
        prepared: prepared.clone(),
        threads: *threads,
        recompute: *recompute,
        save_every: *save_every,
        eval_data: eval_data.clone(),
        programs,
        stop,
        observe: &mut tell,
    };
    let mut executor = Executor { study, plan, corpora, tokenizer, options: &mut options };
    for (index, job) in jobs.iter().enumerate() {
        let name = job.name(plan);
        if only.is_none_or(|only| only == name) {
            let done = executor.is_done(job)?;
            if !done && !matches!(job, Job::Contamination) {
                executor.refuse_contaminated(&name)?;
            }
            let event = Event::Job { name: &name, index: index + 1, of: jobs.len(), done };
            (executor.options.observe)(event);
            if !done {
                let ended = executor.execute(job);
                pulse.ended(&ended);
                ended?;
            }
            if matches!(job, Job::Contamination) {
                executor.refuse_contaminated(&name)?;
                executor.tell_contamination()?;
            }
        }
    }
    Ok(())
}

/// The name of a job by the name it has or had.
fn known_job(plan: &Plan, jobs: &[Job<'_>], name: &str) -> Result<String, Problem> {
    let is_it =
        |job: &&Job<'_>| job.name(plan) == name || job.former_name().as_deref() == Some(name);
    match jobs.iter().find(is_it) {
        Some(job) => Ok(job.name(plan)),
        None => {
            let known: Vec<String> = jobs.iter().map(|job| job.name(plan)).collect();
            Err(unknown_job(name, &known))
        }
    }
}

/// No job of the plan has this name. `known`: the jobs there are, of which twelve are named.
fn unknown_job(name: &str, known: &[String]) -> Problem {
    let mut shown: Vec<String> = known.iter().take(12).map(|name| format!("`{name}`")).collect();
    if let more @ 1.. = known.len().saturating_sub(12) {
        shown.push(format!("{more} more"));
    }
    Problem::new(format!("the plan has no job `{name}`, expected one of {}", shown.join(", ")))
        .with_hint("`sparkjoy plan STUDY --json` lists all jobs under `jobs`")
}

/// A source without text.
fn declared(name: &SourceName) -> Problem {
    let text = "is declared by its size, expected text files to train on";
    Problem::new(format!("source `{name}` {text}"))
        .with_hint(format!("give `[sources.{name}]` a `path` and a `validation` instead of a size"))
}

/// Something else at hand than was planned with. `text`: what follows "the".
fn changed(text: &str, expected: Fingerprint) -> Problem {
    Problem::new(format!("the {text}, the plan expects {expected}"))
        .with_hint(format!("the text changed since the plan was made: {AGAIN} to plan anew"))
}

/// Tokens of a source that are not those of the plan.
///
/// - `found`: identity of the tokens at hand; none if there are none.
fn other_tokens(
    name: &SourceName,
    part: &str,
    found: Option<Fingerprint>,
    expected: Fingerprint,
) -> Problem {
    let found = found.map_or_else(|| "missing".to_owned(), |found| found.to_string());
    changed(&format!("{part} tokens of source `{name}` are {found}"), expected)
}

/// A tokenizer that is not the plan's.
fn other_tokenizer(found: Fingerprint, expected: Fingerprint) -> Problem {
    changed(&format!("tokenizer at hand is {found}"), expected)
}

/// Refuses text other than the plan's before a second is spent on it.
fn check_inputs(plan: &Plan, corpora: &[Corpus], tokenizer: &Tokenizer) -> Result<(), JobError> {
    let (found, expected) = (tokenizer.fingerprint(), plan.trunk().tokenizer);
    if found != expected {
        return Err(other_tokenizer(found, expected).into());
    }
    for (name, source) in &plan.sources {
        let Some(held_out) = source.held_out.filter(|_| !source.declared) else {
            return Err(declared(name).into());
        };
        let corpus = corpora.iter().find(|corpus| corpus.name() == name);
        for (part, words, expected) in [
            (Part::Train, "training", source.supply.fingerprint),
            (Part::Validation, "held-out", held_out),
        ] {
            let found = corpus.map(|corpus| corpus.fingerprint(part));
            if found != Some(expected) {
                return Err(other_tokens(name, words, found, expected).into());
            }
        }
        if let Some(corpus) = corpus {
            let context = plan.shape.context;
            sparkjoy_eval::sample(corpus, context, plan.seed, plan.evaluation.held_out)?;
        }
    }
    Ok(())
}

/// Refuses task files that cannot be used before a month is spent on training.
fn check_task_files(
    plan: &Plan,
    tokenizer: &Tokenizer,
    jobs: &[Job<'_>],
    only: Option<&str>,
    options: &Options<'_>,
) -> Result<(), JobError> {
    let Some(tasks) = &plan.evaluation.tasks else { return Ok(()) };
    // A machine that only trains needs no task files.
    let wanted = jobs.iter().filter(|job| only.is_none_or(|only| only == job.name(plan)));
    for job in wanted.filter(|job| matches!(job, Job::Tasks(_))) {
        if job.state(plan, &options.runs)? != JobState::Done {
            let tokenizer = tokenizer.clone().into();
            return check_tasks(&tasks.selection, &tokenizer, plan.shape.context, options);
        }
    }
    Ok(())
}

/// Keeps what was asked and how it was resolved beside the results.
fn record(study: &str, plan: &Plan, runs: &Path) -> Result<(), JobError> {
    let folder = study_folder(plan, runs);
    let json = serde_json::to_vec_pretty(plan).expect("plain data has a JSON form");
    write_atomic(&folder.join("study.toml"), study.as_bytes())?;
    Ok(write_atomic(&folder.join("plan.json"), &json)?)
}

/// A plan with all that its jobs need.
struct Executor<'a, 'o> {
    study: &'a Study,
    plan: &'a Plan,
    corpora: &'a [Corpus],
    tokenizer: &'a Tokenizer,
    options: &'a mut Options<'o>,
}

impl<'a> Executor<'a, '_> {
    /// Whether there is nothing left to do for a job.
    fn is_done(&self, job: &Job<'_>) -> Result<bool, JobError> {
        let (plan, options) = (self.plan, &self.options);
        if job.state(plan, &options.runs)? != JobState::Done {
            return Ok(false);
        }
        // A task file that has changed holds other items. A machine that only trains has none.
        match (job, &options.eval_data, Record::read(plan, &options.runs)?) {
            (Job::Contamination, Some(data), Some(record)) => {
                is_of_these_files(&record, plan, data)
            }
            _ => Ok(true),
        }
    }

    /// Refuses to go on where items of tasks stand in training text that the study does not name,
    /// or where nobody knows.
    fn refuse_contaminated(&self, job: &str) -> Result<(), JobError> {
        let Some(checked) = contamination::checked(self.plan, &self.options.runs)? else {
            return Ok(());
        };
        if !checked.unknown.is_empty() {
            return Err(not_done(job, CONTAMINATION).into());
        }
        if checked.is_refused() {
            let hint = format!(
                "take these documents out of the source; or allow it by name, \
                 `contaminated = [{}]` in `[evaluation]`: the study then runs, and its report says \
                 so",
                contamination::to_name(&checked)
            );
            return Err(Problem::new(contamination::refusal(&checked)).with_hint(hint).into());
        }
        Ok(())
    }

    /// Says what the check has found.
    fn tell_contamination(&mut self) -> Result<(), JobError> {
        if let Some(checked) = contamination::checked(self.plan, &self.options.runs)? {
            (self.options.observe)(Event::Checked(&checked));
        }
        Ok(())
    }

    /// Runs one job that is not done, and notes how long it took.
    fn execute(&mut self, job: &Job<'a>) -> Result<(), JobError> {
        if self.options.stop.load(Ordering::Relaxed) {
            return Err(JobError::Interrupted);
        }
        for needs in job.needs(self.plan) {
            if needs.state(self.plan, &self.options.runs)? != JobState::Done {
                return Err(not_done(&job.name(self.plan), &needs.name(self.plan)).into());
            }
        }
        let begin = Instant::now();
        let before = job.steps_left(job.state(self.plan, &self.options.runs)?);
        let result = match *job {
            Job::Trunk { trunk, to, .. } => self.train_trunk(job, trunk, to),
            Job::Branch(branch) => self.train_branch(job, branch),
            Job::Score(branch) => self.score(branch),
            Job::Tasks(point) => self.score_tasks(point),
            Job::Contamination => check(self.plan, self.corpora, self.tokenizer, self.options),
        };
        if matches!(result, Ok(()) | Err(JobError::Interrupted)) {
            let after = job.steps_left(job.state(self.plan, &self.options.runs)?);
            let spent = JobTime { seconds: begin.elapsed().as_secs_f64(), steps: before - after };
            timing::add(self.plan, &self.options.runs, job, spent)?;
        }
        result
    }

    fn train_trunk(&mut self, job: &Job<'a>, trunk: usize, to: u64) -> Result<(), JobError> {
        let spec = &self.plan.trunks[trunk].spec;
        let folder = trunk_folder(spec, &self.options.runs);
        let request = RunRequest {
            spec,
            corpora: self.corpora,
            tokenizer: self.tokenizer,
            folder: &folder,
            start_from: self.study.trunk_folder(),
            target: to,
            keep: &self.plan.kept_steps(trunk),
            threads: self.options.threads,
            recompute: self.options.recompute,
        };
        self.train(job, request)
    }

    fn train_branch(&mut self, job: &Job<'a>, branch: &'a Branch) -> Result<(), JobError> {
        let folder = branch_folder(branch, &self.options.runs);
        let runs = &self.options.runs;
        let parent = match branch.after {
            Some(after) => branch_folder(&self.plan.branches[after], runs),
            None => trunk_folder(self.plan.trunk_of(branch), runs),
        };
        let start = checkpoint(&parent, branch.from_step)?;
        let request = RunRequest {
            spec: &branch.spec,
            corpora: self.corpora,
            tokenizer: self.tokenizer,
            folder: &folder,
            start_from: start.as_ref().map(|checkpoint| checkpoint.folder.as_path()),
            target: branch.spec.last_step(),
            keep: &[],
            threads: self.options.threads,
            recompute: self.options.recompute,
        };
        self.train(job, request)
    }

    /// Trains until the request's target, saving now and then, or until told to stop.
    fn train(&mut self, job: &Job<'a>, request: RunRequest<'_>) -> Result<(), JobError> {
        let steps_after =
            self.steps_left()? - job.steps_left(job.state(self.plan, &self.options.runs)?);
        let tokens_per_step = self.plan.tokens_per_step().0;
        let (folder, target) = (request.folder, request.target);
        let mut watch = Watch::new(self.options, folder, target, steps_after, tokens_per_step);
        let outcome = sparkjoy_train::run(request, &mut watch)?;
        let last = Checkpoint::list(request.folder)?.into_iter().max_by_key(|c| c.step);
        if let Some(last) = last {
            (self.options.observe)(Event::Saved(&last.folder));
        }
        match outcome {
            Outcome::Done => Ok(()),
            Outcome::Stopped { .. } => Err(JobError::Interrupted),
        }
    }

    /// Steps of training all jobs still take.
    fn steps_left(&self) -> Result<u64, JobError> {
        let left = |job: &Job<'_>| Ok(job.steps_left(job.state(self.plan, &self.options.runs)?));
        jobs(self.plan).iter().map(left).sum()
    }

    /// Scores a model on the plan's tasks. Only a card without failures is kept as done.
    fn score_tasks(&mut self, point: Point<'_>) -> Result<(), JobError> {
        let plan = self.plan;
        let tasks = plan.evaluation.tasks.as_ref().expect("the job is there for its tasks");
        let Some(data) = self.options.eval_data.clone() else {
            return Err(no_task_data().into());
        };
        let folder = point.folder(plan, &self.options.runs);
        let checkpoint = checkpoint(&folder, point.step())?
            .expect("the run is done, so its checkpoint is there");
        let model = ModelFolder::open(&checkpoint.folder)?;
        let request = TaskRequest {
            name: &point.name(),
            model: &model,
            selection: &tasks.selection,
            data: &data,
            context: plan.shape.context,
            limit: tasks.limit,
            baselines: tasks.baselines,
            seed: plan.seed,
            folder: &folder.join("tasks"),
        };
        let (card, _) = score_tasks(&request, self.options)?;
        if !card.failed.is_empty() {
            let text = format!(
                "{} of the tasks of `{}` could not be scored:{}",
                card.failed.len(),
                point.name(),
                FailedTask::list(&card.failed)
            );
            let hint =
                card.failed[0].hint.as_ref().map_or(String::new(), |hint| format!("{hint}; "));
            let hint = format!("{hint}then {AGAIN}: what is answered is kept");
            return Err(Problem::new(text).with_hint(hint).into());
        }
        if card.tasks.is_empty() {
            return Err(no_task_files(&data).into());
        }
        let of = Asked::new(plan, point).expect("there are tasks to score");
        cards::write_card(&folder, of, card)
    }

    /// Scores the end of a branch on the held-out text of every source of the plan, whether its
    /// mixture names the source or not: a removed source is what a removal asks about.
    fn score(&mut self, branch: &Branch) -> Result<(), JobError> {
        let plan = self.plan;
        let folder = branch_folder(branch, &self.options.runs);
        let scored = Scored::new(plan, branch);
        let checkpoint = checkpoint(&folder, branch.spec.last_step())?
            .expect("the branch is done, so its last checkpoint is there");
        let batch = plan.batch as usize;
        let model = ModelFolder::open(&checkpoint.folder)?;
        let mut model = model.language_model(batch, self.options.threads);
        (self.options.observe)(Event::Scoring(&branch.name));
        let mut held_out = Vec::new();
        for name in plan.sources.keys() {
            if self.options.stop.load(Ordering::Relaxed) {
                return Err(JobError::Interrupted);
            }
            let corpus = self.corpora.iter().find(|corpus| corpus.name() == name);
            let corpus = corpus.expect("`check_inputs` found a corpus for every source");
            held_out.extend(sparkjoy_eval::held_out(
                &mut model,
                std::slice::from_ref(corpus),
                self.tokenizer,
                plan.shape.context,
                plan.seed,
                plan.evaluation.held_out,
            )?);
        }
        Scores { of: scored, held_out }.write(&folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    #[test]
    fn a_job_that_is_not_there_is_told_of_those_that_are() {
        let known: Vec<String> = (0..14).map(|i| format!("trunk-{i}")).collect();
        insta::assert_snapshot!(shown(Err(unknown_job("trunc", &known))), @"
        the plan has no job `trunc`, expected one of `trunk-0`, `trunk-1`, `trunk-2`, `trunk-3`, `trunk-4`, `trunk-5`, `trunk-6`, `trunk-7`, `trunk-8`, `trunk-9`, `trunk-10`, `trunk-11`, 2 more
        hint: `sparkjoy plan STUDY --json` lists all jobs under `jobs`
        ");
    }

    #[test]
    fn text_that_is_not_the_plans_is_named_with_what_was_expected() {
        let name = SourceName::new("math").unwrap();
        let [found, expected] = ["found", "expected"].map(|t| Fingerprint::of_bytes(t.as_bytes()));
        let problems = [
            declared(&name),
            other_tokens(&name, "held-out", None, expected),
            other_tokenizer(found, expected),
        ];
        let texts = problems.map(|problem| shown(Err(problem))).join("\n\n");
        insta::assert_snapshot!(texts, @"
        source `math` is declared by its size, expected text files to train on
        hint: give `[sources.math]` a `path` and a `validation` instead of a size

        the held-out tokens of source `math` are missing, the plan expects a99e31b7
        hint: the text changed since the plan was made: run the same command again to plan anew

        the tokenizer at hand is 6166e496, the plan expects a99e31b7
        hint: the text changed since the plan was made: run the same command again to plan anew
        ");
    }
}

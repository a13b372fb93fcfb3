//! Runs what is missing of a plan, on this machine, one job after the other.
//!
//! The executor decides nothing: the plan says what there is to do, the folders say what is done,
//! and whether a job is run again, continued or refused follows from the two. It is the only place
//! below the command line that looks at a clock, to know when to save and how long a job took.

use std::path::Path;
use std::time::Instant;

use sparkjoy_base::{Problem, sweep, write_atomic};
use sparkjoy_eval::FailedTask;
use sparkjoy_spec::{Job as TrainingJob, Outcome};
use sparkjoy_study::{Branch, Plan};
use sparkjoy_train::{ModelFolder, tidy};

use crate::contamination::{self, Record, check, is_of_these_files};
use crate::engines::{Before, engine, refuse_other_engine};
use crate::error::JobError;
use crate::folders::{branch_folder, study_folder, trunk_folder};
use crate::graph::{CONTAMINATION, Job, JobState, checkpoint, jobs};
use crate::heartbeat::HeartbeatWriter;
use crate::inputs::Inputs;
use crate::keyed::keep;
use crate::models::language_model;
use crate::places::Places;
use crate::problem::{AGAIN, no_task_data, no_task_files, not_done};
use crate::refusal::refusal;
use crate::resources::Resources;
use crate::scorecards::{FiledScorecard, Point, ScorecardKey};
use crate::scores::{HeldOutKey, Scores};
use crate::tasks::{TaskRequest, check_tasks, score_tasks};
use crate::timing::{self, JobTime};
use crate::training_observer::TrainingObserver;
use crate::watcher::{Event, Watcher};

/// Runs what is missing: trunk to its branch points, branches, scores.
///
/// - `only`: one job by its name ([`job_states`] lists them), for executors that run each job as
///   a command of its own.
///
/// # Guarantees
///
/// Jobs that are done are not run again, jobs that were interrupted continue, folders that hold
/// something else than the plan expects are refused. Interrupted at any instant and run again, a
/// study ends in the same bytes of every weight and score, as far as what trains and scores
/// promises the same bits.
///
/// # Errors
///
/// [`JobError::Interrupted`] after saving, when it is told to stop. [`JobError::Problem`] for a
/// job that cannot begin or a result that is not the plan's; what goes wrong in training and
/// scoring.
///
/// [`job_states`]: crate::job_states
pub fn run(
    inputs: &Inputs<'_>,
    only: Option<&str>,
    places: &Places,
    resources: &Resources,
    watcher: &mut Watcher<'_>,
) -> Result<(), JobError> {
    let Inputs { study, plan, .. } = *inputs;
    inputs.check()?;
    let jobs = jobs(plan);
    let only = only.map(|name| known_job(plan, &jobs, name)).transpose()?;
    let only = only.as_deref();
    check_task_files(inputs, &jobs, only, places, resources)?;
    sweep_all(&jobs, plan, &places.runs);
    record(study.text(), plan, &places.runs)?;
    let heartbeats = HeartbeatWriter::new(plan, &places.runs);
    let stop = watcher.stop();
    let mut tell = |event: Event<'_>| {
        heartbeats.note(&event);
        watcher.tell(event);
    };
    let watcher = Watcher::new(stop, &mut tell);
    let mut executor = Executor { inputs: *inputs, plan, places, resources, watcher };
    for (index, job) in jobs.iter().enumerate() {
        let name = job.name(plan);
        if only.is_none_or(|only| only == name) {
            let done = executor.is_done(job)?;
            if !done && !matches!(job, Job::Contamination) {
                executor.refuse_contaminated(&name)?;
            }
            let state = job.state(plan, &places.runs)?;
            let from = if let JobState::Begun { step } = state { Some(step) } else { None };
            let event = Event::Job { name: &name, index: index + 1, of: jobs.len(), done, from };
            executor.watcher.tell(event);
            if done {
                tidy_run(job, plan, &places.runs)?;
            } else {
                let ended = executor.execute(job);
                heartbeats.ended(&ended);
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

/// Makes the result of a job again whose own files are gone.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn again(
    inputs: &Inputs<'_>,
    job: &Job<'_>,
    places: &Places,
    resources: &Resources,
    watcher: &mut Watcher<'_>,
) -> Result<(), JobError> {
    let stop = watcher.stop();
    let mut tell = |event: Event<'_>| watcher.tell(event);
    let watcher = Watcher::new(stop, &mut tell);
    let mut executor = Executor { inputs: *inputs, plan: inputs.plan, places, resources, watcher };
    executor.execute(job)
}

/// The name of a job by the name it has or had.
fn known_job(plan: &Plan, jobs: &[Job<'_>], name: &str) -> Result<String, Problem> {
    let is_it = |job: &&Job<'_>| job.names(plan).iter().any(|known| known == name);
    if let Some(job) = jobs.iter().find(is_it) {
        return Ok(job.name(plan));
    }
    if name == CONTAMINATION {
        return Err(nothing_to_check());
    }
    let known: Vec<String> = jobs.iter().map(|job| job.name(plan)).collect();
    Err(unknown_job(name, &known))
}

/// The check is asked for by a study that has no tasks.
fn nothing_to_check() -> Problem {
    let text = format!(
        "job `{CONTAMINATION}` looks for items of the study's tasks in its training text, and the \
         study has no tasks: there is nothing to look for"
    );
    Problem::new(text).with_hint("name some: `tasks = [\"…\"]` in `[evaluation]`")
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

/// Checks what [`run`] checks before its first step, for a study that is to be planned.
///
/// Returns what `run` would refuse of the task files: a plan needs none of them.
///
/// # Errors
///
/// As [`run`], of text and held-out text. Sources that are declared by size have none to check.
pub fn check_plan(
    inputs: &Inputs<'_>,
    places: &Places,
    resources: &Resources,
) -> Result<Option<JobError>, JobError> {
    if inputs.plan.sources.values().all(|source| !source.declared) {
        inputs.check()?;
    }
    Ok(check_task_files(inputs, &jobs(inputs.plan), None, places, resources).err())
}

/// Refuses task files that cannot be used before a month is spent on training.
fn check_task_files(
    inputs: &Inputs<'_>,
    jobs: &[Job<'_>],
    only: Option<&str>,
    places: &Places,
    resources: &Resources,
) -> Result<(), JobError> {
    let Inputs { plan, tokenizer, .. } = *inputs;
    let Some(tasks) = &plan.evaluation.tasks else { return Ok(()) };
    // A machine that only trains needs no task files.
    let wanted = jobs.iter().filter(|job| only.is_none_or(|only| only == job.name(plan)));
    for job in wanted.filter(|job| matches!(job, Job::Tasks(_))) {
        if job.state(plan, &places.runs)? != JobState::Done {
            let data = places.eval_data.as_ref().ok_or_else(no_task_data)?;
            let (tokenizer, context) = (tokenizer.clone().into(), plan.shape.context);
            let asked = (&tasks.selection, tasks.limit);
            return check_tasks(asked, &tokenizer, context, data, &resources.programs);
        }
    }
    Ok(())
}

/// Removes what killed processes left half-written.
fn sweep_all(jobs: &[Job<'_>], plan: &Plan, runs: &Path) {
    let study = study_folder(plan, runs);
    for folder in ["", "figures", "live", "timing"] {
        sweep(&study.join(folder));
    }
    for job in jobs {
        sweep(&job.folder(plan, runs));
    }
}

/// Removes what a killed process had not removed yet of a run that is done.
fn tidy_run(job: &Job<'_>, plan: &Plan, runs: &Path) -> Result<(), JobError> {
    let (spec, keep) = match job {
        Job::Trunk { trunk, .. } => (&plan.trunks[*trunk].spec, plan.kept_steps(*trunk)),
        Job::Branch(branch) => (&branch.spec, vec![branch.spec.last_step()]),
        Job::Contamination | Job::Score(_) | Job::Tasks(_) => return Ok(()),
    };
    Ok(tidy(&job.folder(plan, runs), spec, &keep)?)
}

/// Keeps what was asked and how it was resolved beside the results.
fn record(study: &str, plan: &Plan, runs: &Path) -> Result<(), JobError> {
    let folder = study_folder(plan, runs);
    let json = serde_json::to_vec_pretty(plan).expect("plain data has a JSON form");
    write_atomic(&folder.join("study.toml"), study.as_bytes())?;
    Ok(write_atomic(&folder.join("plan.json"), &json)?)
}

/// A plan with all that its jobs need.
struct Executor<'a, 'w> {
    inputs: Inputs<'a>,
    plan: &'a Plan,
    places: &'a Places,
    resources: &'a Resources,
    watcher: Watcher<'w>,
}

impl<'a> Executor<'a, '_> {
    /// Whether there is nothing left to do for a job.
    fn is_done(&self, job: &Job<'_>) -> Result<bool, JobError> {
        let (plan, places) = (self.plan, self.places);
        if job.state(plan, &places.runs)? != JobState::Done {
            return Ok(false);
        }
        // A task file that has changed holds other items. A machine that only trains has none.
        match (job, &places.eval_data, Record::read(plan, &places.runs)?) {
            (Job::Contamination, Some(data), Some(record)) => {
                is_of_these_files(&record, plan, data)
            }
            _ => Ok(true),
        }
    }

    /// Refuses to go on where items of tasks stand in training text that the study does not name,
    /// or where nobody knows.
    fn refuse_contaminated(&self, job: &str) -> Result<(), JobError> {
        let Some(checked) = contamination::checked(self.plan, &self.places.runs)? else {
            return Ok(());
        };
        if !checked.unknown.is_empty() {
            return Err(not_done(job, CONTAMINATION).into());
        }
        if checked.is_refused() {
            return Err(refusal(&checked).into());
        }
        Ok(())
    }

    /// Says what the check has found.
    fn tell_contamination(&mut self) -> Result<(), JobError> {
        if let Some(checked) = contamination::checked(self.plan, &self.places.runs)? {
            self.watcher.tell(Event::Checked(&checked));
        }
        Ok(())
    }

    /// Runs one job that is not done, and notes how long it took.
    fn execute(&mut self, job: &Job<'a>) -> Result<(), JobError> {
        if self.watcher.wants_stop() {
            return Err(JobError::Interrupted);
        }
        for needs in job.needs(self.plan) {
            if needs.state(self.plan, &self.places.runs)? != JobState::Done {
                return Err(not_done(&job.name(self.plan), &needs.name(self.plan)).into());
            }
        }
        let begin = Instant::now();
        let before = job.steps_left(job.state(self.plan, &self.places.runs)?);
        let result = match *job {
            Job::Trunk { trunk, to, .. } => self.train_trunk(job, trunk, to),
            Job::Branch(branch) => self.train_branch(job, branch),
            Job::Score(branch) => self.score(branch),
            Job::Tasks(point) => self.score_tasks(job, point),
            Job::Contamination => {
                check(&self.inputs, self.places, self.resources.threads, &mut self.watcher)
            }
        };
        if matches!(result, Ok(()) | Err(JobError::Interrupted)) {
            let after = job.steps_left(job.state(self.plan, &self.places.runs)?);
            let spent = JobTime { seconds: begin.elapsed().as_secs_f64(), steps: before - after };
            timing::add(self.plan, &self.places.runs, &job.names(self.plan), spent);
        }
        result
    }

    fn train_trunk(&mut self, job: &Job<'a>, trunk: usize, to: u64) -> Result<(), JobError> {
        let spec = &self.plan.trunks[trunk].spec;
        let folder = trunk_folder(spec, &self.places.runs);
        let training = TrainingJob {
            spec,
            folder: &folder,
            start_from: self.inputs.study.trunk_folder(),
            target: to,
            keep: &self.plan.kept_steps(trunk),
        };
        self.train(job, training, None)
    }

    fn train_branch(&mut self, job: &Job<'a>, branch: &'a Branch) -> Result<(), JobError> {
        let runs = &self.places.runs;
        let folder = branch_folder(branch, runs);
        let parent = match branch.after {
            Some(after) => branch_folder(&self.plan.branches[after], runs),
            None => trunk_folder(self.plan.trunk_of(branch), runs),
        };
        let start = checkpoint(&parent, branch.from_step)?;
        let before =
            refuse_other_engine(self.plan, branch, start.as_ref(), self.places, self.resources)?;
        let training = TrainingJob {
            spec: &branch.spec,
            folder: &folder,
            start_from: start.as_ref().map(|checkpoint| checkpoint.folder.as_path()),
            target: branch.spec.last_step(),
            keep: &[],
        };
        self.train(job, training, before.as_ref())
    }

    /// Trains until the target, saving now and then, or until told to stop.
    fn train(
        &mut self,
        job: &Job<'a>,
        training: TrainingJob<'_>,
        before: Option<&Before>,
    ) -> Result<(), JobError> {
        let steps_after =
            self.steps_left()? - job.steps_left(job.state(self.plan, &self.places.runs)?);
        let mut observer = TrainingObserver::new(
            &mut self.watcher,
            training.folder,
            training.target,
            steps_after,
            self.plan.tokens_per_step().0,
            self.resources.save_every,
        );
        match engine(&self.inputs, self.resources, before).run(training, &mut observer)? {
            Outcome::Done => {
                if let Some(last) = checkpoint(training.folder, training.target)? {
                    self.watcher.tell(Event::Saved(&last.folder));
                }
                Ok(())
            }
            Outcome::Stopped { step } => {
                // What is saved may be older than the last step: an engine can end without a save.
                self.watcher.tell(Event::Stopped { name: &job.name(self.plan), step });
                Err(JobError::Interrupted)
            }
        }
    }

    /// Steps of training all jobs still take.
    fn steps_left(&self) -> Result<u64, JobError> {
        let left = |job: &Job<'_>| Ok(job.steps_left(job.state(self.plan, &self.places.runs)?));
        jobs(self.plan).iter().filter(|job| job.trains()).map(left).sum()
    }

    /// Scores a model on the plan's tasks. Only a scorecard without failures is kept as done.
    fn score_tasks(&mut self, job: &Job<'a>, point: Point<'_>) -> Result<(), JobError> {
        let plan = self.plan;
        let tasks = plan.evaluation.tasks.as_ref().expect("the job is there for its tasks");
        let data = self.places.eval_data.as_ref().ok_or_else(no_task_data)?;
        let folder = point.folder(plan, &self.places.runs);
        let found = checkpoint(&folder, point.step())?;
        let found = match (found, point) {
            (Some(found), _) => found,
            // A step that was not asked for when the trunk passed it.
            (None, Point::Trunk(step)) => {
                self.train_trunk(job, 0, step)?;
                checkpoint(&folder, step)?
                    .ok_or_else(|| not_done(&job.name(plan), &point.name()))?
            }
            (None, Point::Branch(branch)) => {
                return Err(not_done(&job.name(plan), &branch.name).into());
            }
        };
        let model = ModelFolder::open(&found.folder)?;
        let request = TaskRequest {
            name: &point.name(),
            model: &model,
            selection: &tasks.selection,
            data,
            context: plan.shape.context,
            limit: tasks.limit,
            baselines: tasks.baselines,
            seed: plan.seed,
            folder: &folder.join("tasks"),
        };
        let (scorecard, _) = score_tasks(&request, self.resources, &mut self.watcher)?;
        if !scorecard.failed.is_empty() {
            return Err(tasks_failed(&point.name(), &scorecard.failed).into());
        }
        if scorecard.tasks.is_empty() {
            return Err(no_task_files(data).into());
        }
        let of = ScorecardKey::new(plan, point).expect("there are tasks to score");
        keep(&folder, &FiledScorecard { of, scorecard })
    }

    /// Scores the end of a branch on the held-out text of every source of the plan, whether its
    /// mixture names the source or not: a removed source is what a removal asks about.
    fn score(&mut self, branch: &Branch) -> Result<(), JobError> {
        let (plan, context) = (self.plan, self.plan.shape.context);
        let folder = branch_folder(branch, &self.places.runs);
        let checkpoint = checkpoint(&folder, branch.spec.last_step())?
            .ok_or_else(|| not_done(&format!("{}-score", branch.name), &branch.name))?;
        let model = ModelFolder::open(&checkpoint.folder)?;
        let stop = self.watcher.stop();
        let mut model = language_model(&model, plan.batch as usize, self.resources, stop)?;
        self.watcher.tell(Event::Scoring(&branch.name));
        let mut held_out = Vec::new();
        for name in plan.sources.keys() {
            held_out.extend(sparkjoy_eval::held_out(
                &mut *model,
                std::slice::from_ref(self.inputs.corpus(name)),
                self.inputs.tokenizer,
                context,
                plan.seed,
                plan.evaluation.held_out,
                stop,
            )?);
        }
        let info = model.info();
        let kernel = (!info.promise.is_same_bits()).then(|| info.kernel.clone());
        keep(&folder, &Scores { of: HeldOutKey::new(plan, branch), held_out, kernel })
    }
}

/// Some tasks of a model could not be scored; the others are.
fn tasks_failed(model: &str, failed: &[FailedTask]) -> Problem {
    let (tasks, list) = (failed.len(), FailedTask::list(failed));
    let hint = failed.first().and_then(|failed| failed.hint.as_ref());
    let hint = hint.map_or(String::new(), |hint| format!("{hint}; "));
    Problem::new(format!("{tasks} of the tasks of `{model}` could not be scored:{list}"))
        .with_hint(format!("{hint}then {AGAIN}: what is answered is kept"))
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
    fn tasks_that_failed_are_listed_with_what_to_do_about_the_first() {
        let failed = |task: &str, why: &str, hint: Option<&str>| FailedTask {
            task: task.to_owned(),
            why: why.to_owned(),
            hint: hint.map(str::to_owned),
        };
        let failed = [
            failed("humaneval", "no sandbox", Some("install bubblewrap")),
            failed("piqa", "no space", None),
        ];
        let problems = [&failed[..], &failed[1..]].map(|failed| tasks_failed("trunk-4", failed));
        let texts = problems.map(|problem| shown(Err(problem))).join("\n\n");
        insta::assert_snapshot!(texts, @"
        2 of the tasks of `trunk-4` could not be scored:
          humaneval: no sandbox
          piqa: no space
        hint: install bubblewrap; then run the same command again: what is answered is kept

        1 of the tasks of `trunk-4` could not be scored:
          piqa: no space
        hint: then run the same command again: what is answered is kept
        ");
    }
}

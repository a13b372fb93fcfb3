//! Tasks on models: what is done, what is missing, and the results on disk.
//!
//! Every item's result is on disk as soon as it is there, so that an interrupted evaluation goes on
//! where it stopped, and two models can be compared item by item. Scores are computed from the
//! results each time; nothing else is kept of them.

mod answered;
mod records;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{FileError, Fingerprint, Hint, Seed, metadata};
use sparkjoy_data::ModelTokenizer;
use sparkjoy_eval::{
    BaselineVersion, Dataset, EvalError, FailedTask, Item, ItemResult, LanguageModel, MissingTask,
    Sandbox, Scorecard, Selection, Session, Task, TaskKind, TaskScore, TokenizedModel, answer,
    average, items, score,
};
use sparkjoy_train::ModelFolder;

use crate::error::JobError;
use crate::models::language_model;
use crate::problem::no_task_files;
use crate::resources::{Programs, Resources};
use crate::watcher::{Event, Watcher};
pub use answered::{AnsweredItem, answered_items};
use records::{Writer, is_unsealed, read_records, read_records_of};
pub use work::TaskWork;

/// Which tasks to score a model on, and where the results go.
#[derive(Clone, Copy, Debug)]
pub struct TaskRequest<'a> {
    /// What the model is called in messages.
    pub name: &'a str,
    /// The model.
    pub model: &'a ModelFolder,
    /// The tasks.
    pub selection: &'a Selection,
    /// Folder of their files.
    pub data: &'a Path,
    /// Tokens the model may read at once; prompts that are longer lose their beginning.
    pub context: usize,
    /// Items of each task at most, spread evenly over its rows; without it, all.
    pub limit: Option<u64>,
    /// Which baselines are subtracted.
    pub baselines: BaselineVersion,
    /// Draws the tokens of sampled texts.
    pub seed: Seed,
    /// Folder of results.
    pub folder: &'a Path,
}

/// Everything that determines the result of an item. Its fingerprint is in the file's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultsKey {
    model: Fingerprint,
    tokenizer: Fingerprint,
    context: usize,
    seed: Seed,
    task: Task,
    rows: Fingerprint,
    /// Rows of another file that are shown as examples.
    examples: Option<Fingerprint>,
}

impl ResultsKey {
    /// Whether a score may come from results of this.
    fn is_of(&self, scorecard: &Scorecard, score: &TaskScore, seed: Seed) -> bool {
        (self.model, self.tokenizer, self.rows)
            == (scorecard.model, scorecard.tokenizer, score.fingerprint)
            && (self.context, self.seed) == (scorecard.context, seed)
            && (self.task.name == score.task && self.task.few_shot.shots == score.shots)
    }

    fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}-{}.jsonl", self.task.name, Fingerprint::of_value(self)))
    }
}

/// Scores a model on tasks: asks for what is missing, then computes the scores of all.
///
/// A task that cannot be scored takes nothing away from the others: it is on the scorecard with
/// its reason.
///
/// # Errors
///
/// [`JobError::Interrupted`] when it is told to stop: what is answered is kept. A model that
/// cannot be read, results that cannot be written or are not what their name says.
pub fn score_tasks(
    request: &TaskRequest<'_>,
    resources: &Resources,
    watcher: &mut Watcher<'_>,
) -> Result<(Scorecard, Vec<TaskWork>), JobError> {
    let tokenizer = request.model.tokenizer()?;
    let mut scorer = Scorer {
        request,
        resources,
        model: request.model.fingerprint()?,
        tokenizer,
        language_model: None,
        sandbox: None,
        kernels: BTreeSet::new(),
        stop: watcher.stop(),
    };
    let mut scorecard = Scorecard {
        model: scorer.model,
        tokenizer: scorer.tokenizer.fingerprint(),
        context: request.context,
        baselines: request.baselines,
        limit: request.limit,
        kernels: BTreeSet::new(),
        tasks: Vec::new(),
        missing: Vec::new(),
        failed: Vec::new(),
        suites: Vec::new(),
    };
    let mut work = Vec::new();
    let tasks = &request.selection.tasks;
    for (index, task) in tasks.iter().enumerate() {
        let event = Event::Task {
            model: request.name,
            task: &task.name,
            index: index + 1,
            of: tasks.len(),
        };
        watcher.tell(event);
        match scorer.task(task, watcher) {
            Ok((score, did)) => {
                scorecard.tasks.push(score);
                work.push(did);
            }
            // A model that cannot be read, or whose worker is dead, answers no other task either.
            Err(error @ JobError::Eval(EvalError::Model(_))) => return Err(error),
            Err(JobError::Eval(EvalError::NoTaskFile { tried, .. })) => {
                scorecard.missing.push(MissingTask { task: task.name.clone(), tried });
            }
            Err(JobError::Eval(error)) => {
                let (why, hint) = (error.to_string(), error.hint());
                scorecard.failed.push(FailedTask { task: task.name.clone(), why, hint });
            }
            Err(error) => return Err(error),
        }
    }
    scorecard.kernels = scorer.kernels;
    let suites = request.selection.suites.iter();
    scorecard.suites = suites.map(|suite| average(suite, &scorecard.tasks)).collect();
    Ok((scorecard, work))
}

/// Looks at everything a selection needs before a model is there to be asked: rows, their prompts
/// within `context` tokens, and a sandbox where programs are to be run.
///
/// # Errors
///
/// No task with its file; what is wrong with the rows of one that has.
pub(crate) fn check_tasks(
    (selection, limit): (&Selection, Option<u64>),
    tokenizer: &ModelTokenizer,
    context: usize,
    data: &Path,
    programs: &Programs,
) -> Result<(), JobError> {
    let mut found = 0;
    for task in &selection.tasks {
        match Dataset::open(task, data) {
            Ok(rows) => {
                let asked = spread(rows.rows.len(), limit);
                items(task, &rows, tokenizer, context, Some(&asked))?;
                found += 1;
            }
            Err(EvalError::NoTaskFile { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        if matches!(task.kind, TaskKind::Code(_)) {
            programs.sandbox().map_err(EvalError::from)?;
        }
    }
    if found == 0 {
        return Err(no_task_files(data).into());
    }
    Ok(())
}

/// A model and what has been made ready to ask it.
struct Scorer<'a> {
    request: &'a TaskRequest<'a>,
    resources: &'a Resources,
    model: Fingerprint,
    tokenizer: ModelTokenizer,
    /// Loaded when the first item is missing.
    language_model: Option<Box<dyn LanguageModel + 'a>>,
    /// Made when the first program is to be run.
    sandbox: Option<Sandbox>,
    kernels: BTreeSet<String>,
    /// Set to wait for no answer any longer.
    stop: &'a AtomicBool,
}

impl Scorer<'_> {
    fn task(
        &mut self,
        task: &Task,
        watcher: &mut Watcher<'_>,
    ) -> Result<(TaskScore, TaskWork), JobError> {
        let request = self.request;
        let rows = Dataset::open(task, request.data)?;
        let asked = spread(rows.rows.len(), request.limit);
        let all = items(task, &rows, &self.tokenizer, request.context, Some(&asked))?;
        let chosen: Vec<usize> = (0..all.len()).collect();
        let asked = ResultsKey {
            model: self.model,
            tokenizer: self.tokenizer.fingerprint(),
            context: request.context,
            seed: request.seed,
            task: task.clone(),
            rows: rows.fingerprint,
            examples: rows.examples.as_ref().map(|examples| examples.fingerprint),
        };
        let path = asked.file(request.folder);
        let found = read_records(&path, &asked, |result: &ItemResult| result.index)?;
        let known = |i: &&usize| {
            let index = all[**i].index;
            found.as_ref().is_some_and(|found| found.results.contains_key(&index))
        };
        let wanted: Vec<usize> = chosen.iter().filter(|i| !known(i)).copied().collect();
        let mut work = TaskWork::new(&task.name, wanted.len());
        let mut new = BTreeMap::new();
        if !wanted.is_empty() {
            self.make_ready(task, watcher)?;
            self.kernels.insert(self.kernel().to_owned());
            let writer = Writer::open(&path, &asked, found.as_ref(), self.kernel())?;
            let session = (&rows, &all[..], &wanted[..]);
            new = self.ask(task, session, (writer, chosen.len()), &mut work, watcher)?;
        }
        let mut results: BTreeMap<usize, ItemResult> = BTreeMap::new();
        if let Some(found) = found {
            self.kernels.extend(found.kernels);
            results = found.results;
        }
        results.append(&mut new);
        let of = |i: &usize| results.remove(&all[*i].index);
        let results: Vec<ItemResult> = chosen.iter().filter_map(of).collect();
        Ok((score(task, &rows, &results, request.baselines), work))
    }

    /// Asks for the wanted items and writes their results down as they come.
    fn ask(
        &mut self,
        task: &Task,
        (rows, items, wanted): (&Dataset, &[Item], &[usize]),
        (mut writer, of): (Writer, usize),
        work: &mut TaskWork,
        watcher: &mut Watcher<'_>,
    ) -> Result<BTreeMap<usize, ItemResult>, JobError> {
        let Self { request, resources, language_model, sandbox, tokenizer, .. } = self;
        let model = language_model.as_mut().expect("made ready before it is asked");
        let session = Session {
            task,
            rows,
            items,
            seed: request.seed,
            sandbox: sandbox.as_ref(),
            threads: resources.threads,
            stop: watcher.stop(),
        };
        let (begin, before) = (Instant::now(), model.computed());
        let mut new = BTreeMap::new();
        let mut done = of - wanted.len();
        let mut tokenized = TokenizedModel { model: &mut **model, tokenizer };
        let all = answer(&mut tokenized, &session, wanted, |results: Vec<ItemResult>| {
            writer.add(&results)?;
            done += results.len();
            watcher.tell(Event::Items { done, of });
            new.extend(results.into_iter().map(|result| (result.index, result)));
            Ok::<_, JobError>(())
        });
        writer.sync()?;
        let all = all?;
        work.count(model.computed(), before, request.context, begin.elapsed());
        if all { Ok(new) } else { Err(JobError::Interrupted) }
    }

    /// Loads the model, and finds the sandbox where programs are to be run.
    fn make_ready(&mut self, task: &Task, watcher: &Watcher<'_>) -> Result<(), JobError> {
        if watcher.wants_stop() {
            return Err(JobError::Interrupted);
        }
        if matches!(task.kind, TaskKind::Code(_)) && self.sandbox.is_none() {
            self.sandbox = Some(self.resources.programs.sandbox().map_err(EvalError::from)?);
        }
        if self.language_model.is_none() {
            let model = language_model(self.request.model, 1, self.resources, self.stop);
            self.language_model = Some(model?);
        }
        Ok(())
    }

    fn kernel(&self) -> &str {
        self.language_model.as_ref().map_or("", |model| &model.info().kernel)
    }
}

/// The results behind a score, in the order of rows; none where some are not there.
///
/// - `folder`: where [`TaskRequest::folder`] pointed to.
///
/// # Errors
///
/// If a file cannot be read or is damaged.
pub(crate) fn item_results(
    folder: &Path,
    scorecard: &Scorecard,
    score: &TaskScore,
    seed: Seed,
) -> Result<Option<Vec<ItemResult>>, JobError> {
    for path in item_files(folder, &score.task)? {
        let is_of = |asked: &ResultsKey| asked.is_of(scorecard, score, seed);
        let Some(mut found) = read_records_of(&path, is_of, |r: &ItemResult| r.index)? else {
            continue;
        };
        let chosen = spread(score.rows_in_file, scorecard.limit);
        let results: Option<Vec<ItemResult>> =
            chosen.iter().map(|index| found.results.remove(index)).collect();
        return Ok(results.filter(|results| results.len() == score.rows));
    }
    Ok(None)
}

/// Whether every result behind a scorecard is there: a scorecard alone is no evidence of them.
///
/// - `folder`: as for [`item_results`].
///
/// # Errors
///
/// As [`item_results`].
pub(crate) fn has_items(
    folder: &Path,
    scorecard: &Scorecard,
    seed: Seed,
) -> Result<bool, JobError> {
    for task in &scorecard.tasks {
        if item_results(folder, scorecard, task, seed)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The files of results in a folder that an earlier version wrote without seals, sorted.
///
/// - `folder`: as for [`item_results`].
///
/// # Errors
///
/// If one cannot be read.
pub(crate) fn unsealed_items(folder: &Path) -> Result<Vec<PathBuf>, JobError> {
    let mut unsealed = Vec::new();
    for path in item_files(folder, "")? {
        if is_unsealed(&path)? {
            unsealed.push(path);
        }
    }
    Ok(unsealed)
}

/// The files that may hold results of a task, sorted.
fn item_files(folder: &Path, task: &str) -> Result<Vec<PathBuf>, JobError> {
    if metadata(folder)?.is_none() {
        return Ok(Vec::new());
    }
    let at = FileError::at("read folder", folder);
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let begin = if task.is_empty() { String::new() } else { format!("{task}-") };
    let is_of_task = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&begin) && path.extension().is_some_and(|extension| extension == "jsonl")
    };
    let paths = entries.map_err(at)?.into_iter().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.filter(is_of_task).collect();
    paths.sort();
    Ok(paths)
}

/// `limit` of `n` items, or all, evenly spread.
pub(crate) fn spread(n: usize, limit: Option<u64>) -> Vec<usize> {
    let count = limit.map_or(n, |limit| n.min(usize::try_from(limit).unwrap_or(n)));
    (0..count).map(|i| (i as u128 * n as u128 / count as u128) as usize).collect()
}

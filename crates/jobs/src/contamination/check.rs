//! Looks for all items in all training text.

use std::collections::BTreeMap;
use std::path::Path;

use sparkjoy_data::{Corpus, Part};
use sparkjoy_eval::{Dataset, EvalError, Found, ItemTexts, OverlapIndex, Search, Task, item_texts};

use super::{ItemsKey, Record, SourceRecord};
use crate::error::JobError;
use crate::inputs::Inputs;
use crate::places::Places;
use crate::problem::{no_task_data, no_task_files};
use crate::tasks::spread;
use crate::training_text::{Reader, walk};
use crate::watcher::Watcher;
use sparkjoy_answers::CheckedTask;
use sparkjoy_answers::FoundItem;
use sparkjoy_study::Plan;

/// The items of all tasks whose file is there.
struct Items {
    tasks: Vec<CheckedTask>,
    /// Task, by its place in `tasks`, and line of each item.
    places: Vec<(usize, usize)>,
    index: OverlapIndex,
}

/// Looks for the items in every source that some run reads, and keeps what it finds.
///
/// # Guarantees
///
/// The same record for any number of threads, however often it was interrupted. A source that is on
/// record for the same items is not read again.
///
/// # Errors
///
/// [`JobError::Interrupted`] when it is told to stop: sources read to their end are kept.
/// No task with its file; what is wrong with rows or shards.
pub(crate) fn check(
    inputs: &Inputs<'_>,
    places: &Places,
    threads: usize,
    watcher: &mut Watcher<'_>,
) -> Result<(), JobError> {
    let Inputs { plan, tokenizer, .. } = *inputs;
    let data = places.eval_data.as_ref().ok_or_else(no_task_data)?;
    let items = Items::read(plan, data)?;
    let asked = ItemsKey::new(plan).expect("the job is there for its tasks");
    let known = Record::read(plan, &places.runs)?.filter(|known| known.tasks == items.tasks);
    let sources = BTreeMap::new();
    let mut record = known.unwrap_or(Record { asked, tasks: items.tasks.clone(), sources });
    record.sources.retain(|name, _| plan.sources.contains_key(name));
    for name in plan.sources_read() {
        if record.of(plan, name).is_some() {
            continue;
        }
        let corpus = inputs.corpus(name);
        let mut found = Found::default();
        let search = || Search::new(&items.index);
        let told = ("items of tasks", &mut *watcher);
        walk(corpus, tokenizer, threads, told, search, |more| found.append(more))?;
        record.sources.insert(name.clone(), items.record(corpus, &found));
        record.write(plan, &places.runs)?;
    }
    Ok(())
}

/// Whether the task files at hand are those of a record. A task whose file is not there is taken to
/// be as it was.
pub(crate) fn is_of_these_files(
    record: &Record,
    plan: &Plan,
    data: &Path,
) -> Result<bool, JobError> {
    let same = |(task, rows): (&Task, Dataset)| {
        let is_it = |known: &CheckedTask| {
            (&known.task, &known.file, known.rows) == (&task.name, &rows.file, rows.fingerprint)
        };
        record.tasks.iter().any(is_it)
    };
    Ok(datasets(plan, data)?.into_iter().all(same))
}

/// The rows of each task that has its file.
fn datasets<'a>(plan: &'a Plan, data: &Path) -> Result<Vec<(&'a Task, Dataset)>, JobError> {
    let tasks = plan.evaluation.tasks.iter().flat_map(|tasks| &tasks.selection.tasks);
    let mut found = Vec::new();
    for task in tasks {
        match Dataset::open(task, data) {
            Ok(rows) => found.push((task, rows)),
            Err(EvalError::NoTaskFile { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

impl Items {
    fn read(plan: &Plan, data: &Path) -> Result<Self, JobError> {
        let limit = plan.evaluation.tasks.as_ref().and_then(|tasks| tasks.limit);
        let (mut tasks, mut places, mut texts) = (Vec::new(), Vec::new(), Vec::<ItemTexts>::new());
        for (number, (task, rows)) in datasets(plan, data)?.into_iter().enumerate() {
            // The same items that models are asked.
            let chosen = spread(rows.rows.len(), limit);
            let of_task = item_texts(&rows);
            for &row in &chosen {
                places.push((number, rows.rows[row].line));
                texts.push(of_task[row].clone());
            }
            let (task, items) = (task.name.clone(), chosen.len());
            let (file, rows) = (rows.file, rows.fingerprint);
            tasks.push(CheckedTask { task, file, rows, items, too_short: 0 });
        }
        if tasks.is_empty() {
            return Err(no_task_files(data).into());
        }
        let index = OverlapIndex::new(&texts);
        for &item in index.too_short() {
            tasks[places[item].0].too_short += 1;
        }
        Ok(Self { tasks, places, index })
    }

    fn record(&self, corpus: &Corpus, found: &Found) -> SourceRecord {
        let item = |overlap: sparkjoy_eval::Overlap| {
            let (task, line) = self.places[overlap.item];
            FoundItem {
                task: self.tasks[task].task.clone(),
                line,
                covered: overlap.covered,
                words: overlap.words,
                beginning: overlap.beginning,
                documents: overlap.documents,
                first: overlap.first.iter().map(|document| document + 1).collect(),
            }
        };
        SourceRecord {
            text: corpus.fingerprint(Part::Train),
            documents: found.documents(),
            text_bytes: corpus.text_bytes(Part::Train),
            items: found.overlaps(&self.index).into_iter().map(item).collect(),
        }
    }
}

impl Reader for Search<'_> {
    type Found = Found;

    fn read(&mut self, piece: &str) {
        Search::read(self, piece);
    }

    fn end_document(&mut self) {
        Search::end_document(self);
    }

    fn take(&mut self) -> Found {
        Search::take(self)
    }
}

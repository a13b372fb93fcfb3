//! One item again: what the model was asked and what it answered.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sparkjoy_base::{Fingerprint, Problem, apart};
use sparkjoy_eval::{AskedTexts, Dataset, ItemResult, asked_texts};

use super::records::read_records_of;
use super::{ResultsKey, item_files};
use crate::error::JobError;

/// An item that a model has answered.
#[derive(Debug, Serialize)]
pub struct AnsweredItem {
    /// The task.
    pub task: String,
    /// The line of its row in the task's file, from 1.
    pub line: usize,
    /// Examples before it.
    pub shots: usize,
    /// The rule by which it counts as right.
    pub rule: &'static str,
    /// Tokens the model may read at once.
    pub context: usize,
    /// The file that holds the result.
    pub file: PathBuf,
    /// What was asked.
    pub asked: AskedTexts,
    /// What was answered.
    pub result: ItemResult,
}

/// The results of an item, one for each way in which the folder's model was asked it.
///
/// - `folder`: of an evaluation, or of a run that is scored on tasks.
/// - `line`: of its row in the task's file, from 1.
/// - `data`: folder of task files.
///
/// # Errors
///
/// No result of the task or of the item; task files that are not there or are others than those the
/// model was asked from; results that are damaged.
pub fn answered_items(
    folder: &Path,
    task: &str,
    line: usize,
    data: &Path,
) -> Result<Vec<AnsweredItem>, JobError> {
    let of_run = folder.join("tasks");
    let folder = if of_run.is_dir() { &of_run } else { folder };
    let (mut items, mut answered) = (Vec::new(), 0);
    for file in item_files(folder, task)? {
        let key = RefCell::new(None);
        let is_of_task = |asked: &ResultsKey| {
            let it = asked.task.name == task;
            if it {
                key.replace(Some(asked.clone()));
            }
            it
        };
        let found = read_records_of(&file, is_of_task, |result: &ItemResult| result.index)?;
        let (Some(mut found), Some(key)) = (found, key.take()) else { continue };
        let rows = Dataset::open(&key.task, data)?;
        let examples = rows.examples.as_ref().map(|examples| examples.fingerprint);
        if rows.fingerprint != key.rows {
            return Err(other_rows(&data.join(&rows.file), rows.fingerprint, key.rows).into());
        }
        if let (Some(found), Some(expected)) = (examples, key.examples)
            && found != expected
        {
            return Err(other_rows(data, found, expected).into());
        }
        answered += found.results.len();
        let index = rows.rows.iter().position(|row| row.line == line);
        let Some(result) = index.and_then(|index| found.results.remove(&index)) else { continue };
        let asked = asked_texts(&key.task, &rows, result.index)?;
        let (shots, rule, context) = (key.task.few_shot.shots, key.task.rule(), key.context);
        let task = task.to_owned();
        items.push(AnsweredItem { task, line, shots, rule, context, file, asked, result });
    }
    if items.is_empty() {
        return Err(no_item(folder, task, line, answered)?.into());
    }
    Ok(items)
}

/// Task files that have changed since.
fn other_rows(file: &Path, found: Fingerprint, expected: Fingerprint) -> Problem {
    let [found, expected] = apart(found, expected);
    let file = file.display();
    Problem::new(format!(
        "`{file}` is {found}, expected {expected}, the content that the model was asked from"
    ))
    .with_hint("name the folder of the task files that were used: `--eval-data DIR`")
}

/// Nothing to show. `answered`: items of the task that have a result.
fn no_item(folder: &Path, task: &str, line: usize, answered: usize) -> Result<Problem, JobError> {
    let shown = folder.display();
    if answered > 0 {
        let text = format!(
            "`{shown}` has results of {answered} items of `{task}`, and none of the row in line \
             {line}"
        );
        let hint = format!("give the line of a row in the file of `{task}` that was asked");
        return Ok(Problem::new(text).with_hint(hint));
    }
    let mut known: Vec<String> = item_files(folder, "")?
        .iter()
        .filter_map(|path| path.file_stem()?.to_str()?.rsplit_once('-'))
        .map(|(task, _)| format!("`{task}`"))
        .collect();
    known.dedup();
    let known = match known.as_slice() {
        [] => "results of no task at all".to_owned(),
        known => format!("results of {}", known.join(", ")),
    };
    Ok(Problem::new(format!("`{shown}` has no results of task `{task}`; it has {known}"))
        .with_hint("name the folder that `sparkjoy eval` wrote, or a run that is scored on tasks"))
}

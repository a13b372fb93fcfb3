//! The contamination check: whether questions of a study's tasks stand in its training text.
//!
//! A model that has read a question with its answer may remember what it should work out. So every
//! item that is scored is looked for in every source that some run reads, once, before anything is
//! trained; a source in which one stands is refused unless the study names it. How an item is
//! looked for is `sparkjoy_eval`'s business. The result is kept in the study's folder, source by
//! source.

mod check;
mod checked;
mod refusal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_answers::{CheckedTask, FoundItem};
use sparkjoy_base::{Fingerprint, SourceName, read, write_atomic};
use sparkjoy_eval::OVERLAP_VERSION;

use crate::problem::damaged;
use crate::{JobError, study_folder};
pub(crate) use check::{check, is_of_these_files};
pub use checked::checked;
pub use refusal::items_found;
pub(crate) use refusal::{refusal, to_name};
use sparkjoy_study::Plan;

/// What was found, as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    asked: Asked,
    /// The tasks whose files were there, in the order of the study.
    tasks: Vec<CheckedTask>,
    /// The sources read so far.
    sources: BTreeMap<SourceName, SourceRecord>,
}

/// Everything a study says that determines which items are looked for and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Of the measure.
    version: u32,
    /// Definitions of the tasks, and how many items of each.
    tasks: Fingerprint,
}

/// What was found in a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceRecord {
    /// Identity of its training tokens; holds the tokenizer.
    text: Fingerprint,
    /// Documents read.
    documents: u64,
    /// Bytes of UTF-8 text read.
    text_bytes: u64,
    /// Items that stand in it, in the order of tasks and lines.
    items: Vec<FoundItem>,
}

impl Asked {
    /// What the plan asks for; nothing where it asks for no tasks.
    fn new(plan: &Plan) -> Option<Self> {
        let tasks = plan.evaluation.tasks.as_ref()?;
        let tasks = Fingerprint::of_value(&(&tasks.selection.tasks, tasks.limit));
        Some(Self { version: OVERLAP_VERSION, tasks })
    }
}

impl Record {
    fn file(plan: &Plan, runs: &Path) -> PathBuf {
        study_folder(plan, runs).join("contamination.json")
    }

    /// The record of what the plan asks for; `None` if there is none, or one of something else.
    ///
    /// # Errors
    ///
    /// A record that cannot be read back.
    pub(crate) fn read(plan: &Plan, runs: &Path) -> Result<Option<Self>, JobError> {
        let path = Self::file(plan, runs);
        let Some(asked) = Asked::new(plan).filter(|_| path.exists()) else { return Ok(None) };
        match serde_json::from_slice::<Self>(&read(&path)?) {
            Ok(record) => Ok((record.asked == asked).then_some(record)),
            Err(why) => Err(damaged(&path, &why).into()),
        }
    }

    fn write(&self, plan: &Plan, runs: &Path) -> Result<(), JobError> {
        let json = serde_json::to_vec_pretty(self).expect("plain data has a JSON form");
        Ok(write_atomic(&Self::file(plan, runs), &json)?)
    }

    /// What was found in a source as it is planned with, if it was read.
    fn of(&self, plan: &Plan, name: &SourceName) -> Option<&SourceRecord> {
        let text = plan.sources[name].supply.fingerprint;
        self.sources.get(name).filter(|source| source.text == text)
    }

    /// Whether every source that some run reads was read.
    pub(crate) fn is_complete(&self, plan: &Plan) -> bool {
        plan.sources_read().into_iter().all(|name| self.of(plan, name).is_some())
    }
}

//! The contamination check: whether questions of a study's tasks stand in its training text.
//!
//! A model that has read a question with its answer may remember what it should work out. So every
//! item that is scored is looked for in every source that some run reads, once, before anything is
//! trained; a source in which one stands is refused unless the study names it. How an item is
//! looked for is `sparkjoy_eval`'s business. The result is kept in the study's folder, source by
//! source.

mod check;
mod checked;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sparkjoy_answers::{CheckedTask, FoundItem};
use sparkjoy_base::{Fingerprint, Problem, SourceName};
use sparkjoy_eval::OVERLAP_VERSION;
use sparkjoy_study::Plan;

use crate::error::JobError;
use crate::folders::study_folder;
use crate::keyed::{Keyed, find, keep};
pub(crate) use check::{check, is_of_these_files};
pub use checked::checked;

/// What was found, as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    asked: ItemsKey,
    /// The tasks whose files were there, in the order of the study.
    tasks: Vec<CheckedTask>,
    /// The sources read so far.
    sources: BTreeMap<SourceName, SourceRecord>,
}

/// Everything a study says that determines which items are looked for and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemsKey {
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
    documents: u64,
    /// Bytes of UTF-8 text read.
    text_bytes: u64,
    /// Items that stand in it, in the order of tasks and lines.
    items: Vec<FoundItem>,
}

impl ItemsKey {
    /// What the plan asks for; nothing where it asks for no tasks.
    fn new(plan: &Plan) -> Option<Self> {
        let tasks = plan.evaluation.tasks.as_ref()?;
        let tasks = Fingerprint::of_value(&(&tasks.selection.tasks, tasks.limit));
        Some(Self { version: OVERLAP_VERSION, tasks })
    }
}

impl Keyed for Record {
    type Key = ItemsKey;

    fn key(&self) -> &ItemsKey {
        &self.asked
    }

    fn file_name(_: &ItemsKey) -> String {
        Self::FILE.to_owned()
    }

    fn foreign(_: &Path, _: &ItemsKey, _: &ItemsKey) -> Option<Problem> {
        None
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("plain data has a JSON form")
    }
}

impl Record {
    /// The name of its file, in the folder of a study.
    pub(crate) const FILE: &'static str = "contamination.json";

    /// The record of what the plan asks for; `None` if there is none, or one of something else.
    ///
    /// # Errors
    ///
    /// A record that cannot be read back.
    pub(crate) fn read(plan: &Plan, runs: &Path) -> Result<Option<Self>, JobError> {
        match ItemsKey::new(plan) {
            Some(key) => find(&study_folder(plan, runs), &key),
            None => Ok(None),
        }
    }

    fn write(&self, plan: &Plan, runs: &Path) -> Result<(), JobError> {
        keep(&study_folder(plan, runs), self)
    }

    /// What was found in a source as it is planned with, if it was read.
    fn of(&self, plan: &Plan, name: &SourceName) -> Option<&SourceRecord> {
        let text = plan.sources[name].identity.fingerprint;
        self.sources.get(name).filter(|source| source.text == text)
    }

    /// Whether every source that some run reads was read.
    pub(crate) fn is_complete(&self, plan: &Plan) -> bool {
        plan.sources_read().into_iter().all(|name| self.of(plan, name).is_some())
    }
}

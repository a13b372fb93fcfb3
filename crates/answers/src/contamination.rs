//! What the contamination check found, as numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, SourceName};

/// Words an item must have to be looked for.
pub const LEAST_WORDS: usize = sparkjoy_eval::LEAST;

/// What is known about items of a study's tasks in its training text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Tasks whose items were looked for, in the order of the study.
    pub tasks: Vec<CheckedTask>,
    /// Sources that were read, by name.
    pub sources: BTreeMap<SourceName, CheckedSource>,
    /// Sources that some run reads and that were not looked at.
    pub unknown: Vec<SourceName>,
}

/// A source that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedSource {
    /// Whether the study names it as one that may be contaminated.
    pub allowed: bool,
    /// Documents read.
    pub documents: u64,
    /// Bytes of UTF-8 text read.
    pub text_bytes: u64,
    /// Items that stand in it, by task.
    pub contaminated: BTreeMap<String, usize>,
    /// The first of them.
    pub examples: Vec<FoundItem>,
}

/// A task whose items were looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckedTask {
    /// Its name.
    pub task: String,
    /// The file its items stand in, from the folder of task files.
    pub file: String,
    /// Identity of that file.
    pub rows: Fingerprint,
    /// Items looked for.
    pub items: usize,
    /// Those of them with too few words to tell.
    pub too_short: usize,
}

/// An item that stands in a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoundItem {
    /// Its task.
    pub task: String,
    /// Its line in the file of the task, from 1.
    pub line: usize,
    /// Words of it that stand in runs in the source.
    pub covered: usize,
    /// Words it has.
    pub words: usize,
    /// Its first words, as they are compared.
    pub beginning: String,
    /// Documents that hold enough of it by themselves.
    pub documents: u64,
    /// The first of them, from 1 in the order of the source; where there are none, those in which
    /// parts of it are first met.
    pub first: Vec<u64>,
}

impl Checked {
    /// Sources in which an item stands.
    pub fn contaminated(&self) -> impl Iterator<Item = (&SourceName, &CheckedSource)> {
        self.sources.iter().filter(|(_, source)| !source.contaminated.is_empty())
    }

    /// Whether a source is contaminated that the study does not name.
    pub fn is_refused(&self) -> bool {
        self.contaminated().any(|(_, source)| !source.allowed)
    }

    /// Items looked for.
    pub fn items(&self) -> usize {
        self.tasks.iter().map(|task| task.items).sum()
    }

    /// Items of a task that were looked for.
    pub fn items_of(&self, task: &str) -> usize {
        self.tasks.iter().find(|known| known.task == task).map_or(0, |known| known.items)
    }
}

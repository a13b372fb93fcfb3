//! What the check says about a study, in numbers and in sentences.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, SourceName, thousands};
use sparkjoy_eval::LEAST;

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

    /// The check in one sentence.
    pub fn summary(&self) -> String {
        if self.sources.is_empty() {
            return "contamination check: not done".to_owned();
        }
        let stained = self.contaminated().count();
        let found = match stained {
            0 => "clean".to_owned(),
            1 => "1 source is contaminated".to_owned(),
            n => format!("{n} sources are contaminated"),
        };
        let too_short: usize = self.tasks.iter().map(|task| task.too_short).sum();
        let too_short = match too_short {
            0 => String::new(),
            n => format!(
                "; {} of the items {} fewer than {LEAST} words, too few to tell",
                thousands(n as u64),
                if n == 1 { "has" } else { "have" }
            ),
        };
        format!(
            "contamination check: {} of {}, {}: {found}{too_short}",
            counted(self.items(), "item"),
            counted(self.tasks.len(), "task"),
            counted(self.sources.len(), "source"),
        )
    }

    /// What to be careful about: sources that are contaminated, and those nobody looked at.
    pub fn cautions(&self) -> Vec<String> {
        let stained = self.contaminated().map(|(name, source)| {
            let allowed = if source.allowed { "the study names it" } else { "it is not named" };
            format!(
                "CONTAMINATED: {} in the training text of source `{name}` ({allowed}): scores on \
                 these tasks may be remembered instead of earned, most of all where the source \
                 weighs more",
                self.stand(source)
            )
        });
        let mut cautions: Vec<String> = stained.collect();
        if !self.unknown.is_empty() {
            let names: Vec<&str> = self.unknown.iter().map(SourceName::as_str).collect();
            cautions.push(format!(
                "NOT CHECKED: whether items of the tasks stand in the training text of {} is not \
                 known: {}",
                counted(names.len(), "source"),
                names.join(", ")
            ));
        }
        cautions
    }

    /// What a plan says of it: what was found, or that it will be looked for.
    pub fn notes(&self) -> Vec<String> {
        if self.sources.is_empty() {
            return vec![format!(
                "before anything is trained, the items of the tasks are looked for in the training \
                 text of {}; one in which an item stands is refused, unless `contaminated` in \
                 `[evaluation]` names it",
                counted(self.unknown.len(), "source")
            )];
        }
        let mut notes = self.cautions();
        notes.push(self.summary());
        notes
    }

    /// `2 of 1,319 items of gsm8k, 1 of 2,376 items of arc_easy stand`.
    fn stand(&self, source: &CheckedSource) -> String {
        let parts = source.contaminated.iter().map(|(task, found)| {
            let items = self.items_of(task);
            let items_word = if items == 1 { "item" } else { "items" };
            format!(
                "{} of {} {items_word} of {task}",
                thousands(*found as u64),
                thousands(items as u64)
            )
        });
        let parts: Vec<String> = parts.collect();
        let found: usize = source.contaminated.values().sum();
        format!("{} {}", parts.join(", "), if found == 1 { "stands" } else { "stand" })
    }

    /// Items of a task that were looked for.
    pub fn items_of(&self, task: &str) -> usize {
        self.tasks.iter().find(|known| known.task == task).map_or(0, |known| known.items)
    }

    /// What stands where it may not, with examples.
    pub fn refusal(&self) -> String {
        let refused = self.contaminated().filter(|(_, source)| !source.allowed);
        let paragraphs = refused.map(|(name, source)| {
            let mut text =
                format!("{} in the training text of source `{name}`:", self.stand(source));
            for item in &source.examples {
                text.push_str("\n  ");
                text.push_str(&self.example(item));
            }
            let found: usize = source.contaminated.values().sum();
            if let more @ 1.. = found - source.examples.len() {
                let _ = write!(text, "\n  and {} more", thousands(more as u64));
            }
            text
        });
        paragraphs.collect::<Vec<_>>().join("\n")
    }

    /// The names of refused sources, as they are written in a study.
    pub fn to_name(&self) -> String {
        let named = self.contaminated().map(|(name, _)| format!("\"{name}\""));
        named.collect::<Vec<_>>().join(", ")
    }

    fn example(&self, item: &FoundItem) -> String {
        let known = self.tasks.iter().find(|known| known.task == item.task);
        let file = known.map_or("", |known| known.file.as_str());
        let documents: Vec<String> = item.first.iter().map(|&n| thousands(n)).collect();
        let (listed, all) = (documents.join(", "), item.documents.max(documents.len() as u64));
        let more = match all - documents.len() as u64 {
            0 => String::new(),
            more => format!(" and {} more", thousands(more)),
        };
        let word = if all == 1 { "document" } else { "documents" };
        format!(
            "`{file}` line {}, {} of its {} words in {word} {listed}{more}: \"{}\"",
            item.line, item.covered, item.words, item.beginning
        )
    }
}

/// `1 item`, `2,376 items`.
fn counted(n: usize, word: &str) -> String {
    format!("{} {word}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}

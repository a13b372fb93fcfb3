//! Scores of a branch on held-out text, on disk beside the run they score.
//!
//! A score enters a report only if it is of the run, the step, the held-out text and the budget
//! the plan names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, Seed, SourceName, Tokens};
use sparkjoy_eval::{HeldOutScore, MOST_NATS};
use sparkjoy_study::{Branch, Plan};

use crate::keyed::{Keyed, read_sealed};
use crate::problem::move_away;

/// More than the held-out text of any source, in bytes.
const MOST_BYTES: u128 = 1 << 50;

/// What was scored: everything that determines the numbers of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeldOutKey {
    /// The run whose checkpoint it is; holds model and tokenizer.
    run: Fingerprint,
    /// The checkpoint's step.
    step: u64,
    /// Chooses the held-out sequences.
    seed: Seed,
    /// Held-out tokens per source at most.
    budget: Tokens,
    /// Held-out text by source.
    held_out: BTreeMap<SourceName, Fingerprint>,
}

impl HeldOutKey {
    /// What the plan wants scored of a branch: its last step.
    pub(crate) fn new(plan: &Plan, branch: &Branch) -> Self {
        let held_out = plan.sources.iter().filter_map(|(name, source)| {
            source.held_out.map(|fingerprint| (name.clone(), fingerprint))
        });
        Self {
            run: branch.spec.fingerprint(),
            step: branch.spec.last_step(),
            seed: plan.seed,
            budget: plan.evaluation.held_out,
            held_out: held_out.collect(),
        }
    }

    /// Which held-out sequences are scored: all but the model.
    pub(crate) fn sample(&self) -> Fingerprint {
        Fingerprint::of_value(&(self.seed, self.budget, &self.held_out))
    }

    /// In words, for an error.
    fn describe(&self) -> String {
        format!(
            "step {} of run {} on {} held-out tokens of each of {} sources ({})",
            self.step,
            self.run,
            self.budget,
            self.held_out.len(),
            Fingerprint::of_value(self)
        )
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scores {
    pub(crate) of: HeldOutKey,
    /// Held-out loss by source, sorted by name.
    pub(crate) held_out: Vec<HeldOutScore>,
    /// What computed it, where that promises no more than close numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kernel: Option<String>,
}

impl Scores {
    /// The scores in a run's folder that are of the checkpoint of `key`, on whatever sample. Files
    /// that cannot be read back are passed over: `find` says so of the one that is asked for.
    pub(crate) fn of_checkpoint(folder: &Path, key: &HeldOutKey) -> Vec<Self> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let is_score = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("scores-") && name.ends_with(".json")
        };
        let read = |path: &PathBuf| Some(read_sealed::<Self>(path).ok()??.0);
        let scores = paths.iter().filter(is_score).filter_map(read);
        let is_it = |scores: &Self| scores.of.run == key.run && scores.of.step == key.step;
        scores.filter(|scores| is_it(scores) && scores.flaw().is_none()).collect()
    }
}

impl Keyed for Scores {
    type Key = HeldOutKey;

    fn key(&self) -> &HeldOutKey {
        &self.of
    }

    fn file_name(key: &HeldOutKey) -> String {
        format!("scores-{}.json", Fingerprint::of_value(key))
    }

    fn flaw(&self) -> Option<String> {
        let found = self.held_out.iter().map(|score| &score.source);
        if !found.eq(self.of.held_out.keys()) {
            return Some("it does not score each source of its study once".to_owned());
        }
        self.held_out.iter().find_map(flaw)
    }

    fn foreign(path: &Path, found: &HeldOutKey, asked: &HeldOutKey) -> Option<Problem> {
        Some(other_score(path, &found.describe(), &asked.describe()))
    }
}

/// What cannot be in the score of a source.
fn flaw(score: &HeldOutScore) -> Option<String> {
    let HeldOutScore { source, ordinals, nats, bytes, documents } = score;
    // Versions before 0.2 recorded no documents.
    let documents = if documents.is_empty() { ordinals.len() } else { documents.len() };
    if ordinals.is_empty() || [nats.len(), bytes.len(), documents] != [ordinals.len(); 3] {
        return Some(format!(
            "`{source}` has {} sequences, {} losses, {} lengths and {documents} documents",
            ordinals.len(),
            nats.len(),
            bytes.len()
        ));
    }
    if ordinals.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Some(format!("the sequences of `{source}` are not in ascending order"));
    }
    if let Some(nats) = nats.iter().find(|nats| !(0.0..=MOST_NATS).contains(*nats)) {
        return Some(format!("a sequence of `{source}` has a loss of {nats:e} nats"));
    }
    let text: u128 = bytes.iter().map(|&bytes| u128::from(bytes)).sum();
    (!(1..=MOST_BYTES).contains(&text))
        .then(|| format!("the sequences of `{source}` hold {text} bytes of text"))
}

/// A score file that holds the score of something else.
fn other_score(path: &Path, found: &str, expected: &str) -> Problem {
    Problem::new(format!("`{}` scores {found}, expected {expected}", path.display()))
        .with_hint(move_away(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sparkjoy_kit::shown;

    #[test]
    fn a_score_of_something_else_is_refused_with_its_place() {
        let path = Path::new("runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json");
        insta::assert_snapshot!(shown(Err(other_score(path, "step 3", "step 4"))), @"
        `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` scores step 3, expected step 4
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away: `sparkjoy run STUDY` makes it anew
        ");
    }

    #[test]
    fn a_score_that_cannot_be_is_found() {
        let good = HeldOutScore {
            source: SourceName::new("web").unwrap(),
            ordinals: vec![0, 3],
            nats: vec![1.0, 2.0],
            bytes: vec![4, 0],
            documents: vec![1, 1],
        };
        assert_eq!(flaw(&good), None);
        let but = |change: fn(&mut HeldOutScore)| {
            let mut score = good.clone();
            change(&mut score);
            flaw(&score).expect("a flaw")
        };
        let flaws = [
            but(|score| score.nats.truncate(1)),
            but(|score| score.documents.truncate(1)),
            but(|score| score.ordinals.swap(0, 1)),
            but(|score| score.nats[0] = -50.0),
            but(|score| score.nats[0] = 1e308),
            but(|score| score.bytes = vec![0, 0]),
            but(|score| score.bytes[0] = 1 << 63),
        ];
        insta::assert_snapshot!(flaws.join("\n"), @"
        `web` has 2 sequences, 1 losses, 2 lengths and 2 documents
        `web` has 2 sequences, 2 losses, 2 lengths and 1 documents
        the sequences of `web` are not in ascending order
        a sequence of `web` has a loss of -5e1 nats
        a sequence of `web` has a loss of 1e308 nats
        the sequences of `web` hold 0 bytes of text
        the sequences of `web` hold 9223372036854775808 bytes of text
        ");
    }
}

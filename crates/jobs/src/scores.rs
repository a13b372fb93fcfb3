//! Scores of a branch on held-out text, on disk beside the run they score.
//!
//! A score enters a report only if it is of the run, the step, the held-out text and the budget
//! the plan names.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, Seed, SourceName, Tokens};
use sparkjoy_eval::HeldOutScore;
use sparkjoy_study::{Branch, Plan};

use crate::keyed::Keyed;
use crate::problem::move_away;

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

/// A score file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scores {
    /// What was scored.
    pub(crate) of: HeldOutKey,
    /// Held-out loss by source, sorted by name.
    pub(crate) held_out: Vec<HeldOutScore>,
    /// What computed it, where that promises no more than close numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kernel: Option<String>,
}

impl Keyed for Scores {
    type Key = HeldOutKey;

    fn key(&self) -> &HeldOutKey {
        &self.of
    }

    fn file_name(key: &HeldOutKey) -> String {
        format!("scores-{}.json", Fingerprint::of_value(key))
    }

    fn foreign(path: &Path, found: &HeldOutKey, asked: &HeldOutKey) -> Option<Problem> {
        Some(other_score(path, &found.describe(), &asked.describe()))
    }
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
        hint: move `runs/base-10pct-r0-77c1d2e0/scores-5b7719aa.json` away and run the same command again: it is made anew
        ");
    }
}

//! Scores of a branch on disk, each beside the run it scores.
//!
//! A score enters a report only if it is of the run, the step, the held-out text and the budget
//! the plan names. That a job once ended is no evidence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{Fingerprint, Problem, Seed, SourceName, Tokens, read, write_atomic};
use sparkjoy_eval::HeldOutScore;

use crate::JobError;
use crate::problem::{damaged, move_away};
use sparkjoy_study::{Branch, Plan};

/// What was scored: everything that determines the numbers of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scored {
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

impl Scored {
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

    /// The file of a score of this, in the run's folder.
    pub(crate) fn file(&self, run_folder: &Path) -> PathBuf {
        run_folder.join(format!("scores-{}.json", Fingerprint::of_value(self)))
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

/// A score file that holds the score of something else.
fn other_score(path: &Path, found: &str, expected: &str) -> Problem {
    Problem::new(format!("`{}` scores {found}, expected {expected}", path.display()))
        .with_hint(move_away(path))
}

/// A score file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scores {
    /// What was scored.
    pub(crate) of: Scored,
    /// Held-out loss by source, sorted by name.
    pub(crate) held_out: Vec<HeldOutScore>,
}

impl Scores {
    /// Reads the score of `of` from a run folder; `None` if there is none.
    pub(crate) fn read(run_folder: &Path, of: &Scored) -> Result<Option<Self>, JobError> {
        let path = of.file(run_folder);
        if !path.exists() {
            return Ok(None);
        }
        let scores: Self = match serde_json::from_slice(&read(&path)?) {
            Ok(scores) => scores,
            Err(why) => return Err(damaged(&path, &why).into()),
        };
        if scores.of != *of {
            return Err(other_score(&path, &scores.of.describe(), &of.describe()).into());
        }
        Ok(Some(scores))
    }

    /// Writes it where [`Scores::read`] finds it.
    pub(crate) fn write(&self, run_folder: &Path) -> Result<(), JobError> {
        let json = serde_json::to_vec(self).expect("plain data has a JSON form");
        Ok(write_atomic(&self.of.file(run_folder), &json)?)
    }
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

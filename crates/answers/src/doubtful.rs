//! Tasks that have items whose result says less than it seems.

use serde::{Deserialize, Serialize};
use sparkjoy_eval::{AnsweredBefore, Chance, Scorecard, TaskScore, Tied};

/// A task with items whose result says less than it seems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubtfulTask {
    /// The task.
    pub task: String,
    /// Its items.
    pub items: usize,
    /// Those whose question and answer stand among the examples before them.
    pub answered_before: Option<AnsweredBefore>,
    /// Those in which the right choice and another one are equally likely, of the model that has
    /// most.
    pub tied: Option<Tied>,
    /// Items whose prompt was cut off on the left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub truncated: usize,
    /// Whether no model is better at it than guessing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_chance: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl DoubtfulTask {
    /// What of the items of a score is doubtful, if anything is.
    pub fn of(score: &TaskScore) -> Option<Self> {
        let known = Self::known(score);
        (known.answered_before.is_some() || known.tied.is_some()).then_some(known)
    }

    /// What is known of a score besides whether it is at chance and what was cut off, which a
    /// scorecard says in columns of its own.
    fn known(score: &TaskScore) -> Self {
        Self {
            task: score.task.clone(),
            items: score.rows,
            answered_before: score.answered_before,
            tied: score.tied,
            truncated: 0,
            at_chance: false,
        }
    }

    fn is_doubtful(&self) -> bool {
        self.answered_before.is_some()
            || self.tied.is_some()
            || self.truncated > 0
            || self.at_chance
    }
}

/// The doubtful tasks of all models, in the order in which they are met.
pub(crate) fn doubtful<'a>(scorecards: impl Iterator<Item = &'a Scorecard>) -> Vec<DoubtfulTask> {
    let mut all: Vec<DoubtfulTask> = Vec::new();
    for score in scorecards.flat_map(|scorecard| &scorecard.tasks) {
        let at_chance = score.chance != Chance::Above;
        let task =
            DoubtfulTask { truncated: score.truncated, at_chance, ..DoubtfulTask::known(score) };
        match all.iter_mut().find(|known| known.task == task.task) {
            None => all.push(task),
            Some(known) => {
                known.answered_before = known.answered_before.or(task.answered_before);
                known.truncated = known.truncated.max(task.truncated);
                known.at_chance &= at_chance;
                let items = |tied: Option<Tied>| tied.map_or(0, |tied| tied.items);
                if items(task.tied) > items(known.tied) {
                    known.tied = task.tied;
                }
            }
        }
    }
    all.retain(DoubtfulTask::is_doubtful);
    all
}

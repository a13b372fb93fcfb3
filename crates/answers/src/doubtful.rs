//! Tasks that have items whose result says less than it seems.

use serde::{Deserialize, Serialize};
use sparkjoy_eval::{AnsweredBefore, Scorecard, TaskScore, Tied};

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
}

impl DoubtfulTask {
    /// What of a score is doubtful, if anything is.
    pub fn of(score: &TaskScore) -> Option<Self> {
        let TaskScore { task, rows, answered_before, tied, .. } = score;
        (answered_before.is_some() || tied.is_some()).then(|| Self {
            task: task.clone(),
            items: *rows,
            answered_before: *answered_before,
            tied: *tied,
        })
    }
}

/// The doubtful tasks of all models, in the order in which they are met.
pub(crate) fn doubtful<'a>(scorecards: impl Iterator<Item = &'a Scorecard>) -> Vec<DoubtfulTask> {
    let mut all: Vec<DoubtfulTask> = Vec::new();
    for task in scorecards.flat_map(|scorecard| &scorecard.tasks).filter_map(DoubtfulTask::of) {
        match all.iter_mut().find(|known| known.task == task.task) {
            None => all.push(task),
            Some(known) => {
                known.answered_before = known.answered_before.or(task.answered_before);
                let items = |tied: Option<Tied>| tied.map_or(0, |tied| tied.items);
                if items(task.tied) > items(known.tied) {
                    known.tied = task.tied;
                }
            }
        }
    }
    all
}

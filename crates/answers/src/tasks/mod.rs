//! Tasks: what is known about them, and what of it is on the disk.

mod compare;
mod number;

use serde::{Deserialize, Serialize};
use sparkjoy_eval::{ItemResult, Scorecard, TaskScore};

use super::Comparison;
use number::numbers;

pub(super) use compare::Tasks;
pub(super) use number::{Key, Number};

/// What is measured on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The average of a suite or of one of its categories, guessing at 0 and perfection at 1.
    Average,
    /// The share of correct items.
    Accuracy,
    /// Bits per byte of the correct answers, lower is better.
    GoldBitsPerByte,
}

impl Measure {
    /// Whether a smaller number is the better one.
    pub fn lower_is_better(self) -> bool {
        self == Self::GoldBitsPerByte
    }

    /// Whether a difference makes a task better.
    pub fn is_gain(self, difference: f64) -> bool {
        if self.lower_is_better() { difference < 0.0 } else { difference > 0.0 }
    }
}

/// One measure of one task, over all arms of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswer {
    /// The task, the suite, or `suite: category`.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// Whether it is among the comparisons of its kind that are tested together: every single
    /// task, but accuracies of tasks that are in a category of several, in place of which the
    /// category is.
    #[serde(default)]
    pub tested: bool,
    /// One element per arm; none where a replicate of branch or control has no score, or one of
    /// other rows.
    pub cells: Vec<Option<Comparison>>,
}

/// The trunk's scores on tasks at one of its steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrunkPoint {
    /// The step.
    pub step: u64,
    /// Every number there is, averages first.
    pub scores: Vec<TrunkScore>,
}

/// One measure of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrunkScore {
    /// The task, the suite, or `suite: category`.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
    /// The number.
    pub value: f64,
}

/// Results of a task's items, in the order of its rows.
///
/// # Shapes
///
/// One element per item in each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Items {
    /// How far each is right, 0 to 1.
    pub correct: Vec<f64>,
    /// Bits of each correct answer.
    pub bits: Vec<f64>,
    /// Bytes of each correct answer.
    pub bytes: Vec<f64>,
    /// Its category, where the score goes by categories; else 0.
    pub category: Vec<usize>,
    /// The passage of text it is about: equal numbers, one passage. Empty where all differ.
    pub passage: Vec<u64>,
}

impl Items {
    /// What is compared of the results of a task.
    pub fn of(task: &TaskScore, results: &[ItemResult]) -> Self {
        let categories: Vec<&str> = task.subcategories.iter().map(|c| c.name.as_str()).collect();
        let mut items = Self::default();
        for result in results {
            items.correct.push(result.correct);
            items.bits.push(result.gold_nats / std::f64::consts::LN_2);
            items.bytes.push(result.gold_bytes as f64);
            let name = result.category.as_deref().unwrap_or_default();
            items.category.push(categories.iter().position(|c| *c == name).unwrap_or(0));
            items.passage.push(result.passage.unwrap_or(result.index) as u64);
        }
        items
    }
}

pub(super) fn trunk(step: u64, scorecard: &Scorecard) -> TrunkPoint {
    let score = |((measure, _, task), number): (Key, Number)| TrunkScore {
        task,
        measure,
        value: number.value,
    };
    TrunkPoint { step, scores: numbers(scorecard).into_iter().map(score).collect() }
}

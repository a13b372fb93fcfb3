//! Tasks: what is known about them, and what of it is on the disk.

mod compare;
mod number;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sparkjoy_eval::{ItemResult, TaskScore};

use super::Comparison;
use crate::evaluation::item_results;
use crate::executor::{Asked, Point, branch_folder, read_card};
use crate::{Branch, LabError, Plan, Scorecard};
use number::numbers;

pub(super) use compare::Tasks;
#[cfg(test)]
pub(super) use number::Part;
pub(super) use number::{Key, Number};

/// What is measured on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The average of a suite or of one of its categories, guessing at 0 and perfection at 1.
    Average,
    /// The share of correct items.
    Accuracy,
    /// Bits per byte of the right answers, lower is better.
    GoldBitsPerByte,
}

impl Measure {
    /// Whether a smaller number is the better one.
    pub fn lower_is_better(self) -> bool {
        self == Self::GoldBitsPerByte
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
pub(super) struct Items {
    pub(super) correct: Vec<f64>,
    pub(super) bits: Vec<f64>,
    pub(super) bytes: Vec<f64>,
    /// Its category, where the score goes by categories; else 0.
    pub(super) category: Vec<usize>,
}

/// Items of every task on the cards.
pub(super) fn items(
    plan: &Plan,
    cards: &[Option<Scorecard>],
    runs: &Path,
) -> Result<Vec<BTreeMap<String, Items>>, LabError> {
    let of = |(branch, card): (&Branch, &Option<Scorecard>)| {
        let mut by_task = BTreeMap::new();
        let Some(card) = card else { return Ok(by_task) };
        let folder = branch_folder(branch, runs).join("tasks");
        for task in &card.tasks {
            if let Some(results) = item_results(&folder, card, task, plan.seed)? {
                by_task.insert(task.task.clone(), Items::of(task, &results));
            }
        }
        Ok(by_task)
    };
    plan.branches.iter().zip(cards).map(of).collect()
}

impl Items {
    fn of(task: &TaskScore, results: &[ItemResult]) -> Self {
        let categories: Vec<&str> = task.subcategories.iter().map(|c| c.name.as_str()).collect();
        let mut items = Self::default();
        for result in results {
            items.correct.push(result.correct);
            items.bits.push(result.gold_nats / std::f64::consts::LN_2);
            items.bytes.push(result.gold_bytes as f64);
            let name = result.category.as_deref().unwrap_or_default();
            items.category.push(categories.iter().position(|c| *c == name).unwrap_or(0));
        }
        items
    }
}

/// The cards of all branches of a plan, as far as there are any.
pub(super) fn cards(plan: &Plan, runs: &Path) -> Result<Vec<Option<Scorecard>>, LabError> {
    let card = |branch| {
        let point = Point::Branch(branch);
        match Asked::new(plan, point) {
            None => Ok(None),
            Some(asked) => read_card(&point.folder(plan, runs), &asked),
        }
    };
    plan.branches.iter().map(card).collect()
}

/// The trunk's scores at the steps the plan asks for, as far as there are any.
pub(super) fn trunk(plan: &Plan, runs: &Path) -> Result<Vec<TrunkPoint>, LabError> {
    let steps = plan.evaluation.tasks.iter().flat_map(|tasks| &tasks.at);
    let mut points = Vec::new();
    for &step in steps {
        let point = Point::Trunk(step);
        let Some(asked) = Asked::new(plan, point) else { continue };
        let Some(card) = read_card(&point.folder(plan, runs), &asked)? else { continue };
        let score = |((measure, _, task), number): (Key, Number)| TrunkScore {
            task,
            measure,
            value: number.value,
        };
        let scores = numbers(&card).into_iter().map(score).collect();
        points.push(TrunkPoint { step, scores });
    }
    Ok(points)
}

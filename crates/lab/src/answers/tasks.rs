//! Tasks of each branch against its control, replicate by replicate.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Fingerprint;
use sparkjoy_eval::Average;

use super::Comparison;
use crate::executor::{Asked, Point, read_card};
use crate::{Arm, LabError, Plan, QuestionPlan, Scorecard};

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

/// One measure of one task, over all arms of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswer {
    /// The task, the suite, or `suite: category`.
    pub task: String,
    /// What is measured.
    pub measure: Measure,
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

/// What a number is about, in the order of tables.
type Key = (Measure, usize, String);

/// A number, and the identity of the rows it is one of.
type Number = (f64, Vec<(Fingerprint, usize)>);

/// All numbers of a card. `order`: place of each task in the selection.
fn numbers(card: &Scorecard) -> BTreeMap<Key, Number> {
    let mut numbers = BTreeMap::new();
    for (place, task) in card.tasks.iter().enumerate() {
        let rows = vec![(task.fingerprint, task.rows)];
        let mut put = |measure, value| {
            numbers.insert((measure, place, task.task.clone()), (value, rows.clone()));
        };
        put(Measure::Accuracy, task.accuracy.value);
        put(Measure::GoldBitsPerByte, task.gold_bits_per_byte.value);
    }
    let rows = |names: &[String]| {
        let of = card.tasks.iter().filter(|task| names.contains(&task.task));
        of.map(|task| (task.fingerprint, task.rows)).collect::<Vec<_>>()
    };
    let mut place = 0;
    for suite in &card.suites {
        let all: Vec<String> = suite.categories.iter().flat_map(|c| c.tasks.clone()).collect();
        let categories = suite.categories.iter().map(|category| {
            (format!("{}: {}", suite.suite, category.name), &category.average, &category.tasks)
        });
        let core = std::iter::once((suite.suite.clone(), &suite.core, &all));
        for (name, average, tasks) in core.chain(categories) {
            if let Average::Complete { score, .. } = average {
                let number = (score.value, rows(tasks));
                numbers.insert((Measure::Average, place, name), number);
            }
            place += 1;
        }
    }
    numbers
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
        let score =
            |((measure, _, task), (value, _)): (Key, Number)| TrunkScore { task, measure, value };
        let scores = numbers(&card).into_iter().map(score).collect();
        points.push(TrunkPoint { step, scores });
    }
    Ok(points)
}

/// Every measure of every task that any branch of the question has.
pub(super) fn task_answers(
    question: &QuestionPlan,
    cards: &[Option<Scorecard>],
) -> Vec<TaskAnswer> {
    let numbers: Vec<BTreeMap<Key, Number>> =
        cards.iter().map(|card| card.as_ref().map(numbers).unwrap_or_default()).collect();
    let asked = question.arms.iter().flat_map(|arm| arm.branches.iter().chain(&arm.controls));
    let mut keys: Vec<&Key> = asked.flat_map(|&branch| numbers[branch].keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let answer = |key: &Key| TaskAnswer {
        task: key.2.clone(),
        measure: key.0,
        cells: question.arms.iter().map(|arm| compare(key, arm, &numbers)).collect(),
    };
    keys.into_iter().map(answer).collect()
}

fn compare(key: &Key, arm: &Arm, numbers: &[BTreeMap<Key, Number>]) -> Option<Comparison> {
    let of = |branches: &[usize]| {
        branches.iter().map(|&branch| numbers[branch].get(key)).collect::<Option<Vec<_>>>()
    };
    let (branch, control) = (of(&arm.branches)?, of(&arm.controls)?);
    // Scores of other rows are scores of another task.
    let rows = &branch[0].1;
    if branch.iter().chain(&control).any(|(_, other)| other != rows) {
        return None;
    }
    let values = |numbers: Vec<&Number>| numbers.into_iter().map(|n| n.0).collect::<Vec<f64>>();
    let (branch, control) = (values(branch), values(control));
    Some(Comparison::of(branch, control))
}

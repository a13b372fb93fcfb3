//! Tasks of each branch against its control, replicate by replicate.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Fingerprint;
use sparkjoy_eval::{Average, CategoryScore, ItemResult, TaskScore};
use sparkjoy_stats::Stratum;

use super::compare::Scale;
use super::{Comparison, Gap};
use crate::evaluation::item_results;
use crate::executor::{Asked, Point, branch_folder, read_card};
use crate::{Arm, Branch, LabError, Plan, QuestionPlan, Scorecard};

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

/// A number, and what it is one of.
struct Number {
    value: f64,
    /// Identity of the rows.
    rows: Vec<(Fingerprint, usize)>,
    /// The tasks it is a mean of.
    parts: Vec<Part>,
}

/// A task in an average.
#[derive(Clone)]
struct Part {
    task: String,
    weight: f64,
    /// What a unit of the task's measure is worth in the average.
    scale: f64,
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

/// Cards of all branches, and what is behind their scores, by task.
pub(super) type Scored<'a> = (&'a [Option<Scorecard>], &'a [BTreeMap<String, Items>]);

/// All numbers of a card.
fn numbers(card: &Scorecard) -> BTreeMap<Key, Number> {
    let mut numbers = BTreeMap::new();
    for (place, task) in card.tasks.iter().enumerate() {
        let mut put = |measure, value| {
            let rows = vec![(task.fingerprint, task.rows)];
            let parts = vec![Part { task: task.task.clone(), weight: 1.0, scale: 1.0 }];
            numbers.insert((measure, place, task.task.clone()), Number { value, rows, parts });
        };
        put(Measure::Accuracy, task.accuracy.value);
        put(Measure::GoldBitsPerByte, task.gold_bits_per_byte.value);
    }
    let category = |category: &CategoryScore| -> Vec<Part> {
        let of = card.tasks.iter().filter(|task| category.tasks.contains(&task.task));
        let part = |task: &TaskScore| Part {
            task: task.task.clone(),
            weight: 1.0 / category.tasks.len() as f64,
            scale: 1.0 / (1.0 - task.baseline.value),
        };
        of.map(part).collect()
    };
    let mut place = 0;
    for suite in &card.suites {
        let mut all: Vec<Part> = suite.categories.iter().flat_map(category).collect();
        for part in &mut all {
            part.weight /= suite.categories.len() as f64;
        }
        let categories = suite.categories.iter().map(|score| {
            (format!("{}: {}", suite.suite, score.name), &score.average, category(score))
        });
        let core = std::iter::once((suite.suite.clone(), &suite.core, all));
        for (name, average, parts) in core.chain(categories) {
            if let Average::Complete { score, .. } = average {
                let is_part = |task: &&TaskScore| parts.iter().any(|part| part.task == task.task);
                let rows = card.tasks.iter().filter(is_part);
                let rows = rows.map(|task| (task.fingerprint, task.rows)).collect();
                let number = Number { value: score.value, rows, parts };
                numbers.insert((Measure::Average, place, name), number);
            }
            place += 1;
        }
    }
    numbers
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

/// Every measure of every task that any branch of the question has.
pub(super) fn task_answers(
    question: &QuestionPlan,
    (cards, items): Scored<'_>,
    scale: &mut Scale,
    gaps: &mut Vec<Gap>,
) -> Vec<TaskAnswer> {
    let numbers: Vec<BTreeMap<Key, Number>> =
        cards.iter().map(|card| card.as_ref().map(numbers).unwrap_or_default()).collect();
    let asked = question.arms.iter().flat_map(|arm| arm.branches.iter().chain(&arm.controls));
    let mut keys: Vec<&Key> = asked.flat_map(|&branch| numbers[branch].keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut answer = |key: &Key| {
        let cell = |(index, arm): (usize, &Arm)| match compare(key, arm, &numbers, items, scale) {
            Ok(cell) => cell,
            Err(why) => {
                let gap = Gap { arm: index, what: key.2.clone(), why };
                if !gaps.contains(&gap) {
                    gaps.push(gap);
                }
                None
            }
        };
        let cells = question.arms.iter().enumerate().map(cell).collect();
        TaskAnswer { task: key.2.clone(), measure: key.0, cells }
    };
    keys.into_iter().map(&mut answer).collect()
}

/// None where a replicate has no score.
///
/// # Errors
///
/// Why scores that are there are not of the same items.
fn compare(
    key: &Key,
    arm: &Arm,
    numbers: &[BTreeMap<Key, Number>],
    items: &[BTreeMap<String, Items>],
    scale: &mut Scale,
) -> Result<Option<Comparison>, String> {
    let of = |branches: &[usize]| {
        branches.iter().map(|&branch| numbers[branch].get(key)).collect::<Option<Vec<_>>>()
    };
    let (Some(branch), Some(control)) = (of(&arm.branches), of(&arm.controls)) else {
        return Ok(None);
    };
    // Scores of other rows are scores of another task.
    let rows = &branch[0].rows;
    if branch.iter().chain(&control).any(|other| other.rows != *rows) {
        return Err("branch and control are scored on other rows".to_owned());
    }
    let mut strata = Vec::new();
    for part in &branch[0].parts {
        let of = |branches: &[usize]| {
            let items = branches.iter().map(|&branch| items[branch].get(&part.task));
            items
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| format!("results of some items of `{}` are not there", part.task))
        };
        add(&mut strata, key.0, part, (&of(&arm.branches)?, &of(&arm.controls)?))?;
    }
    let values = |numbers: Vec<&Number>| numbers.into_iter().map(|n| n.value).collect::<Vec<f64>>();
    Ok(Some(scale.compare(values(branch), values(control), &strata)))
}

/// A task of an average: one stratum, or one for each of its categories.
fn add(
    strata: &mut Vec<Stratum>,
    measure: Measure,
    part: &Part,
    (branch, control): (&[&Items], &[&Items]),
) -> Result<(), String> {
    let first = branch[0];
    let is_other = |other: &&Items| other.bytes != first.bytes || other.category != first.category;
    if branch.iter().chain(control).any(is_other) {
        return Err(format!("results of `{}` are not of the same items", part.task));
    }
    if measure == Measure::GoldBitsPerByte {
        let bits = |items: &[&Items]| items.iter().map(|i| i.bits.clone()).collect::<Vec<_>>();
        strata.push(Stratum::ratios(1.0, &bits(branch), &bits(control), &first.bytes));
        return Ok(());
    }
    let categories = first.category.iter().max().map_or(1, |last| last + 1);
    for category in 0..categories {
        let correct = |items: &[&Items]| -> Vec<Vec<f64>> {
            let of = |items: &&Items| {
                let all = items.correct.iter().zip(&items.category);
                all.filter(|(_, c)| **c == category).map(|(x, _)| part.scale * x).collect()
            };
            items.iter().map(of).collect()
        };
        let weight = part.weight / categories as f64;
        strata.push(Stratum::scores(weight, &correct(branch), &correct(control)));
    }
    Ok(())
}

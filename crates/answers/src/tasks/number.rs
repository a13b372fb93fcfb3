//! The numbers of a scorecard, and what each of them is a mean of.

use std::collections::BTreeMap;

use sparkjoy_base::Fingerprint;
use sparkjoy_eval::{Average, CategoryScore, TaskScore};

use super::Measure;
use sparkjoy_eval::Scorecard;

/// What a number is about, in the order of tables.
pub(crate) type Key = (Measure, usize, String);

#[derive(Clone)]
pub(crate) struct Number {
    pub(crate) value: f64,
    pub(crate) rows: Vec<(Fingerprint, usize)>,
    pub(crate) parts: Vec<Part>,
    /// Whether it is a mean of all categories of a suite.
    pub(crate) core: bool,
}

#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) task: String,
    pub(crate) weight: f64,
    /// What a unit of the task's measure is worth in the average.
    pub(crate) scale: f64,
}

pub(super) fn numbers(scorecard: &Scorecard) -> BTreeMap<Key, Number> {
    let mut numbers = BTreeMap::new();
    for (place, task) in scorecard.tasks.iter().enumerate() {
        let mut put = |measure, value| {
            let rows = vec![(task.fingerprint, task.rows)];
            let parts = vec![Part { task: task.task.clone(), weight: 1.0, scale: 1.0 }];
            let number = Number { value, rows, parts, core: false };
            numbers.insert((measure, place, task.task.clone()), number);
        };
        put(Measure::Accuracy, task.accuracy.value);
        put(Measure::GoldBitsPerByte, task.gold_bits_per_byte.value);
    }
    let category = |category: &CategoryScore| -> Vec<Part> {
        let of = scorecard.tasks.iter().filter(|task| category.tasks.contains(&task.task));
        let part = |task: &TaskScore| Part {
            task: task.task.clone(),
            weight: 1.0 / category.tasks.len() as f64,
            scale: 1.0 / (1.0 - task.baseline.value),
        };
        of.map(part).collect()
    };
    let mut place = 0;
    for suite in &scorecard.suites {
        let mut all: Vec<Part> = suite.categories.iter().flat_map(category).collect();
        for part in &mut all {
            part.weight /= suite.categories.len() as f64;
        }
        let categories = suite.categories.iter().map(|score| {
            (format!("{}: {}", suite.suite, score.name), &score.average, category(score), false)
        });
        let core = std::iter::once((suite.suite.clone(), &suite.core, all, true));
        for (name, average, parts, core) in core.chain(categories) {
            if let Average::Complete { score, .. } = average {
                let is_part = |task: &&TaskScore| parts.iter().any(|part| part.task == task.task);
                let rows = scorecard.tasks.iter().filter(is_part);
                let rows = rows.map(|task| (task.fingerprint, task.rows)).collect();
                let number = Number { value: score.value, rows, parts, core };
                numbers.insert((Measure::Average, place, name), number);
            }
            place += 1;
        }
    }
    numbers
}

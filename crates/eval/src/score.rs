//! The score of one task, with everything needed to read it: error, chance, rule, what is missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Fingerprint;

use crate::dataset::{Dataset, PlacedRow, Row};
use crate::doubtful::{AnsweredBefore, Tied, answered_before, tied};
use crate::judge::{ItemResult, passed};
use crate::metric::{Chance, Estimate, pass_at};
use crate::text::strip;
use crate::{Aggregation, Baseline, BaselineVersion, MatchRule, Task, TaskKind};

/// How a model did on a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskScore {
    /// The task.
    pub task: String,
    /// Examples before each row.
    pub shots: usize,
    /// The rule by which an item counts as correct.
    pub rule: String,
    /// The file of its rows, from the data folder.
    pub file: String,
    /// Identity of that file's content.
    pub fingerprint: Fingerprint,
    /// Rows scored.
    pub rows: usize,
    /// Rows of the file: more where only some were asked for.
    pub rows_in_file: usize,
    /// Rows as published, where those are more: the file is a part of the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_published: Option<u64>,
    /// The share of correct items, or the plain mean of that over subcategories.
    pub accuracy: Estimate,
    /// The accuracy over all rows, where `accuracy` is one over subcategories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_by_rows: Option<Estimate>,
    /// Each subcategory, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subcategories: Vec<Subcategory>,
    /// The accuracy by the rule that does not count, of tasks that are answered in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_rule: Option<OtherRule>,
    /// pass@k for each `k` of a task of programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_at: Vec<PassAt>,
    /// What guessing scores, and who says so.
    pub baseline: Baseline,
    /// The accuracy with guessing at 0 and perfection at 1.
    pub centred: Estimate,
    /// Whether that is more than guessing.
    pub chance: Chance,
    /// The accuracy of always giving the commonest answer of this file (the commonest index, where
    /// there is a choice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub majority: Option<f64>,
    /// Bits per byte of the correct answers: all their bits over all their bytes.
    pub gold_bits_per_byte: Estimate,
    /// Items whose prompt was cut off on the left.
    pub truncated: usize,
    /// Items whose question and answer stand among the examples before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_before: Option<AnsweredBefore>,
    /// Items in which the right choice and another one are equally likely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tied: Option<Tied>,
    /// How many programs failed, by what ended them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, usize>,
}

/// The score of a subcategory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subcategory {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: usize,
    /// The share of correct ones.
    pub accuracy: Estimate,
}

/// An accuracy by another rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherRule {
    /// The rule.
    pub rule: MatchRule,
    /// The accuracy.
    pub accuracy: Estimate,
}

/// The chance that one of `k` programs passes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassAt {
    /// Programs drawn.
    pub k: usize,
    /// The mean over problems.
    pub estimate: Estimate,
}

/// Scores a task from the results of its items, in any order. A score of some rows only says so.
///
/// # Panics
///
/// If there is no result, one of a row that is not there, or several of one row.
pub fn score(
    task: &Task,
    rows: &Dataset,
    results: &[ItemResult],
    version: BaselineVersion,
) -> TaskScore {
    let results = &Answered::new(task, rows, results);
    let groups = results.groups(task, rows);
    let mean = |value: &dyn Fn(&ItemResult) -> f64| {
        let group = |indices: &Vec<usize>| {
            let values: Vec<f64> = indices.iter().map(|&i| value(results.of(i))).collect();
            Estimate::mean(&values)
        };
        groups.iter().map(group).collect::<Vec<_>>()
    };
    let by_group = mean(&|result| result.correct);
    let accuracy = Estimate::mean_of(&by_group);
    let baseline = task.baselines.of(version);
    let has_subcategories = task.aggregation == Aggregation::Subcategories;
    let each =
        |value: &dyn Fn(&ItemResult) -> f64| -> Vec<f64> { results.all().map(value).collect() };
    let correct = each(&|result| result.correct);
    let subcategory = |(indices, accuracy): (&Vec<usize>, &Estimate)| Subcategory {
        name: rows.rows[indices[0]].category.clone().unwrap_or_default(),
        rows: indices.len(),
        accuracy: *accuracy,
    };
    let bits = each(&|result| result.gold_nats / std::f64::consts::LN_2);
    let bytes = each(&|result| result.gold_bytes as f64);
    TaskScore {
        task: task.name.clone(),
        shots: task.few_shot.shots,
        rule: task.rule().to_owned(),
        file: rows.file.clone(),
        fingerprint: rows.fingerprint,
        rows: results.all().count(),
        rows_in_file: rows.rows.len(),
        rows_published: task.rows.filter(|&published| published > rows.rows.len() as u64),
        accuracy,
        accuracy_by_rows: has_subcategories.then(|| Estimate::mean(&correct)),
        subcategories: if has_subcategories {
            groups.iter().zip(&by_group).map(subcategory).collect()
        } else {
            Vec::new()
        },
        other_rule: other_rule(task, &mean),
        pass_at: passes(task, &mean),
        baseline,
        centred: accuracy.centred(baseline.value),
        chance: Chance::of(accuracy, baseline.value),
        majority: majority(rows, &groups),
        gold_bits_per_byte: Estimate::ratio(&bits, &bytes),
        truncated: results.all().filter(|result| result.truncated > 0).count(),
        answered_before: answered_before(task, rows, |row| results.0.contains_key(&row)),
        tied: tied(task, rows, results.all()),
        failures: failures(results),
    }
}

fn failures(results: &Answered<'_>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let samples = results.all().flat_map(|result| &result.samples);
    for failure in samples.filter_map(|sample| sample.failure.as_ref()) {
        *counts.entry(failure.kind().to_owned()).or_default() += 1;
    }
    counts
}

/// The rows that have a result.
struct Answered<'a>(BTreeMap<usize, &'a ItemResult>);

impl<'a> Answered<'a> {
    fn new(task: &Task, rows: &Dataset, results: &'a [ItemResult]) -> Self {
        let by_row: BTreeMap<usize, &ItemResult> = results.iter().map(|r| (r.index, r)).collect();
        assert_eq!(by_row.len(), results.len(), "task `{}`: several results of a row", task.name);
        let last = by_row.last_key_value().expect("a score of something").0;
        assert!(*last < rows.rows.len(), "task `{}`: a result of no row", task.name);
        Self(by_row)
    }

    fn of(&self, row: usize) -> &'a ItemResult {
        self.0[&row]
    }

    /// In the order of rows.
    fn all(&self) -> impl Iterator<Item = &'a ItemResult> {
        self.0.values().copied()
    }

    /// As [`Dataset::groups`], without rows that have no result and groups that are then empty.
    fn groups(&self, task: &Task, rows: &Dataset) -> Vec<Vec<usize>> {
        let mut groups = rows.groups(task);
        for group in &mut groups {
            group.retain(|row| self.0.contains_key(row));
        }
        groups.retain(|group| !group.is_empty());
        groups
    }
}

impl TaskScore {
    /// Whether it is one of some rows of the published task only.
    pub fn is_partial(&self) -> bool {
        self.rows < self.rows_in_file || self.rows_published.is_some()
    }
}

/// Means of a value over each group.
type Means<'a> = dyn Fn(&dyn Fn(&ItemResult) -> f64) -> Vec<Estimate> + 'a;

fn other_rule(task: &Task, mean: &Means<'_>) -> Option<OtherRule> {
    let TaskKind::Generation(generation) = &task.kind else { return None };
    let rule = match generation.rule {
        MatchRule::Prefix => MatchRule::Exact,
        MatchRule::Exact => MatchRule::Prefix,
    };
    let verdict = |result: &ItemResult| {
        let verdicts = result.verdicts.expect("texts are judged by both rules");
        let right = match rule {
            MatchRule::Prefix => verdicts.prefix,
            MatchRule::Exact => verdicts.exact,
        };
        f64::from(u8::from(right))
    };
    Some(OtherRule { rule, accuracy: Estimate::mean_of(&mean(&verdict)) })
}

fn passes(task: &Task, mean: &Means<'_>) -> Vec<PassAt> {
    let TaskKind::Code(sampling) = &task.kind else { return Vec::new() };
    let at = |&k: &usize| {
        let pass = |result: &ItemResult| pass_at(result.samples.len(), passed(&result.samples), k);
        PassAt { k, estimate: Estimate::mean_of(&mean(&pass)) }
    };
    sampling.pass_at.iter().map(at).collect()
}

/// The best accuracy of one and the same answer to all rows; none where answers are programs.
fn majority(rows: &Dataset, groups: &[Vec<usize>]) -> Option<f64> {
    // By answer, the sum over groups of its share there.
    let mut shares: BTreeMap<String, f64> = BTreeMap::new();
    for group in groups {
        for &i in group {
            let share = 1.0 / group.len() as f64;
            *shares.entry(answer(&rows.rows[i])?).or_default() += share;
        }
    }
    shares.into_values().reduce(f64::max).map(|sum| sum / groups.len() as f64)
}

fn answer(row: &PlacedRow) -> Option<String> {
    match &row.row {
        Row::Choice { gold, .. } | Row::Schema { gold, .. } => Some(gold.to_string()),
        Row::Language { continuation, .. } => Some(strip(continuation).to_owned()),
        Row::Generation { answer, .. } => Some(strip(answer).to_owned()),
        Row::Code(_) => None,
    }
}

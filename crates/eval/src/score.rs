//! The score of one task, with everything needed to read it: error, chance, rule, what is missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Fingerprint;

use crate::judge::{ItemResult, passed};
use crate::metric::{Chance, Estimate, pass_at};
use crate::rows::{Dataset, PlacedRow, Row};
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
    /// Rows scored: all there are.
    pub rows: usize,
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
    /// Bits per byte of the right answers: all their bits over all their bytes.
    pub gold_bits_per_byte: Estimate,
    /// Items whose prompt was cut off on the left.
    pub truncated: usize,
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

/// Scores a task from the results of all its items, in any order.
///
/// # Panics
///
/// If a row has no result, or several: a score is never one of some rows only.
pub fn score(
    task: &Task,
    rows: &Dataset,
    results: &[ItemResult],
    version: BaselineVersion,
) -> TaskScore {
    let mut results: Vec<&ItemResult> = results.iter().collect();
    results.sort_by_key(|result| result.index);
    let indices = results.iter().map(|result| result.index);
    assert!(indices.eq(0..rows.rows.len()), "task `{}`: not one result a row", task.name);

    let groups = rows.groups(task);
    let mean = |value: &dyn Fn(&ItemResult) -> f64| {
        let group = |indices: &Vec<usize>| {
            let values: Vec<f64> = indices.iter().map(|&i| value(results[i])).collect();
            Estimate::mean(&values)
        };
        groups.iter().map(group).collect::<Vec<_>>()
    };
    let by_group = mean(&|result| result.correct);
    let accuracy = Estimate::mean_of(&by_group);
    let baseline = task.baselines.of(version);
    let has_subcategories = task.aggregation == Aggregation::Subcategories;
    let correct: Vec<f64> = results.iter().map(|result| result.correct).collect();
    let subcategory = |(indices, accuracy): (&Vec<usize>, &Estimate)| Subcategory {
        name: rows.rows[indices[0]].category.clone().unwrap_or_default(),
        rows: indices.len(),
        accuracy: *accuracy,
    };
    let bits: Vec<f64> =
        results.iter().map(|result| result.gold_nats / std::f64::consts::LN_2).collect();
    let bytes: Vec<f64> = results.iter().map(|result| result.gold_bytes as f64).collect();
    TaskScore {
        task: task.name.clone(),
        shots: task.few_shot.shots,
        rule: task.rule().to_owned(),
        file: rows.file.clone(),
        fingerprint: rows.fingerprint,
        rows: rows.rows.len(),
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
        truncated: results.iter().filter(|result| result.truncated > 0).count(),
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

//! Items whose result says less than it seems: answered in their own prompt, or by position.
//!
//! Both are as in the original, so they are counted and scored all the same.

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Row};
use crate::judge::{ItemResult, cost};
use crate::prompt::examples;
use crate::text::strip;
use crate::{Task, TaskKind};

/// Items that stand, with their answer, among the examples before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredBefore {
    /// How many.
    pub items: usize,
    /// The line of the first, from 1.
    pub line: usize,
}

/// Items in which the right choice and another one are equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tied {
    /// How many in which no other choice is likelier: whichever is listed first counts.
    pub items: usize,
    /// Those of them that count as right.
    pub correct: usize,
    /// The line of the first, from 1.
    pub line: usize,
}

/// Counts the items that a row of the same question and answer is shown before: the file repeats
/// them. Zero is none.
pub(crate) fn answered_before(
    task: &Task,
    rows: &Dataset,
    has_result: impl Fn(usize) -> bool,
) -> Option<AnsweredBefore> {
    let mut lines = Vec::new();
    for group in rows.groups(task) {
        for (&i, shown) in group.iter().zip(examples(task, rows, &group)) {
            let row = &rows.rows[i];
            if has_result(i) && shown.iter().any(|example| says_the_same(&example.row, &row.row)) {
                lines.push(row.line);
            }
        }
    }
    let line = lines.iter().min().copied()?;
    Some(AnsweredBefore { items: lines.len(), line })
}

fn says_the_same(a: &Row, b: &Row) -> bool {
    match (question_and_answer(a), question_and_answer(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// None where rows of the type are never examples.
fn question_and_answer(row: &Row) -> Option<(&str, &str)> {
    let (question, answer) = match row {
        Row::Language { context, continuation } => (context, continuation),
        Row::Choice { query, choices, gold } => (query, &choices[*gold]),
        Row::Schema { options, continuation, gold } => (&options[*gold], continuation),
        Row::Generation { context, answer, .. } => (context, answer),
        Row::Code(_) => return None,
    };
    Some((strip(question), strip(answer)))
}

/// Counts the items that the order of their choices decides. Zero is none.
pub(crate) fn tied<'a>(
    task: &Task,
    rows: &Dataset,
    results: impl Iterator<Item = &'a ItemResult>,
) -> Option<Tied> {
    let (TaskKind::MultipleChoice(rule) | TaskKind::Schema(rule)) = task.kind else { return None };
    let mut found: Option<Tied> = None;
    for result in results {
        let (Some(gold), Some(chosen)) = (result.gold, result.chosen) else { continue };
        let row = &rows.rows[result.index];
        let (Row::Choice { choices: texts, .. } | Row::Schema { options: texts, .. }) = &row.row
        else {
            continue;
        };
        let cost = |choice: usize| cost(&result.choices[choice], rule);
        // Equal texts may differ by rounding where an engine does not promise the same bits.
        let is_equal = |other: usize| {
            other != gold
                && (cost(other).total_cmp(&cost(gold)).is_eq()
                    || strip(&texts[other]) == strip(&texts[gold]))
        };
        let decides =
            if chosen == gold { (0..texts.len()).any(is_equal) } else { is_equal(chosen) };
        if decides {
            let tied = found.get_or_insert(Tied { items: 0, correct: 0, line: row.line });
            tied.items += 1;
            tied.correct += usize::from(chosen == gold);
        }
    }
    found
}

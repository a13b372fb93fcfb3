//! One comparison that is tested in several questions, and is significant in some of them only: p is
//! corrected within each question.

use serde::{Deserialize, Serialize};
use sparkjoy_study::QuestionPlan;

use crate::{Answer, Comparison, Measure, Verdict, What};

/// A comparison that is significant in one question and not in another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitVerdict {
    /// What is compared.
    pub of: SplitScope,
    /// Where it is significant: number of the question, from 1, and label of the arm.
    pub significant: (usize, String),
    /// Where it is not.
    pub not: (usize, String),
}

/// What a comparison is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitScope {
    /// Targeted or general held-out text.
    Text(What),
    /// A task.
    Task(String, Measure),
}

/// The tested comparisons of an arm of a question.
fn tested(answer: &Answer, arm: usize) -> Vec<(SplitScope, &Comparison)> {
    let cells = answer.scopes.iter().zip(&answer.arms[arm].cells);
    let text = cells
        .filter_map(|(scope, cell)| Some((SplitScope::Text(scope.what.clone()), cell.as_ref()?)));
    let tasks = answer.tasks.iter().filter(|task| task.tested).filter_map(|task| {
        Some((SplitScope::Task(task.task.clone(), task.measure), task.cells[arm].as_ref()?))
    });
    text.chain(tasks).filter(|(_, cell)| cell.verdict != Verdict::NotTested).collect()
}

/// The comparisons on which two questions differ, in their order.
pub(crate) fn split_verdicts(questions: &[QuestionPlan], answers: &[Answer]) -> Vec<SplitVerdict> {
    let arms = |question: usize| questions[question].arms.iter().enumerate();
    let mut split = Vec::new();
    for first in 0..questions.len() {
        for second in first + 1..questions.len() {
            for (i, one) in arms(first) {
                for (j, other) in arms(second) {
                    let is_same = (&one.branches, &one.controls, &one.targets)
                        == (&other.branches, &other.controls, &other.targets);
                    if !is_same {
                        continue;
                    }
                    let there = tested(&answers[second], j);
                    for (of, here) in tested(&answers[first], i) {
                        let Some((_, there)) = there.iter().find(|(what, _)| *what == of) else {
                            continue;
                        };
                        let places = [(first + 1, &one.label), (second + 1, &other.label)];
                        let places = places.map(|(number, label)| (number, label.clone()));
                        let is = |cell: &Comparison| cell.verdict != Verdict::NotSignificant;
                        let [significant, not] = match (is(here), is(there)) {
                            (true, false) => places,
                            (false, true) => {
                                let [one, other] = places;
                                [other, one]
                            }
                            _ => continue,
                        };
                        split.push(SplitVerdict { of, significant, not });
                    }
                }
            }
        }
    }
    split
}

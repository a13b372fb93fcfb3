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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sparkjoy_kit::invented;

    use super::*;
    use crate::Results;

    #[test]
    fn one_comparison_with_two_verdicts_is_named_with_both_questions() {
        let plan = invented::plan();
        let branches = plan.branches.len();
        let results = Results {
            held_out: invented::scores(&plan),
            scorecards: vec![None; branches],
            items: vec![BTreeMap::new(); branches],
            ..Results::default()
        };
        let mut answers = crate::answers(&plan, results).questions;
        // A window of the duration, and the full mixture of the removal: the same branches.
        let label = |question: usize| &plan.questions[question].arms[0].label;
        let targeted = answers[0].scopes.iter().position(|scope| scope.what == What::Targeted);
        let targeted = targeted.unwrap();
        let mut split = |verdicts: [Verdict; 2]| {
            for (answer, verdict) in answers.iter_mut().zip(verdicts) {
                for cell in answer.arms[0].cells.iter_mut().flatten() {
                    cell.verdict = Verdict::NotTested;
                }
                answer.arms[0].cells[targeted].as_mut().unwrap().verdict = verdict;
            }
            split_verdicts(&plan.questions, &answers)
        };
        let of = SplitScope::Text(What::Targeted);
        let (first, second) = ((1, label(0).clone()), (2, label(1).clone()));
        let found = split([Verdict::Better, Verdict::NotSignificant]);
        assert_eq!(
            found,
            [SplitVerdict { of: of.clone(), significant: first.clone(), not: second.clone() }]
        );
        let found = split([Verdict::NotSignificant, Verdict::Worse]);
        assert_eq!(found, [SplitVerdict { of, significant: second, not: first }]);
        assert_eq!(split([Verdict::Better, Verdict::Better]), []);
        assert_eq!(split([Verdict::Better, Verdict::NotTested]), []);
    }
}

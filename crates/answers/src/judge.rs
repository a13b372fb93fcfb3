//! Corrects for all comparisons that are tested together, and gives each its verdict.
//!
//! A question has up to four families of comparisons that are tested together, each over all arms
//! that say something of their own. A removal against the base instead of the full mixture is the
//! sum of two others, and is not tested again.
//!
//! - Held-out text: the effect on the sources an arm is about, and on all others.
//! - Unseen text, where the study has some: the effect on the sources that nothing trains on.
//! - Correct answers: accuracies of tasks, and averages of categories in place of their tasks.
//! - Bits per byte of the correct answers of every task.
//!
//! The probability of one false positive or more is at most 5 % in each family of a question (at a
//! confidence of 95 %), and so at most 5 % times the number of families in any of them.

use sparkjoy_stats::{Effect, detectable_like, holm};

use super::{
    Answer, ArmAnswer, Comparison, Measure, SplitScope, SplitVerdict, TaskAnswer, Verdict, What,
};
use sparkjoy_study::{QuestionPlan, Role};

/// Comparisons in each family of a question.
#[derive(Clone, Copy)]
pub(super) struct Families {
    pub(super) held_out: usize,
    pub(super) unseen: usize,
    pub(super) accuracy: usize,
    pub(super) gold_bits: usize,
}

pub(super) fn judge(answer: &mut Answer, confidence: f64) -> Families {
    Families {
        held_out: text(answer, &[What::Targeted, What::General], confidence),
        unseen: text(answer, &[What::Unseen], confidence),
        accuracy: tasks(answer, &[Measure::Average, Measure::Accuracy], confidence),
        gold_bits: tasks(answer, &[Measure::GoldBitsPerByte], confidence),
    }
}

fn says_something(arm: &ArmAnswer) -> bool {
    arm.role != Role::AgainstBase
}

fn text(answer: &mut Answer, family: &[What], confidence: f64) -> usize {
    let scopes: Vec<bool> =
        answer.scopes.iter().map(|scope| family.contains(&scope.what)).collect();
    let is_source = |what: &What| matches!(what, What::Source { .. });
    let sources = answer.scopes.iter().filter(|scope| is_source(&scope.what)).count();
    let seen = sources - answer.unseen.len();
    let is_about = |what: &What, arm: &ArmAnswer| match what {
        What::Targeted => !arm.targets.is_empty(),
        What::General => arm.targets.len() < seen,
        _ => !answer.unseen.is_empty(),
    };
    let arms = answer.arms.iter().filter(|arm| says_something(arm));
    let of_arm = |arm: &ArmAnswer| family.iter().filter(|what| is_about(what, arm)).count();
    let comparisons: usize = arms.map(of_arm).sum();

    let arms = answer.arms.iter_mut().filter(|arm| says_something(arm));
    let cells = arms.flat_map(|arm| arm.cells.iter_mut().zip(&scopes));
    let cells = cells.filter(|(_, tested)| **tested).filter_map(|(cell, _)| cell.as_mut());
    together(cells.map(|cell| (cell, true)).collect(), comparisons, confidence);
    comparisons
}

fn tasks(answer: &mut Answer, family: &[Measure], confidence: f64) -> usize {
    let Answer { arms, tasks, .. } = answer;
    let is_tested = |task: &&mut TaskAnswer| task.tested && family.contains(&task.measure);
    let (mut cells, mut comparisons) = (Vec::new(), 0);
    for task in tasks.iter_mut().filter(is_tested) {
        let lower = task.measure.lower_is_better();
        let of_arms = task.cells.iter_mut().zip(arms.iter()).filter(|(_, arm)| says_something(arm));
        for (cell, _) in of_arms {
            comparisons += 1;
            cells.extend(cell.as_mut().map(|cell| (cell, lower)));
        }
    }
    together(cells, comparisons, confidence);
    comparisons
}

/// Tests a family.
///
/// - `cells`: those that are there, and whether the lower number is the better one;
///   `comparisons`: how many there will be once nothing is missing.
fn together(cells: Vec<(&mut Comparison, bool)>, comparisons: usize, confidence: f64) {
    let mut cells: Vec<_> = cells.into_iter().filter(|(cell, _)| cell.effect.is_some()).collect();
    let p = cells.iter().flat_map(|(cell, _)| &cell.effect).map(|effect| effect.p);
    // What is still missing counts with p = 1: what is significant in a study that is half done
    // stays significant when it is done.
    let missing = std::iter::repeat_n(1.0, comparisons - cells.len());
    let p: Vec<f64> = p.chain(missing).collect();
    for ((cell, lower), adjusted) in cells.iter_mut().zip(holm(&p)) {
        let effect = cell.effect.as_ref().expect("only those with an effect");
        let replicates = cell.difference.values.len() as u32;
        cell.detectable = least(effect, replicates, confidence, comparisons);
        cell.adjusted_p = Some(adjusted);
        let loss = if *lower { effect.mean } else { -effect.mean };
        cell.verdict = Verdict::of(loss, adjusted, confidence);
    }
}

/// The minimum detectable effect; unknown where nothing varied, as on a task that no model ever
/// solves.
fn least(effect: &Effect, replicates: u32, confidence: f64, comparisons: usize) -> Option<f64> {
    let varied = effect.standard_error > 0.0;
    varied.then(|| detectable_like(effect, replicates, confidence, comparisons))
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

/// The comparisons on which two questions differ, in their order: p is corrected within each.
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

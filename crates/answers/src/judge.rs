//! Corrects for all comparisons that are tested together, and says what they are worth.
//!
//! A question has up to three families of comparisons that are tested together, each over all arms
//! that say something of their own. A removal against the base instead of the full mixture is the
//! sum of two others, and is not tested again.
//!
//! - Held-out text: the effect on the sources an arm is about, and on all others.
//! - Right answers: accuracies of tasks, and averages of categories in place of their tasks.
//! - Bits per byte of the right answers of every task.
//!
//! In each family something is called different wrongly in at most 5 % of questions (at a
//! confidence of 95 %), which is what the marks of a report promise; in any of the three, in at
//! most 15 %.

use sparkjoy_stats::{Effect, detectable_like, holm};

use super::{Answer, ArmAnswer, Comparison, Measure, TaskAnswer, Verdict, What};
use sparkjoy_study::Role;

pub(super) fn judge(answer: &mut Answer, confidence: f64) {
    text(answer, confidence);
    for family in [&[Measure::Average, Measure::Accuracy][..], &[Measure::GoldBitsPerByte]] {
        tasks(answer, family, confidence);
    }
}

fn says_something(arm: &ArmAnswer) -> bool {
    arm.role != Role::AgainstBase
}

fn text(answer: &mut Answer, confidence: f64) {
    let is_tested = |what: &What| matches!(what, What::Targeted | What::General);
    let scopes: Vec<bool> = answer.scopes.iter().map(|scope| is_tested(&scope.what)).collect();
    let is_source = |what: &What| matches!(what, What::Source { .. });
    let sources = answer.scopes.iter().filter(|scope| is_source(&scope.what)).count();
    let arms = || answer.arms.iter().filter(|arm| says_something(arm));
    let comparisons: usize = arms()
        .map(|arm| usize::from(!arm.targets.is_empty()) + usize::from(arm.targets.len() < sources))
        .sum();

    let arms = answer.arms.iter_mut().filter(|arm| says_something(arm));
    let cells = arms.flat_map(|arm| arm.cells.iter_mut().zip(&scopes));
    let cells = cells.filter(|(_, tested)| **tested).filter_map(|(cell, _)| cell.as_mut());
    together(cells.map(|cell| (cell, true)).collect(), comparisons, confidence);
}

fn tasks(answer: &mut Answer, family: &[Measure], confidence: f64) {
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
}

/// Tests a family.
///
/// - `cells`: those that are there, and whether the lower number is the better one;
///   `comparisons`: how many there will be once nothing is missing.
fn together(cells: Vec<(&mut Comparison, bool)>, comparisons: usize, confidence: f64) {
    let mut cells: Vec<_> = cells.into_iter().filter(|(cell, _)| cell.effect.is_some()).collect();
    let p = cells.iter().flat_map(|(cell, _)| &cell.effect).map(|effect| effect.p);
    // What is still missing counts as if nothing would be seen in it: what is marked in a study
    // that is half done stays marked when it is done.
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

/// What could have been seen; nothing is known about it where nothing varied, as on a task that
/// no model ever solves.
fn least(effect: &Effect, replicates: u32, confidence: f64, comparisons: usize) -> Option<f64> {
    let varied = effect.standard_error > 0.0;
    varied.then(|| detectable_like(effect, replicates, confidence, comparisons))
}

//! Corrects for all comparisons that are tested together, and says what they are worth.
//!
//! Tested together are, for every arm that says something of its own, its effect on the sources it
//! is about and on all others. A removal against the base instead of the full mixture is the sum of
//! two others, and is not tested again. All of these together are called different wrongly in at
//! most 5 % of questions (at a confidence of 95 %), which is what the marks of a report promise.

use sparkjoy_stats::{detectable_like, holm};

use super::{Answer, Comparison, Verdict, What};
use crate::Role;

pub(super) fn judge(answer: &mut Answer, confidence: f64) {
    let is_tested = |what: &What| matches!(what, What::Targeted | What::General);
    let scopes: Vec<bool> = answer.scopes.iter().map(|scope| is_tested(&scope.what)).collect();
    let is_source = |what: &What| matches!(what, What::Source { .. });
    let sources = answer.scopes.iter().filter(|scope| is_source(&scope.what)).count();
    let arms = || answer.arms.iter().filter(|arm| arm.role != Role::AgainstBase);
    let comparisons: usize = arms()
        .map(|arm| usize::from(!arm.targets.is_empty()) + usize::from(arm.targets.len() < sources))
        .sum();

    let arms = answer.arms.iter_mut().filter(|arm| arm.role != Role::AgainstBase);
    let cells = arms.flat_map(|arm| arm.cells.iter_mut().zip(&scopes));
    let cells = cells.filter(|(_, tested)| **tested).filter_map(|(cell, _)| cell.as_mut());
    let mut cells: Vec<&mut Comparison> = cells.filter(|cell| cell.effect.is_some()).collect();
    let p = cells.iter().flat_map(|cell| &cell.effect).map(|effect| effect.p);
    // What is still missing counts as if nothing would be seen in it: what is marked in a study
    // that is half done stays marked when it is done.
    let missing = std::iter::repeat_n(1.0, comparisons - cells.len());
    let p: Vec<f64> = p.chain(missing).collect();
    for (cell, adjusted) in cells.iter_mut().zip(holm(&p)) {
        let effect = cell.effect.as_ref().expect("only those with an effect");
        let replicates = cell.difference.values.len() as u32;
        cell.detectable = Some(detectable_like(effect, replicates, confidence, comparisons));
        cell.adjusted_p = Some(adjusted);
        cell.verdict = Verdict::of(effect.mean, adjusted, confidence);
    }
}

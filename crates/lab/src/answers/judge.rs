//! Corrects for all comparisons that are tested together, and says what they are worth.
//!
//! Tested together are, for every arm that says something of its own, its effect on the sources it
//! is about and on all others. A removal against the base instead of the full mixture is the sum of
//! two others, and is not tested again. All of these together are called different wrongly in at
//! most 5 % of questions (at a confidence of 95 %), which is what the marks of a report promise.

use sparkjoy_stats::{detectable, holm};

use super::{Answer, Comparison, Verdict, What};
use crate::Role;

pub(super) fn judge(answer: &mut Answer, confidence: f64) {
    let is_tested = |what: &What| matches!(what, What::Targeted | What::General);
    let scopes: Vec<bool> = answer.scopes.iter().map(|scope| is_tested(&scope.what)).collect();
    let arms = answer.arms.iter_mut().filter(|arm| arm.role != Role::AgainstBase);
    let cells = arms.flat_map(|arm| arm.cells.iter_mut().zip(&scopes));
    let cells = cells.filter(|(_, tested)| **tested).filter_map(|(cell, _)| cell.as_mut());
    let mut cells: Vec<&mut Comparison> = cells.filter(|cell| cell.effect.is_some()).collect();
    let p: Vec<f64> = cells.iter().flat_map(|cell| &cell.effect).map(|effect| effect.p).collect();
    let comparisons = p.len();
    for (cell, adjusted) in cells.iter_mut().zip(holm(&p)) {
        let effect = cell.effect.as_ref().expect("only those with an effect");
        let errors = detectable(effect.freedom, confidence, comparisons);
        cell.detectable = Some(errors * effect.standard_error);
        cell.adjusted_p = Some(adjusted);
        cell.verdict = Verdict::of(effect.mean, adjusted, confidence);
    }
}

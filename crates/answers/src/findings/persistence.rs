//! How much of a gain is left after more training on the trunk's mixture.

use sparkjoy_study::Role;

use super::Inference;
use crate::{Finding, Persistence, What};

pub(super) fn persistence(inference: &mut Inference<'_>) {
    inference.effects_of_answers();
    let arms = inference.arms(Role::Answer);
    let [first, .., last] = arms[..] else { return };
    if !inference.is_better(first) {
        return;
    }
    let of = |arm: usize| inference.tested(arm, &What::Targeted);
    let (Some(begin), Some(end)) = (of(first), of(last)) else { return };
    let left = end.effect.mean / begin.effect.mean;
    let change = inference.contrast(last, first, &What::Targeted);
    let persistence = Persistence { first, last, begin, end, left, change };
    inference.find(Finding::Persistence(persistence));
}

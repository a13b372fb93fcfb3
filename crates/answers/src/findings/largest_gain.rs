//! The largest targeted gain along an axis, what it costs, and where the axis was not tried.
//!
//! It says nothing about what to do: a longer window nearly always gains more where it is aimed,
//! and how much of everything else that is worth is not for the numbers to say.

use sparkjoy_study::Role;

use super::Inference;
use crate::{Contrast, FamilyKind, Finding, LargestGain, What};

/// Finds it, or that no arm gains.
///
/// Whether two arms differ is tested without a correction: that errs towards a difference.
pub(super) fn largest_gain(inference: &mut Inference<'_>) {
    let arms = inference.arms_along_axis();
    let mean = |arm: &usize| inference.effect(*arm, &What::Targeted).map(|effect| effect.mean);
    let better = arms.iter().filter(|&&arm| inference.is_better(arm));
    let gains = better.filter_map(|arm| Some((mean(arm)?, *arm)));
    let Some((_, arm)) = gains.min_by(|a, b| a.0.total_cmp(&b.0)) else {
        if !arms.is_empty() {
            let family = inference.family(FamilyKind::HeldOut);
            inference.find(Finding::NoGain { family });
        }
        return;
    };
    let Some(targeted) = inference.tested(arm, &What::Targeted) else { return };
    let (mut enough, mut lesser): (Option<Contrast>, Option<Contrast>) = (None, None);
    for less in arms.iter().copied().take_while(|&less| less != arm) {
        match inference.contrast(less, arm, &What::Targeted) {
            Some(contrast) if contrast.significant => lesser = Some(contrast),
            Some(contrast) if inference.is_better(less) => {
                enough = Some(contrast);
                break;
            }
            _ => {}
        }
    }
    let finding = LargestGain {
        arm,
        targeted,
        general: inference.tested(arm, &What::General),
        net: inference.text.net(&inference.question.arms[arm], inference.scale),
        at_end: arms.last() == Some(&arm),
        enough,
        lesser,
        next: next(inference, &arms, arm),
    };
    inference.answer.largest_gain = Some(arm);
    inference.find(Finding::LargestGain(Box::new(finding)));
}

/// Places of the axis to try next: beyond its end where the largest gain is there, else between it
/// and its neighbours. In hundredths.
pub(super) fn next(inference: &Inference<'_>, arms: &[usize], best: usize) -> Vec<f64> {
    let mut tried: Vec<f64> =
        arms.iter().filter_map(|&arm| inference.answer.arms[arm].at).collect();
    tried.dedup();
    let Some(at) = inference.answer.arms[best].at else { return Vec::new() };
    let Some(place) = tried.iter().position(|&other| other >= at) else { return Vec::new() };
    let before = if place > 0 { tried[place - 1] } else { 0.0 };
    let candidates = match tried.get(place + 1) {
        None if 2.0 * at < 1.0 => [1.5 * at, 2.0 * at],
        None => [at + (1.0 - at) / 3.0, at + (1.0 - at) / 1.5],
        Some(after) => [f64::midpoint(before, at), f64::midpoint(at, *after)],
    };
    let rounded = candidates.map(|place| (100.0 * place).round() / 100.0);
    let is_new = |place: &f64| {
        (0.0..1.0).contains(place) && tried.iter().all(|other| (other - place).abs() >= 0.01)
    };
    rounded.into_iter().filter(is_new).collect()
}

impl Inference<'_> {
    /// Whether the front and the sentence of the largest gain are about this arm.
    pub(super) fn is_largest_gain(&self, arm: usize) -> bool {
        self.answer.arms[arm].role == Role::Answer && self.answer.largest_gain == Some(arm)
    }
}

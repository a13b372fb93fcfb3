//! The least window or share whose targeted gain is not significantly below the largest.

use sparkjoy_study::Role;

use super::Inference;
use crate::{Contrast, FamilyKind, Finding, Recommendation, What};

/// Finds it, or that no arm gains.
///
/// Whether two arms differ is tested without a correction: that errs towards the longer window or
/// the larger share.
pub(super) fn recommend(inference: &mut Inference<'_>) {
    let arms = inference.arms(Role::Answer);
    let mean = |arm: &usize| inference.effect(*arm, &What::Targeted).map(|effect| effect.mean);
    let best = arms.iter().filter_map(|arm| Some((mean(arm)?, *arm)));
    let Some((_, best)) = best.min_by(|a, b| a.0.total_cmp(&b.0)) else { return };
    if !arms.iter().any(|&arm| inference.is_better(arm)) {
        let family = inference.family(FamilyKind::HeldOut);
        inference.find(Finding::NoGain { family });
        return;
    }
    let mut lesser: Option<Contrast> = None;
    for arm in inference.arms_along_axis() {
        if arm == best {
            choose(inference, best, None, lesser);
            return;
        }
        if !inference.is_better(arm) {
            continue;
        }
        match inference.contrast(arm, best, &What::Targeted) {
            Some(contrast) if contrast.significant => lesser = Some(contrast),
            Some(contrast) => {
                choose(inference, arm, Some(contrast), lesser);
                return;
            }
            None => {}
        }
    }
}

fn choose(
    inference: &mut Inference<'_>,
    arm: usize,
    largest: Option<Contrast>,
    lesser: Option<Contrast>,
) {
    let Some(targeted) = inference.tested(arm, &What::Targeted) else { return };
    let general = inference.tested(arm, &What::General);
    inference.answer.recommended = Some(arm);
    let recommendation = Recommendation { arm, targeted, general, largest, lesser };
    inference.find(Finding::Recommendation(recommendation));
}

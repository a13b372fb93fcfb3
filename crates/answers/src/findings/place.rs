//! When the window should come: each place against its control and against the last place.

use sparkjoy_study::Role;

use super::Inference;
use crate::{ArmEffect, BestPlace, Finding, Tested, Verdict, What};

pub(super) fn place(inference: &mut Inference<'_>) {
    inference.effects_of_answers();
    let places = inference.arms(Role::Place);
    let mut best: Option<(usize, Tested)> = None;
    for &arm in &places {
        let Some(tested) = inference.tested(arm, &What::Targeted) else { continue };
        let is_best = best.as_ref().is_none_or(|(_, other)| tested.effect.mean < other.effect.mean);
        if tested.verdict == Verdict::Better && is_best {
            best = Some((arm, tested.clone()));
        }
        inference.find(Finding::Effect(ArmEffect {
            arm,
            targeted: Some(tested),
            general: None,
            better: Vec::new(),
            worse: Vec::new(),
        }));
    }
    // Where no earlier place is significantly better, nothing follows: that is no evidence for the
    // last one.
    let Some((place, against_last)) = best else { return };
    // The same branches, once against their control and once against the last place.
    let branches = |arm: usize| &inference.question.arms[arm].branches;
    let answers = inference.arms(Role::Answer);
    let arm = answers.into_iter().find(|&arm| branches(arm) == branches(place));
    let Some(arm) = arm.filter(|&arm| inference.is_better(arm)) else { return };
    let Some(targeted) = inference.tested(arm, &What::Targeted) else { return };
    inference.find(Finding::BestPlace(BestPlace { arm, targeted, against_last }));
}

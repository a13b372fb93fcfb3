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
    // Where no earlier place is better, the last is the one to choose: all others were compared
    // with it.
    let answers = inference.arms(Role::Answer);
    let arm = match &best {
        Some((place, _)) => {
            // The same branches, once against their control and once against the last place.
            let branches = |arm: usize| &inference.question.arms[arm].branches;
            answers.iter().copied().find(|&arm| branches(arm) == branches(*place))
        }
        None if !places.is_empty() => answers.last().copied(),
        None => None,
    };
    let Some(arm) = arm.filter(|&arm| inference.is_better(arm)) else { return };
    let Some(targeted) = inference.tested(arm, &What::Targeted) else { return };
    inference.answer.recommended = Some(arm);
    let against_last = best.map(|(_, tested)| tested);
    inference.find(Finding::BestPlace(BestPlace { arm, targeted, against_last }));
}

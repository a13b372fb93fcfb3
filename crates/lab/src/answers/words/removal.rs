//! What each source is worth, and what filled its place.

use super::Speaker;
use crate::Role;
use crate::answers::{FindingKind, Verdict, What};

pub(super) fn removal(speaker: &mut Speaker<'_>) {
    for arm in speaker.arms(Role::Answer) {
        let refill = match &speaker.answer.arms[arm].refill {
            Some(refill) => format!(" with its share going to {}", taker(refill)),
            None => String::new(),
        };
        let Some(own) = speaker.effect(arm, &What::Targeted).cloned() else { continue };
        let verdict = speaker.cell(arm, &What::Targeted).map(|cell| cell.verdict);
        let worth = match verdict {
            Some(Verdict::Worse) => "its own text is missed",
            Some(Verdict::Better) => "its own text gets better without it",
            _ => "its own text is not distinguishably worse",
        };
        let label = speaker.label(arm);
        let mut text = format!("`{label}`{refill}: {worth}, {}", speaker.bits(&own));
        if let Some(others) = speaker.effect(arm, &What::General) {
            text = format!("{text}; everything else {}", speaker.bits(others));
        }
        speaker.say(FindingKind::Effect, format!("{text}."));
    }
    for arm in speaker.arms(Role::Refill) {
        let (Some(own), Some(others)) = (
            speaker.effect(arm, &What::Targeted).cloned(),
            speaker.effect(arm, &What::General).cloned(),
        ) else {
            continue;
        };
        let (label, control) = (speaker.label(arm), speaker.answer.arms[arm].control);
        let against = speaker.answer.controls[control].label.clone();
        let text = format!(
            "The refill alone, `{label}` against {against}: what was removed {}, everything else \
             {}.",
            speaker.bits(&own),
            speaker.bits(&others)
        );
        speaker.say(FindingKind::Effect, text);
    }
    speaker.ranking("what its own text loses without it");
}

/// Who gets the share, in words.
fn taker(refill: &str) -> String {
    match refill {
        "domain" => "the rest of its domain".to_owned(),
        "proportional" => "all other sources".to_owned(),
        source => format!("`{source}`"),
    }
}

//! What each source is worth, and what filled its place.

use super::{Speaker, harm, twins};
use crate::{FindingKind, Verdict, What};
use sparkjoy_study::Role;

pub(super) fn removal(speaker: &mut Speaker<'_>) {
    harm::harm(speaker);
    let twins = twins::twins(speaker);
    twins::idle(speaker, &twins);
    for arm in speaker.arms(Role::Answer) {
        let Some(own) = speaker.effect(arm, &What::Targeted).cloned() else { continue };
        let verdict = speaker.cell(arm, &What::Targeted).map(|cell| cell.verdict);
        let worth = match verdict {
            Some(Verdict::Worse) => "its own text is missed",
            Some(Verdict::Better) => "its own text gets better without it",
            _ => "its own text is not distinguishably worse",
        };
        let (label, refill) = (speaker.label(arm), speaker.refill(arm));
        let refill = refill.map_or_else(String::new, |refill| format!(" with its {refill}"));
        let mut text = format!("`{label}`{refill}: {worth}, {}", speaker.bits(&own));
        if let Some(others) = speaker.effect(arm, &What::General) {
            let change = match speaker.cell(arm, &What::General).map(|cell| cell.verdict) {
                Some(Verdict::Better) => "everything else gains",
                Some(Verdict::Worse) => "everything else loses",
                _ => "everything else is not distinguishably changed",
            };
            text = format!("{text}; {change}, {}", speaker.bits(others));
        }
        if let Some(ways) = speaker.both_ways(arm) {
            text = format!("{text}; on tasks, {ways}");
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
        let (label, against) = (speaker.label(arm), speaker.against(arm));
        let mut text = format!(
            "The refill alone, `{label}`{against}: what was removed {}, everything else {}",
            speaker.bits(&own),
            speaker.bits(&others)
        );
        if let Some(ways) = speaker.both_ways(arm) {
            text = format!("{text}; on tasks, {ways}");
        }
        speaker.say(FindingKind::Effect, format!("{text}."));
    }
    for arm in 0..speaker.answer.arms.len() {
        if speaker.answer.arms[arm].role == Role::Whole
            && let Some(ways) = speaker.both_ways(arm)
        {
            let text =
                format!("`{}`{} on tasks, {ways}.", speaker.label(arm), speaker.against(arm));
            speaker.say(FindingKind::Effect, text);
        }
    }
    speaker.ranking("what its own text loses without it");
}

impl Speaker<'_> {
    /// Who gets the share of what is removed: `share going to all other sources`.
    pub(super) fn refill(&self, arm: usize) -> Option<String> {
        let refill = self.answer.arms[arm].refill.as_deref()?;
        let taker = match refill {
            "domain" => "the rest of its domain".to_owned(),
            "proportional" => "all other sources".to_owned(),
            source => format!("`{source}`"),
        };
        Some(format!("share going to {taker}"))
    }

    /// What an arm removes, each in backticks.
    pub(super) fn removed(&self, arm: usize) -> Vec<String> {
        let label = &self.answer.arms[arm].label;
        let names = label.split(", refill ").next().unwrap_or(label).trim_start_matches("− ");
        names.split(" − ").map(|name| format!("`{name}`")).collect()
    }

    /// Whether two removals leave the share of what they remove to the same sources.
    pub(super) fn same_refill(&self, one: usize, other: usize) -> bool {
        self.answer.arms[one].refill == self.answer.arms[other].refill
    }
}

//! Arms: what they are called, what they remove, what they change.

use sparkjoy_answers::{Answer, ArmEffect, Tested};
use sparkjoy_study::{Ask, Role};

use super::amounts::{bits, bits_again, correction, judged, tasks};

/// What an arm of a question is.
pub(crate) fn noun(answer: &Answer) -> &'static str {
    match answer.ask {
        Ask::Duration => "window",
        Ask::Addition => "share",
        Ask::Proportion => "mixture",
        _ => "arm",
    }
}

/// An arm's label in backticks.
pub(super) fn label(answer: &Answer, arm: usize) -> String {
    format!("`{}`", answer.arms[arm].label)
}

pub(super) fn labels(answer: &Answer, arms: &[usize]) -> String {
    arms.iter().map(|&arm| label(answer, arm)).collect::<Vec<_>>().join(", ")
}

/// What a removal removes: `` `code` and `forks` ``.
pub(super) fn removed(answer: &Answer, arm: usize) -> String {
    let targets = &answer.arms[arm].targets;
    together(&targets.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>())
}

/// `a, b and c`.
pub(super) fn together(names: &[String]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// The same, with the refill where the question has removals under several refill rules.
pub(super) fn removal(answer: &Answer, arm: usize) -> String {
    let other = |other: &sparkjoy_answers::ArmAnswer| {
        other.role == Role::Answer && other.refill != answer.arms[arm].refill
    };
    let refill = refill(answer, arm).filter(|_| answer.arms.iter().any(other));
    let refill = refill.map_or_else(String::new, |refill| format!(" ({refill})"));
    format!("{}{refill}", removed(answer, arm))
}

/// Which sources get the share of what is removed: `share to all other sources`.
pub(super) fn refill(answer: &Answer, arm: usize) -> Option<String> {
    Some(match answer.arms[arm].refill.as_deref()? {
        "domain" => "share to the rest of its domain".to_owned(),
        "proportional" => "share to all other sources".to_owned(),
        source => format!("share to `{source}`"),
    })
}

/// What an arm is compared with, where that is not what the question compares with.
pub(super) fn against(answer: &Answer, arm: usize) -> String {
    let arm = &answer.arms[arm];
    match arm.role {
        Role::Answer => String::new(),
        _ => format!(" against {}", answer.controls[arm.control].label),
    }
}

/// What one arm changes: text, then tasks.
pub(super) fn effect(answer: &Answer, finding: &ArmEffect) -> String {
    let ArmEffect { arm, targeted, general, better, worse } = finding;
    let role = answer.arms[*arm].role;
    let is_removal = answer.ask == Ask::Removal && matches!(role, Role::Answer | Role::Refill);
    let [own, other] = match is_removal {
        true if role == Role::Refill => ["removed text", "other text"],
        true => ["own text", "other text"],
        false => ["targeted", "general"],
    };
    let mut parts = Vec::new();
    if let Some(Tested { effect, verdict: says, .. }) = targeted {
        parts.push(format!("{own} {}", judged(*says, &bits(effect))));
    }
    if let Some(Tested { effect, verdict: says, .. }) = general {
        parts.push(format!("{other} {}", judged(*says, &bits_again(effect))));
    }
    for (on, word) in [(worse, "significantly worse"), (better, "significantly better")] {
        if !on.is_empty() {
            parts.push(format!("{word} tasks: {}", tasks(on)));
        }
    }
    let tested = targeted.iter().chain(general);
    let on_tasks = better.iter().chain(worse).map(|task| &task.tested);
    let families = tested.chain(on_tasks).map(|tested| tested.family);
    let family = families.max_by_key(|family| family.comparisons);
    let correction = family.map_or_else(String::new, |family| match family.comparisons {
        0 | 1 => format!(" ({})", correction(family)),
        _ => " (after Holm)".to_owned(),
    });
    let refill = refill(answer, *arm).filter(|_| role == Role::Answer);
    let refill = refill.map_or_else(String::new, |refill| format!(" ({refill})"));
    let what = if role == Role::Refill { "Refill alone, " } else { "" };
    format!(
        "{what}{}{refill}{}: {}{correction}.",
        label(answer, *arm),
        against(answer, *arm),
        parts.join("; ")
    )
}

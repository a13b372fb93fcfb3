//! Questions along an axis: which window or share, which place, what is left of a gain, the front
//! and the ranking.

use sparkjoy_answers::{Answer, BestPlace, Persistence, Ranking, Recommendation, Tested, Verdict};
use sparkjoy_base::percent;
use sparkjoy_study::Ask;

use super::amounts::{bits, bits_again, correction, difference, p_of, shortfall};
use super::arms::{label, labels, noun};

/// The window or share to choose.
pub(super) fn recommendation(answer: &Answer, finding: &Recommendation) -> String {
    let Recommendation { arm, targeted, general, largest, lesser } = finding;
    let the_last = if answer.ask == Ask::Duration { "the last " } else { "" };
    let name = &answer.arms[*arm].label;
    let mut text = format!("Use {the_last}{name}: targeted {}", bits(&targeted.effect));
    if let Some(general) = general {
        text = format!("{text}, general {}{}", bits_again(&general.effect), undetected(general));
    }
    text = match largest {
        None => format!("{text}. Largest targeted gain"),
        Some(contrast) => format!(
            "{text}. The largest targeted gain, of {}, is not significantly larger: difference {} \
             ({})",
            label(answer, contrast.rival),
            difference(contrast),
            p_of(contrast)
        ),
    };
    if let Some(contrast) = lesser {
        let than = if largest.is_some() { " than that" } else { "" };
        text = format!(
            "{text}; {} gains significantly less{than}, by {} ({})",
            label(answer, contrast.arm),
            shortfall(contrast),
            p_of(contrast)
        );
    }
    format!("{text}.")
}

/// ` (not significant after Holm; …)`, nothing where it is significant.
fn undetected(tested: &Tested) -> String {
    if tested.verdict != Verdict::NotSignificant {
        return String::new();
    }
    let correction = match tested.family.comparisons {
        0 | 1 => "",
        _ => " after Holm",
    };
    let least = tested.detectable.map_or_else(String::new, |least| {
        format!("; an effect of {least:.4} or more would have been detected with 80 % power")
    });
    format!(" (not significant{correction}{least})")
}

/// The place of the window to choose.
pub(super) fn best_place(answer: &Answer, finding: &BestPlace) -> String {
    let BestPlace { arm, targeted, against_last } = finding;
    format!(
        "Put the window {}: targeted {}; significantly better than the last place, {} ({}).",
        answer.arms[*arm].label,
        bits(&targeted.effect),
        bits(&against_last.effect),
        correction(against_last.family)
    )
}

pub(super) fn persistence(answer: &Answer, finding: &Persistence) -> String {
    let Persistence { last, begin, end, left, change, .. } = finding;
    let label = &answer.arms[*last].label;
    let left = match end.verdict {
        Verdict::Better => format!("{} of the targeted gain is left {label}", percent(*left)),
        _ => format!("{label} no targeted gain is significant ({})", correction(end.family)),
    };
    let change = match change {
        None => "the two are about different sources".to_owned(),
        Some(contrast) => format!(
            "the change of {} is {}significant ({})",
            difference(contrast),
            if contrast.significant { "" } else { "not " },
            p_of(contrast)
        ),
    };
    format!("{left}: {} after {}; {change}.", bits(&end.effect), bits_again(&begin.effect))
}

pub(super) fn front(answer: &Answer, arms: &[usize], of: usize) -> String {
    format!(
        "On the Pareto front of targeted gain and general cost: {}. {} of {of} {}s {} significantly \
         beaten in both by another one (after Holm).",
        labels(answer, arms),
        of - arms.len(),
        noun(answer),
        if of - arms.len() == 1 { "is" } else { "are" }
    )
}

/// The ranking, with neighbours that do not differ significantly.
pub(super) fn ranking(answer: &Answer, Ranking { arms, neighbours }: &Ranking) -> String {
    let by = match answer.ask {
        Ask::Removal => "loss of its own text",
        _ => "targeted gain",
    };
    let mut text = format!("By {by}: {}", label(answer, arms[0]));
    for (contrast, &arm) in neighbours.iter().zip(&arms[1..]) {
        let between =
            if contrast.significant { ", then" } else { ", not significantly different from" };
        text = format!("{text}{between} {}", label(answer, arm));
    }
    let tests = neighbours.first().map(|contrast| correction(contrast.family));
    format!("{text} (neighbours compared, {}).", tests.unwrap_or_default())
}

//! Questions along an axis: which window or share, which place, what is left of a gain, the front
//! and the ranking.

use sparkjoy_answers::{Answer, BestPlace, LargestGain, Persistence, Ranking, Tested, Verdict};
use sparkjoy_base::percent;
use sparkjoy_study::Ask;

use super::amounts::{bits, bits_again, correction, difference, p_of, shortfall, size};
use super::arms::{label, labels, noun};

/// The largest targeted gain, its cost, and what to try next.
pub(super) fn largest_gain(answer: &Answer, finding: &LargestGain) -> String {
    let LargestGain { general, net, enough, lesser, next, targeted, .. } = finding;
    let mut text = format!("{}: {}", largest(answer, finding), size(&targeted.effect));
    if let Some(general) = general {
        text = format!(
            "{text}. On all other sources (general): {}{}",
            bits_again(&general.effect),
            undetected(general)
        );
    }
    if let Some(net) = net {
        text = format!("{text}. On text as the base mixture draws it (net): {}", bits_again(net));
    }
    if let Some(contrast) = enough {
        text = format!(
            "{text}. {} is not significantly below it: {} ({})",
            label(answer, contrast.arm),
            difference(contrast),
            p_of(contrast)
        );
    }
    if let Some(contrast) = lesser {
        text = format!(
            "{text}. {} gains significantly less, by {} ({})",
            label(answer, contrast.arm),
            shortfall(contrast),
            p_of(contrast)
        );
    }
    let places: Vec<String> = next.iter().map(|place| format!("{:.0}%", 100.0 * place)).collect();
    if !places.is_empty() {
        text = format!("{text}. To try next: {}", places.join(" and "));
    }
    format!("{text}.")
}

/// The same without its numbers.
pub(super) fn largest_gain_in_short(answer: &Answer, finding: &LargestGain) -> String {
    let LargestGain { targeted, general, net, .. } = finding;
    let general = general.as_ref().map_or_else(String::new, |general| {
        format!("; on all other sources {}", bits_again(&general.effect))
    });
    let net = net.as_ref().map_or_else(String::new, |net| {
        format!("; on text as the base mixture draws it {}", bits_again(net))
    });
    let gain = size(&targeted.effect);
    format!("{}: {gain}{general}{net}.", largest(answer, finding))
}

/// `Largest targeted gain: the last 20%, the longest window tried`.
fn largest(answer: &Answer, LargestGain { arm, at_end, .. }: &LargestGain) -> String {
    let name = &answer.arms[*arm].label;
    let duration = answer.ask == Ask::Duration;
    let end = match (*at_end, duration) {
        (false, _) => "",
        (true, true) => ", the longest window tried",
        (true, false) => ", the largest share tried",
    };
    let the_last = if duration { "the last " } else { "" };
    format!("Largest targeted gain: {the_last}{name}{end}")
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

/// Whether an earlier place of the window is better than the last.
pub(super) fn best_place(answer: &Answer, finding: &BestPlace) -> String {
    let BestPlace { arm, targeted, against_last } = finding;
    format!(
        "The window {} is significantly better than the last place, by {} ({}); targeted {}.",
        answer.arms[*arm].label,
        size(&against_last.effect),
        correction(against_last.family),
        bits(&targeted.effect)
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
            "the change, {}, is {}significant ({})",
            difference(contrast),
            if contrast.significant { "" } else { "not " },
            p_of(contrast)
        ),
    };
    format!(
        "{left}: {}, right after the window {}; {change}.",
        bits(&end.effect),
        bits_again(&begin.effect)
    )
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

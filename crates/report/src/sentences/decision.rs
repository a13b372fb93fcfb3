//! What to choose, and what to keep, under the objective of the study.

use sparkjoy_answers::{
    Answer, Candidate, CurveShape, Decision, Effect, Fate, GainUnit, GuardState, Guarded,
    GuardedMeasure, Judged, Optimum, RemovalDecision,
};
use sparkjoy_base::{minus_sign, percent, signed};
use sparkjoy_study::Ask;

use super::arms::{label, labels, noun, removal};

/// Mixtures of a simplex that are said to be not allowed one by one, at most: there are many.
const FAILING: usize = 3;

/// The choice, why not the others, and where the best may lie.
pub(super) fn decision(answer: &Answer, decision: &Decision) -> String {
    let mut text = match decision.candidates.iter().find(|it| Some(it.arm) == decision.chosen) {
        Some(chosen) => self::chosen(answer, decision, chosen),
        None => open(answer, decision),
    };
    let failing: Vec<String> = decision
        .candidates
        .iter()
        .filter_map(|candidate| not_allowed(answer, decision, candidate))
        .collect();
    if decision.surface.is_some() && failing.len() > FAILING {
        text = format!(
            "{text} {} of {} mixtures are not allowed: their guards are broken or not shown to \
             hold.",
            failing.len(),
            decision.candidates.len()
        );
    } else {
        text = std::iter::once(text).chain(failing).collect::<Vec<_>>().join(" ");
    }
    if let Some(optimum) = &decision.optimum {
        text = format!("{text} {}", curve(answer, decision, optimum));
    }
    text
}

/// The same with the one candidate that a reader asks about first: that of the largest gain, where
/// a guard keeps it out.
pub(super) fn in_short(answer: &Answer, decision: &Decision) -> String {
    let largest =
        decision.candidates.iter().max_by(|a, b| a.judged.gain.mean.total_cmp(&b.judged.gain.mean));
    let failing = largest.and_then(|it| Some((it, not_allowed(answer, decision, it)?)));
    match decision.candidates.iter().find(|it| Some(it.arm) == decision.chosen) {
        Some(chosen) => {
            let text = self::chosen(answer, decision, chosen);
            match failing {
                Some((more, why)) if more.arm != chosen.arm => format!("{text} {why}"),
                _ => text,
            }
        }
        None => open(answer, decision),
    }
}

/// `30% is not allowed: the guard of …`; none where all guards hold.
fn not_allowed(answer: &Answer, decision: &Decision, it: &Candidate) -> Option<String> {
    let (guard, of) = worst(&it.judged, &decision.guards)?;
    Some(format!("{} is not allowed: {}.", label(answer, it.arm), failing(guard, of)))
}

fn chosen(answer: &Answer, decision: &Decision, chosen: &Candidate) -> String {
    let name = label(answer, chosen.arm);
    let what = match answer.ask {
        Ask::Duration => format!("the last {name}"),
        _ => name,
    };
    let cost = match chosen.cost {
        0.0 => String::new(),
        cost => format!(" after {} for its data", number(cost, decision.unit)),
    };
    let guards = match decision.guards.len() {
        0 => String::new(),
        1 => "; the guard holds".to_owned(),
        2 => "; both guards hold".to_owned(),
        n => format!("; all {n} guards hold"),
    };
    let mut text = format!(
        "Use {what}: the objective ({}) improves by {}{cost}{guards}. Probability of being the \
         best with guards that hold: {}{}.",
        decision.objective,
        amount(&chosen.judged.gain, decision.unit),
        percent(chosen.judged.best),
        likelier(answer, decision, chosen)
    );
    if !decision.alike.is_empty() {
        let (names, verb) = (labels(answer, &decision.alike), verb(decision.alike.len()));
        text = format!("{text} {names} {verb} not significantly worse.");
    }
    if !decision.next.is_empty() {
        let next: Vec<String> =
            decision.next.iter().map(|place| format!("{:.0}%", 100.0 * place)).collect();
        let end = decision.candidates.last().is_some_and(|last| last.arm == chosen.arm);
        let why = if end {
            format!(
                "It is the largest {} you tried, so the best may not be among them. ",
                noun(answer)
            )
        } else {
            String::new()
        };
        text = format!("{text} {why}To try next: {}.", next.join(" and "));
    }
    text
}

/// ` (40%, whose guards are not shown to hold: 78.6 %)`: the one that is more likely the best than
/// the chosen one, and not allowed; nothing where there is none.
fn likelier(answer: &Answer, decision: &Decision, chosen: &Candidate) -> String {
    let others = decision.candidates.iter().filter(|it| !it.judged.allowed);
    let likely = others.max_by(|a, b| a.judged.best.total_cmp(&b.judged.best));
    match likely.filter(|it| it.judged.best > chosen.judged.best) {
        Some(it) => format!(
            " ({}, whose guards are not shown to hold: {})",
            label(answer, it.arm),
            percent(it.judged.best)
        ),
        None => String::new(),
    }
}

/// Nothing is chosen, and why.
fn open(answer: &Answer, decision: &Decision) -> String {
    let allowed = decision.candidates.iter().filter(|it| it.judged.allowed);
    let gains = decision.candidates.iter().filter(|it| it.judged.improves).count();
    let noun = noun(answer);
    let why = if allowed.count() == 0 && gains > 0 {
        format!(
            "{gains} of {} {noun}s improve the objective, but of none all guards are shown to \
                 hold",
            decision.candidates.len()
        )
    } else {
        format!("no {noun} whose guards hold improves the objective significantly")
    };
    let best =
        decision.candidates.iter().max_by(|a, b| a.judged.gain.mean.total_cmp(&b.judged.gain.mean));
    let best = best.map_or_else(String::new, |it| {
        let gain = amount(&it.judged.gain, decision.unit);
        format!(" The largest change is that of {}: {gain}.", label(answer, it.arm))
    });
    format!(
        "Not decided: {why} ({}).{best} Probability that the trunk's mixture is the best: {}.",
        decision.objective,
        percent(decision.base)
    )
}

/// The guard that is furthest from holding; none where all hold.
fn worst<'a>(
    judged: &'a Judged,
    guards: &'a [GuardedMeasure],
) -> Option<(&'a Guarded, &'a GuardedMeasure)> {
    let failing = judged.guards.iter().zip(guards);
    let failing = failing.filter(|(guard, _)| guard.state != GuardState::Holds);
    failing.max_by(|(a, _), (b, _)| a.adjusted_p.total_cmp(&b.adjusted_p))
}

/// `the guard of web is broken: a loss of 0.8 % [0.6, 1.0], margin 0.5 %`.
fn failing(guard: &Guarded, of: &GuardedMeasure) -> String {
    let state = match guard.state {
        GuardState::Broken => "is broken",
        GuardState::Holds => "holds",
        GuardState::Open => "is not shown to hold",
    };
    let (loss, margin) = (amount(&guard.loss, of.unit), plain(guard.margin, of.unit));
    format!("the guard of {} {state} (loss {loss}, margin {margin})", of.name)
}

/// Where the curve is highest.
fn curve(answer: &Answer, decision: &Decision, optimum: &Optimum) -> String {
    let share = |share: f64| format!("{:.0}%", 100.0 * share);
    let places = decision.candidates.iter().filter_map(|it| answer.arms[it.arm].at);
    let [first, last] =
        places.fold([f64::INFINITY, 0.0], |[low, high], place| [place.min(low), place.max(high)]);
    let [low, high] = optimum.interval;
    let shape = match optimum.shape {
        CurveShape::Monotone => "a monotone curve",
        CurveShape::Quadratic => "a parabola in the logarithm of the share",
    };
    let is_end = |place: f64, end: f64| (place / end - 1.0).abs() < 1e-6;
    let where_ = if is_end(low, first) && is_end(high, last) {
        "where the objective is highest is not determined".to_owned()
    } else if is_end(optimum.at, last) {
        format!(
            "the objective is highest at {} and the curve still rises: the optimum is not in your \
             grid (interval {} to {})",
            share(optimum.at),
            share(low),
            share(high)
        )
    } else {
        let (low, high) = (share(low), share(high));
        format!("the objective is highest at {} (interval {low} to {high})", share(optimum.at))
    };
    format!("By {shape}, {where_}; guards are not part of the curve.")
}

/// Keep, drop, not needed or not decided.
pub(super) fn of_removal(answer: &Answer, decision: &RemovalDecision) -> String {
    let what = removal(answer, decision.arm);
    let gain = amount(&decision.judged.gain, decision.unit);
    let margin = decision.margin.map(|margin| plain(margin, decision.unit));
    let effect = format!("without it the objective changes by {gain}");
    let broken = worst(&decision.judged, &decision.guarded);
    let mut text = match (decision.fate, &broken) {
        (Fate::Keep, Some((guard, of))) if guard.state == GuardState::Broken => {
            format!("Keep {what}: {}; {effect}", failing(guard, of))
        }
        (Fate::Keep, _) => format!("Keep {what}: {effect}"),
        (Fate::Drop, _) => format!("Drop {what}: {effect}, and all guards hold"),
        (Fate::NotNeeded, _) => format!(
            "{what} is not needed: {effect}, less than the margin of {} in both directions",
            margin.unwrap_or_default()
        ),
        (Fate::NotDecided, Some((guard, of))) if decision.judged.gain.mean > 0.0 => {
            format!("Not decided for {what}: {effect}, but {}", failing(guard, of))
        }
        (Fate::NotDecided, _) => {
            let why = match margin {
                Some(margin) => format!(", neither significant nor shown to be within {margin}"),
                None => ", which is not significant; with `margin` in `[objective]` it can be \
                         shown to be not needed"
                    .to_owned(),
            };
            format!("Not decided for {what}: {effect}{why}")
        }
    };
    if let Some(own) = &decision.own {
        let own = amount(own, GainUnit::Percent);
        text = format!("{text}. Its own text, which does not count here: {own}");
    }
    format!("{text}.")
}

/// `+3.12 % [+2.05, +4.19]`.
pub(crate) fn amount(effect: &Effect, unit: GainUnit) -> String {
    span([effect.mean, effect.low, effect.high], unit)
}

/// The same of a mean and the ends of its interval.
pub(super) fn span(of: [f64; 3], unit: GainUnit) -> String {
    let [mean, low, high] = of.map(|value| signed(value, places(unit)));
    format!("{mean} {} [{low}, {high}]", name(unit))
}

/// `0.21 %`: a size without a direction.
pub(super) fn size(value: f64, unit: GainUnit) -> String {
    format!("{} {}", sparkjoy_base::number(value, places(unit)), name(unit))
}

pub(super) fn number(value: f64, unit: GainUnit) -> String {
    format!("{} {}", signed(value, places(unit)), name(unit))
}

/// `0.05 to 1.32 %`: amounts from the first to the last, neither below 0.
pub fn range([low, high]: [f64; 2], unit: GainUnit) -> String {
    let show = |value: f64| format!("{value:.*}", places(unit));
    let (low, high) = (show(low), show(high));
    let amounts = if low == high { high } else { format!("{low} to {high}") };
    format!("{amounts} {}", name(unit))
}

/// A margin as it was written.
pub fn plain(value: f64, unit: GainUnit) -> String {
    format!("{} {}", minus_sign(&value.to_string()), name(unit))
}

fn places(unit: GainUnit) -> usize {
    if unit == GainUnit::Percent { 2 } else { 1 }
}

fn name(unit: GainUnit) -> &'static str {
    match unit {
        GainUnit::Percent => "%",
        GainUnit::Points => "points",
        GainUnit::Mixed => "(% and points)",
    }
}

fn verb(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

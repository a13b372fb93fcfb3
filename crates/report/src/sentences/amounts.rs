//! Effects with their intervals, and what corrected their p.

use sparkjoy_answers::{
    Contrast, Detectable, Effect, Family, Measure, TaskContrast, TaskEffect, Verdict,
};
use sparkjoy_base::{minus_sign, number, percentage_points, signed};

/// Decimals of bits per byte.
const PLACES: usize = 4;

/// `better by 0.048 bits per byte [0.045, 0.052]` with three places: fewer bits are better, so
/// words tell the direction. The interval counts in the same one: below 0 is the other.
pub fn better_by(effect: &Effect, places: usize) -> String {
    format!("{} {}", way(effect.mean, places), size_to(effect, places))
}

/// The same with the usual places.
pub(super) fn bits(effect: &Effect) -> String {
    better_by(effect, PLACES)
}

/// `worse by 0.0017 [−0.0084, 0.0117]`, where the unit was named before.
pub(super) fn bits_again(effect: &Effect) -> String {
    format!("{} {}", bits_alone(effect.mean), turned(effect, PLACES))
}

/// `better by 0.0483`.
pub(super) fn bits_alone(mean: f64) -> String {
    format!("{} {}", way(mean, PLACES), number(mean.abs(), PLACES))
}

/// `0.0483 bits per byte [0.0446, 0.0520]`, where words before tell the direction.
pub(super) fn size(effect: &Effect) -> String {
    size_to(effect, PLACES)
}

fn size_to(effect: &Effect, places: usize) -> String {
    format!("{} bits per byte {}", number(effect.mean.abs(), places), turned(effect, places))
}

fn way(mean: f64, places: usize) -> &'static str {
    match mean {
        _ if number(mean, places) == number(0.0, places) => "changed by",
        gain if gain < 0.0 => "better by",
        _ => "worse by",
    }
}

/// The interval in the direction of the mean.
fn turned(effect: &Effect, places: usize) -> String {
    let [low, high] = match effect.mean {
        gain if gain < 0.0 => [-effect.high, -effect.low],
        _ => [effect.low, effect.high],
    };
    format!("[{}, {}]", number(low, places), number(high, places))
}

/// `+31.2 points [+25.0, +37.4]`; of bits per byte as [`bits`].
pub(super) fn amount(measure: Measure, effect: &Effect) -> String {
    let show = |value: f64| shown(measure, value);
    if measure == Measure::GoldBitsPerByte {
        return bits(effect);
    }
    let (mean, unit) = (show(effect.mean), unit(measure));
    format!("{mean} {unit} [{}, {}]", show(effect.low), show(effect.high))
}

fn shown(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Accuracy => percentage_points(value),
        Measure::Average | Measure::GoldBitsPerByte => signed(value, 4),
    }
}

fn unit(measure: Measure) -> &'static str {
    match measure {
        Measure::Average => "of the average",
        Measure::Accuracy => "points",
        Measure::GoldBitsPerByte => "bits per byte",
    }
}

/// How far a gain is below another one: `0.0440 bits per byte [0.0390, 0.0490]`.
pub(super) fn shortfall(contrast: &Contrast) -> String {
    let places = |value: f64| minus_sign(&format!("{value:.4}"));
    let interval = contrast.effect.as_ref().map_or_else(String::new, |effect| {
        format!(" [{}, {}]", places(effect.low), places(effect.high))
    });
    format!("{} bits per byte{interval}", places(contrast.difference))
}

/// A difference of held-out text: `worse by 0.0041 bits per byte [−0.0012, 0.0094]`.
pub(super) fn difference(contrast: &Contrast) -> String {
    of_task(Measure::GoldBitsPerByte, contrast)
}

/// A difference on a task, without its name.
pub(super) fn on_task(TaskContrast { measure, contrast, .. }: &TaskContrast) -> String {
    of_task(*measure, contrast)
}

/// The same of a contrast by itself.
pub(super) fn of_task(measure: Measure, contrast: &Contrast) -> String {
    match &contrast.effect {
        Some(effect) => amount(measure, effect),
        None if measure == Measure::GoldBitsPerByte => {
            format!("{} bits per byte", bits_alone(contrast.difference))
        }
        None => format!("{} {}", shown(measure, contrast.difference), unit(measure)),
    }
}

/// `` `facts` +12.3 points […], correct answers of `sums` better by 0.0123 bits per byte […]``.
pub(super) fn tasks(tasks: &[TaskEffect]) -> String {
    /// Tasks that are named at most.
    const NAMED: usize = 6;
    let one = |TaskEffect { task, measure, tested }: &TaskEffect| {
        format!("{} {}", name(task, *measure), amount(*measure, &tested.effect))
    };
    let mut named: Vec<String> = tasks.iter().take(NAMED).map(one).collect();
    if tasks.len() > NAMED {
        named.push(format!("and {} more", tasks.len() - NAMED));
    }
    named.join(", ")
}

/// `` `facts` ``, ``correct answers of `facts` ``.
pub(super) fn name(task: &str, measure: Measure) -> String {
    match measure {
        Measure::Average | Measure::Accuracy => format!("`{task}`"),
        Measure::GoldBitsPerByte => format!("correct answers of `{task}`"),
    }
}

/// `2.1 to 6.3 points`, `0.0061 bits per byte on other text`.
pub(super) fn detectable(Detectable { measure, low, high }: &Detectable) -> String {
    let of = measure.unwrap_or(Measure::GoldBitsPerByte);
    let show = |value: f64| match of {
        Measure::Accuracy => format!("{:.1}", 100.0 * value),
        Measure::Average | Measure::GoldBitsPerByte => format!("{value:.4}"),
    };
    // An accuracy ends at 0 and at 100 %.
    let is_possible = |value: f64| of != Measure::Accuracy || value <= 1.0;
    let (least, most) = (show(*low), show(*high));
    let unit = unit(of);
    match (is_possible(*low), is_possible(*high)) {
        (true, true) if least == most => format!("{least} {unit}"),
        (true, true) => format!("{least} to {most} {unit}"),
        (true, false) => format!("{least} {unit} to more than a score can change"),
        (false, _) => "more than a score can change".to_owned(),
    }
}

/// ``significantly better by 0.0483 bits per byte [0.0446, 0.0520]``,
/// ``worse by 0.0017 [−0.0084, 0.0117], not significant``.
///
/// - `amount`: of its effect, with its direction.
pub(super) fn judged(verdict: Verdict, amount: &str) -> String {
    match verdict {
        Verdict::Better | Verdict::Worse => format!("significantly {amount}"),
        Verdict::NotSignificant => format!("{amount}, not significant"),
        Verdict::NotTested => format!("{amount}, not tested"),
    }
}

/// `after Holm over 4 comparisons`, `not corrected`.
pub(super) fn correction(family: Family) -> String {
    match family.comparisons {
        0 | 1 => "not corrected".to_owned(),
        n => format!("after Holm over {n} comparisons"),
    }
}

/// `p 0.003 after Holm over 4 comparisons`, `p < 0.001, not corrected`.
pub(super) fn p(adjusted: f64, family: Family) -> String {
    let p = if adjusted < 0.001 { "p < 0.001".to_owned() } else { format!("p {adjusted:.3}") };
    let comma = if family.comparisons > 1 { "" } else { "," };
    format!("{p}{comma} {}", correction(family))
}

pub(super) fn p_of(contrast: &Contrast) -> String {
    p(contrast.adjusted_p, contrast.family)
}

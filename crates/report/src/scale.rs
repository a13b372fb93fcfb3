//! From numbers to places: a linear axis with ticks at numbers people use.

use sparkjoy_base::number;

/// The part of a step that a value may lie past the last tick: nobody sees it. Windows are whole
/// steps of training, and 30 % of a run may be 30.02 %.
const SLACK: f64 = 0.02;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Where it stands, in units of the figure.
    pub(crate) at: f64,
    pub(crate) value: f64,
    pub(crate) label: String,
    /// Whether it is the tick at 0.
    pub(crate) zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    step: f64,
}

impl Scale {
    /// An axis that holds all `values`, with ends at ticks.
    ///
    /// - `from`, `to`: where its ends are, in units of the figure.
    /// - `ticks`: about how many there should be.
    pub(crate) fn around(
        values: impl Iterator<Item = f64>,
        (from, to): (f64, f64),
        ticks: u32,
    ) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let ends = finite.fold(None, |ends: Option<(f64, f64)>, value| {
            let (low, high) = ends.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        let (mut low, mut high) = ends.unwrap_or((0.0, 1.0));
        if high - low < f64::EPSILON * high.abs().max(1.0) {
            let margin = if high == 0.0 { 1.0 } else { high.abs() * 0.5 };
            (low, high) = (low - margin, high + margin);
        }
        let step = nice((high - low) / f64::from(ticks.max(1)));
        let slack = step * SLACK;
        let low = ((low + slack) / step).floor() * step;
        let high = ((high - slack) / step).ceil() * step;
        Self { low, high, from, to, step }
    }

    /// An axis of decimal logarithms that holds all `values`, with a tick at each power of ten.
    pub(crate) fn of_powers(values: impl Iterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let (low, high) = values.map(f64::log10).fold((f64::MAX, f64::MIN), |ends, value| {
            (ends.0.min(value.floor()), ends.1.max(value.ceil()))
        });
        Self { low, high: high.max(low + 1.0), from, to, step: 1.0 }
    }

    /// Where a value stands.
    pub(crate) fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Its ticks, ends included.
    pub(crate) fn ticks(&self) -> Vec<Tick> {
        let count = ((self.high - self.low) / self.step).round() as i64;
        let first = (self.low / self.step).round() as i64;
        let tick = |index: i64| {
            let value = index as f64 * self.step;
            let (label, zero) = (number(value, places(self.step)), index == 0);
            Tick { at: self.at(value), value, label, zero }
        };
        (first..=first + count).map(tick).collect()
    }
}

/// Round numbers from `low` to `high`, about `count` of them.
pub(crate) fn round_numbers(low: f64, high: f64, count: u32) -> Vec<f64> {
    if high <= low {
        return vec![low];
    }
    let step = nice((high - low) / f64::from(count.max(1)));
    let last = (high / step + SLACK).floor() as i64;
    ((low / step).ceil() as i64..=last).map(|index| index as f64 * step).collect()
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is hardly less than `step`.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let found = steps.iter().map(|unit| unit * power).find(|nice| *nice >= step * (1.0 - SLACK));
    found.unwrap_or(10.0 * power)
}

/// Decimals that tell multiples of a step apart.
fn places(step: f64) -> usize {
    let exact = |places: &usize| {
        let shifted = step * 10_f64.powf(*places as f64);
        shifted > 0.5 && (shifted - shifted.round()).abs() < 1e-6
    };
    (0..12).find(exact).unwrap_or(12)
}

/// A number with the digits that matter for its size: `5.375`, `81.25`, `3.20e−4`.
pub(crate) fn digits(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return exponential(value, 2);
    }
    number(
        value,
        if size < 10.0 {
            3
        } else if size < 100.0 {
            2
        } else {
            1
        },
    )
}

/// A number by its power of ten: `3.20e−4` with two places.
pub(crate) fn exponential(value: f64, places: usize) -> String {
    format!("{value:.places$e}").replace('-', "−")
}

/// Places of labels along a line, each as near to where it should be as the others allow.
///
/// - `wanted`: where each should be; the result has the same order.
/// - `gap`: least distance between two.
/// - `low`, `high`: the line's ends; labels stay between them where they fit.
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]).then(a.cmp(&b)));
    let mut places = vec![0.0; wanted.len()];
    let mut least = low;
    for &index in &order {
        places[index] = wanted[index].max(least);
        least = places[index] + gap;
    }
    let mut most = high;
    for &index in order.iter().rev() {
        if places[index] > most {
            places[index] = most;
        }
        most = places[index] - gap;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], ticks: u32) -> Vec<String> {
        let scale = Scale::around(values.iter().copied(), (0.0, 100.0), ticks);
        scale.ticks().into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_stand_at_round_numbers_around_the_values() {
        assert_eq!(
            labels(&[-0.0483, 0.0017], 5),
            ["−0.05", "−0.04", "−0.03", "−0.02", "−0.01", "0.00", "0.01"]
        );
        assert_eq!(labels(&[0.0, 30.0], 3), ["0", "10", "20", "30"]);
        assert_eq!(labels(&[0.0, 30.02], 3), ["0", "10", "20", "30"]);
        assert_eq!(labels(&[0.0, 0.7], 4), ["0.0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(labels(&[0.0, 4e-8], 2), ["0.00000000", "0.00000002", "0.00000004"]);
        assert_eq!(labels(&[-3e-5, 2e-5], 4), ["−0.00004", "−0.00002", "0.00000", "0.00002"]);
    }

    #[test]
    fn an_axis_of_powers_has_its_ticks_at_whole_ones() {
        let powers = |values: &[f64]| {
            let scale = Scale::of_powers(values.iter().copied(), (0.0, 100.0));
            scale.ticks().into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(powers(&[2e22, 7e23]), ["22", "23", "24"]);
        assert_eq!(powers(&[3e13, 7e15, 1e14]), ["13", "14", "15", "16"]);
        assert_eq!(powers(&[1e20]), ["20", "21"]);
    }

    #[test]
    fn one_value_or_none_still_makes_an_axis() {
        assert!(labels(&[2.0], 4).len() > 2);
        assert!(labels(&[0.0], 4).len() > 2);
        assert!(labels(&[], 4).len() > 2);
        assert!(labels(&[f64::NAN], 4).len() > 2);
    }

    #[test]
    fn numbers_show_the_digits_that_matter() {
        let shown = [5.375, 81.25, 4096.0, 3.2e-4, -2e6, 0.0, f64::NAN].map(digits);
        assert_eq!(shown, ["5.375", "81.25", "4096.0", "3.20e−4", "−2.00e6", "0.000", "–"]);
        assert_eq!(round_numbers(37.0, 72.0, 7), [40.0, 45.0, 50.0, 55.0, 60.0, 65.0, 70.0]);
        assert_eq!(round_numbers(5.0, 5.0, 7), [5.0]);
    }

    #[test]
    fn labels_keep_their_distance_and_their_order() {
        assert_eq!(spread(&[10.0, 11.0, 50.0], 12.0, 0.0, 100.0), [10.0, 22.0, 50.0]);
        assert_eq!(spread(&[99.0, 98.0], 12.0, 0.0, 100.0), [100.0, 88.0]);
    }
}

//! A difference as figures and tables show it.

use maud::{Markup, html};
use sparkjoy_answers::{Comparison, Measure, Verdict};
use sparkjoy_base::{number, signed};

use crate::table::Cell;

/// Measures on tasks in the order they are shown, with their titles.
pub(crate) const MEASURES: [(Measure, &str); 3] = [
    (Measure::Average, "Averages of suites"),
    (Measure::Accuracy, "Accuracy on tasks"),
    (Measure::GoldBitsPerByte, "Correct answers of tasks"),
];

/// For headers, where a lower number is better.
pub(crate) const LOWER: &str = "↓ better";
/// For headers, where a higher number is better.
pub(crate) const HIGHER: &str = "↑ better";

/// What a number counts, and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bits per byte, lower is better.
    Bits,
    /// Percentage points, higher is better.
    Points,
    /// Averages with guessing at 0 and perfection at 1, higher is better.
    Average,
    /// A score itself instead of a difference: no sign, two decimals.
    Percent,
    /// A score itself, four decimals.
    Score,
}

impl Unit {
    /// The unit of a measure on tasks.
    pub(crate) fn of(measure: Measure) -> Self {
        match measure {
            Measure::Average => Self::Average,
            Measure::Accuracy => Self::Points,
            Measure::GoldBitsPerByte => Self::Bits,
        }
    }

    /// Which way is better, for headers.
    pub(crate) fn way(self) -> &'static str {
        if self == Self::Bits { LOWER } else { HIGHER }
    }

    pub(crate) fn places(self) -> usize {
        if matches!(self, Self::Points | Self::Percent) { 2 } else { 4 }
    }

    /// A number of the answers in this unit.
    pub(crate) fn scaled(self, value: f64) -> f64 {
        if matches!(self, Self::Points | Self::Percent) { 100.0 * value } else { value }
    }

    /// For axes and headers of differences.
    pub(crate) fn difference(self) -> &'static str {
        match self {
            Self::Bits => "Δ bits per byte (lower is better)",
            Self::Points => "Δ points of accuracy (higher is better)",
            Self::Average => "Δ average, guessing 0, perfect 1 (higher is better)",
            Self::Percent => "accuracy, %",
            Self::Score => "score",
        }
    }
}

/// A difference with its interval, in the unit it is shown in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    /// Its interval; none with a single replicate.
    pub(crate) interval: Option<[f64; 2]>,
    pub(crate) verdict: Verdict,
    /// p after correction, where it is tested.
    pub(crate) p: Option<f64>,
    /// The minimum detectable effect.
    pub(crate) detectable: Option<f64>,
    pub(crate) unit: Unit,
}

impl Estimate {
    /// A comparison of the answers.
    pub(crate) fn of(comparison: &Comparison, unit: Unit) -> Self {
        let effect = comparison.effect.as_ref();
        Self {
            mean: unit.scaled(effect.map_or(comparison.difference.mean, |effect| effect.mean)),
            interval: effect.map(|effect| [effect.low, effect.high].map(|end| unit.scaled(end))),
            verdict: comparison.verdict,
            p: comparison.adjusted_p,
            detectable: comparison.detectable.map(|least| unit.scaled(least)),
            unit,
        }
    }

    /// A number without an interval.
    pub(crate) fn alone(value: f64, unit: Unit) -> Self {
        let (mean, verdict) = (unit.scaled(value), Verdict::NotTested);
        Self { mean, interval: None, verdict, p: None, detectable: None, unit }
    }

    /// Everything an axis must hold.
    pub(crate) fn ends(&self) -> [f64; 3] {
        let [low, high] = self.interval.unwrap_or([self.mean; 2]);
        [low, self.mean, high]
    }

    /// Whether it was tested and may be noise.
    pub(crate) fn is_noise(&self) -> bool {
        self.verdict == Verdict::NotSignificant
    }

    /// Whether it is better than nothing, noise aside.
    pub(crate) fn is_better(&self) -> bool {
        match self.unit {
            Unit::Bits | Unit::Score => self.mean < 0.0,
            Unit::Points | Unit::Average | Unit::Percent => self.mean > 0.0,
        }
    }

    /// Whether there is something to see: it was tested and is significant, or it was not
    /// tested and its own interval leaves out nothing.
    pub(crate) fn stands_out(&self) -> bool {
        match self.verdict {
            Verdict::Better | Verdict::Worse => true,
            Verdict::NotSignificant => false,
            Verdict::NotTested => self.interval.is_some_and(|[low, high]| low > 0.0 || high < 0.0),
        }
    }

    /// `−0.0483`.
    pub(crate) fn value(&self) -> String {
        let write = if matches!(self.unit, Unit::Percent | Unit::Score) { number } else { signed };
        write(self.mean, self.unit.places())
    }

    /// `[−0.0530, −0.0436]`.
    pub(crate) fn range(&self) -> Option<String> {
        let places = self.unit.places();
        self.interval
            .map(|[low, high]| format!("[{}, {}]", signed(low, places), signed(high, places)))
    }

    /// The verdict in a word or two.
    pub(crate) fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::NotSignificant => "not significant",
            Verdict::NotTested => "not tested",
        }
    }

    /// `−0.0483 [−0.0530, −0.0436], better`: for descriptions.
    pub(crate) fn spoken(&self) -> String {
        let range = self.range().map_or(String::new(), |range| format!(" {range}"));
        format!("{}{range}, {}", self.value(), self.word())
    }

    /// The class of its colour.
    pub(crate) fn class(&self) -> &'static str {
        match self.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::NotSignificant => "noise",
            Verdict::NotTested => "plain",
        }
    }

    /// As a cell of a table. On a terminal the interval stands below, and behind the number `*`
    /// marks what is significant and `~` what is not.
    pub(crate) fn cell(&self) -> Cell {
        let mark = match self.verdict {
            Verdict::Better | Verdict::Worse => '*',
            Verdict::NotSignificant => '~',
            Verdict::NotTested => ' ',
        };
        let range = self.range().map_or(String::new(), |range| format!("\n{range} "));
        let page = html! {
            td.est.(self.class()) {
                span.val { (self.mark()) (self.value()) }
                @if let Some(range) = self.range() { " " span.range { (range) } }
                @if self.is_noise() {
                    @if let Some(least) = self.detectable {
                        " " span.range { "detectable: " (number(least, self.unit.places())) }
                    }
                }
            }
        };
        Cell { text: format!("{}{mark}{range}", self.value()), page: Some(page) }
    }

    /// A sign before the number, so that colour is not needed.
    fn mark(&self) -> Markup {
        let (sign, word) = match self.verdict {
            Verdict::Better => ("● ", "better: "),
            Verdict::Worse => ("◆ ", "worse: "),
            Verdict::NotSignificant => ("~ ", "not significant: "),
            Verdict::NotTested => return html! {},
        };
        html! { span aria-hidden="true" { (sign) } span.sr { (word) } }
    }
}

/// A cell of a table; what is not there is said so.
pub(crate) fn cell(estimate: Option<Estimate>) -> Cell {
    estimate.map_or_else(Cell::missing, |estimate| estimate.cell())
}

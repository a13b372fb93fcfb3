//! The same effects in several settings, joined: whether a ranking holds.

use maud::{Markup, html};

use super::draw::{fit, line, mark, path, text, text_over, two_lines, upright, whisker};
use super::forest::manner;
use super::{Panel, told};
use crate::estimate::Estimate;
use crate::scale::{Scale, spread};

/// One comparison in all settings.
#[derive(Clone, Debug)]
pub(crate) struct Slope {
    pub(crate) label: String,
    /// One element per setting; none where it is missing.
    pub(crate) values: Vec<Option<Estimate>>,
}

impl Slope {
    /// What is written at its end.
    fn named(&self) -> String {
        if self.values.iter().any(Option::is_some) {
            self.label.clone()
        } else {
            format!("{} (missing)", self.label)
        }
    }
}

/// Effects of settings side by side.
#[derive(Clone, Debug)]
pub(crate) struct Slopes {
    pub(crate) title: String,
    /// What stands.
    pub(crate) unit: String,
    /// The settings, left to right.
    pub(crate) settings: Vec<String>,
    pub(crate) lines: Vec<Slope>,
}

const LEFT: f64 = 60.0;
const TOP: f64 = 56.0;
/// Units from one setting to the next.
const STRIDE: f64 = 150.0;

impl Slopes {
    pub(crate) fn panel(&self) -> Panel {
        let bottom = TOP + (15.0 * self.lines.len() as f64).clamp(190.0, 620.0);
        let last = LEFT + 40.0 + STRIDE * (self.settings.len().max(2) - 1) as f64;
        let right = last + 24.0;
        let all = self.lines.iter().flat_map(|slope| slope.values.iter().flatten());
        let y = Scale::around(all.flat_map(Estimate::ends).chain([0.0]), (bottom, TOP), 5);
        let x = |index: usize| LEFT + 40.0 + STRIDE * index as f64;
        let ends: Vec<f64> = self
            .lines
            .iter()
            .map(|slope| {
                let known = slope.values.iter().rev().flatten().next();
                known.map_or(bottom, |value| y.at(value.mean))
            })
            .collect();
        let names = spread(&ends, 14.0, TOP, bottom);
        let aside =
            |index: usize| (index as f64 - (self.lines.len() - 1) as f64 / 2.0).clamp(-5.0, 5.0);
        let body = html! {
            (text("head", (0.0, 14.0), &self.title))
            (text("small soft", (0.0, 32.0), &self.unit))
            (upright(&y, LEFT, right))
            @for (index, setting) in self.settings.iter().enumerate() {
                (line("axis", (x(index), TOP), (x(index), bottom)))
                @for (row, line) in two_lines(setting, 11.0, STRIDE - 8.0).iter().enumerate() {
                    (text("small mid", (x(index), bottom + 18.0 + 13.0 * row as f64), line))
                }
            }
            @for (index, slope) in self.lines.iter().enumerate() {
                (self.slope(slope, |setting| x(setting) + aside(index), &y))
                @let end = slope.values.iter().rposition(Option::is_some).map_or(last, &x);
                @let from = (end + aside(index) + 6.0, ends[index]);
                (line("axis dots", from, (right + 2.0, names[index])))
                @let shown = fit(&slope.named(), 11.0, 190.0);
                (text_over("small", (right + 6.0, names[index] + 4.0), &shown))
            }
        };
        Panel {
            width: right + 200.0,
            height: bottom + 41.0,
            title: self.title.clone(),
            desc: self.spoken(),
            body,
            narrow: None,
        }
    }

    /// One comparison through all settings. `x`: where a setting stands.
    fn slope(&self, slope: &Slope, x: impl Fn(usize) -> f64, y: &Scale) -> Markup {
        let known: Vec<(usize, &Estimate)> = slope
            .values
            .iter()
            .enumerate()
            .filter_map(|(setting, value)| Some((setting, value.as_ref()?)))
            .collect();
        let points: Vec<(f64, f64)> =
            known.iter().map(|(setting, value)| (x(*setting), y.at(value.mean))).collect();
        html! {
            (path("axis", &points))
            @for ((setting, value), at) in known.iter().zip(&points) {
                @let (form, stroke, fill) = manner(value);
                g {
                    title { (slope.label) ", " (self.settings[*setting]) ": " (value.spoken()) }
                    @if let Some([low, high]) = value.interval {
                        (whisker(stroke, at.0, y.at(low), y.at(high)))
                    }
                    (mark(form, fill, *at, 4.5))
                }
            }
        }
    }

    fn spoken(&self) -> String {
        let slopes = self.lines.iter().map(|slope| {
            let values =
                self.settings.iter().zip(&slope.values).map(|(setting, value)| match value {
                    Some(value) => format!("{setting} {}", value.spoken()),
                    None => format!("{setting} missing"),
                });
            format!("{}: {}.", slope.label, values.collect::<Vec<_>>().join("; "))
        });
        format!("{}. {}", self.unit, told(slopes))
    }
}

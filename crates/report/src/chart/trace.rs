//! What is measured at every step of a run: a thin line through the points, a bold one of their
//! moving mean, the band of their range.
//!
//! A point's number is in the drawing and is shown while the pointer or the keyboard is at it, so
//! that a page needs no program to read a curve.

use maud::{Markup, html};
use sparkjoy_base::thousands;

use super::Panel;
use super::draw::{Form, area, fit, line, mark, path, rect, text, text_over, width};
use crate::scale::{Scale, Tick, digits, exponential, round_numbers};

/// Some consecutive steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The last of them.
    pub(crate) step: u64,
    /// Their mean.
    pub(crate) value: f64,
    /// The least and the greatest of them, where they differ.
    pub(crate) range: Option<[f64; 2]>,
}

/// A run's measurements.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trace {
    pub(crate) name: String,
    /// In the order of steps.
    pub(crate) samples: Vec<Sample>,
}

/// Measurements of a run, and of another to compare it with.
#[derive(Clone, Debug)]
pub(crate) struct Traces<'a> {
    /// What is measured.
    pub(crate) quantity: &'a str,
    /// The run that is looked at, then the other one.
    pub(crate) runs: Vec<Trace>,
    /// First and last step shown.
    pub(crate) steps: (u64, u64),
    /// Width and height, in CSS pixels.
    pub(crate) size: (f64, f64),
    /// Whether there is an axis of steps.
    pub(crate) axis: bool,
    /// Whether the bold line is a moving mean; else it goes through the points.
    pub(crate) smooth: bool,
}

const LEFT: f64 = 52.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 8.0;
/// Points in a moving mean are so many that about this many do not overlap.
const APART: usize = 80;

impl Traces<'_> {
    pub(crate) fn panel(&self) -> Panel {
        let (wide, high) = self.size;
        let (right, bottom) = (wide - RIGHT, high - if self.axis { 22.0 } else { 6.0 });
        let known: Vec<Vec<Sample>> = self.runs.iter().map(|trace| self.shown(trace)).collect();
        let values = known.iter().flatten().map(|sample| sample.value);
        let count = if self.axis { (high / 45.0) as u32 } else { 2 };
        let y = Scale::around(values, (bottom, TOP), count);
        let (from, to) = self.steps;
        let span = to.saturating_sub(from).max(1) as f64;
        let x = |step: u64| LEFT + (step - from) as f64 / span * (right - LEFT);
        let place = |sample: &Sample| (x(sample.step), y.at(sample.value));
        let body = html! {
            g {
                (heights(&y, right))
                @if self.axis { (self.ticks(x, right, high - 5.0)) }
                @for (index, samples) in known.iter().enumerate().rev() {
                    @let style = index + 1;
                    @if samples.iter().any(|sample| sample.range.is_some()) {
                        (area(&format!("band f{style}"), &outline(samples, x, &y, bottom)))
                    }
                    @let calm = if self.smooth { calmed(samples) } else { None };
                    @let dash = if index > 0 { " dash" } else { "" };
                    @if calm.is_some() {
                        (path(&format!("raw s{style}"),
                            &samples.iter().map(place).collect::<Vec<_>>()))
                    }
                    (path(&format!("curve s{style}{dash}"),
                        &calm.as_ref().unwrap_or(samples).iter().map(place).collect::<Vec<_>>()))
                    @if let Some(last) = samples.last() {
                        (mark(Form::Circle, &format!("s{style} f{style}"), place(last), 1.5))
                    }
                }
            }
            // Apart, so that they stay what they are while the curve above grows.
            g { (self.readings(&known, x, (right, bottom))) }
        };
        let title = format!("{} over steps", self.quantity);
        Panel { width: wide, height: high, title, desc: self.spoken(&known), body, narrow: None }
    }

    /// The points of a trace that can be drawn.
    fn shown(&self, trace: &Trace) -> Vec<Sample> {
        let (from, to) = self.steps;
        let inside =
            |sample: &&Sample| sample.value.is_finite() && (from..=to).contains(&sample.step);
        trace.samples.iter().filter(inside).copied().collect()
    }

    /// Steps below the drawing; one that would touch the one before is left out.
    fn ticks(&self, x: impl Fn(u64) -> f64, right: f64, base: f64) -> Markup {
        let (from, to) = self.steps;
        let count = (self.size.0 / 70.0).max(2.0) as u32;
        let steps = round_numbers(from as f64, to as f64, count).into_iter();
        let mut free = f64::NEG_INFINITY;
        let labels: Vec<(f64, String)> = steps
            .filter(|step| step.fract() == 0.0)
            .filter_map(|step| {
                let label = thousands(step as u64);
                let half = width(&label, 11.0) / 2.0;
                let at = x(step as u64).min(right + RIGHT - half);
                let fits = at - half > free + 6.0;
                if fits {
                    free = at + half;
                }
                fits.then_some((at, label))
            })
            .collect();
        html! { @for (at, label) in &labels { (text("num soft mid", (*at, base), label)) } }
    }

    /// A zone for each point of the first trace, or for as many as a pointer tells apart, with
    /// what stands there.
    fn readings(
        &self,
        known: &[Vec<Sample>],
        x: impl Fn(u64) -> f64,
        (right, bottom): (f64, f64),
    ) -> Markup {
        let Some(lead) = known.first() else { return html! {} };
        let every = lead.len().div_ceil((self.size.0 / 6.0) as usize).max(1);
        let at: Vec<&Sample> = lead.iter().rev().step_by(every).collect();
        let at: Vec<&Sample> = at.into_iter().rev().collect();
        let edge =
            |index: usize| match (index.checked_sub(1).and_then(|i| at.get(i)), at.get(index)) {
                (Some(before), Some(after)) => f64::midpoint(x(before.step), x(after.step)),
                (None, _) => LEFT,
                (_, None) => right,
            };
        let value = |index: usize, step: u64| {
            let samples = &known[index];
            let place = samples.partition_point(|sample| sample.step < step);
            samples.get(place).or(samples.last()).map_or("–".to_owned(), |s| digits(s.value))
        };
        let reading = |step: u64| {
            let values = (0..known.len()).map(|index| match known.len() {
                1 => value(index, step),
                _ => {
                    format!("{} {}", fit(&self.runs[index].name, 11.0, 90.0), value(index, step))
                }
            });
            format!("step {}: {}", thousands(step), values.collect::<Vec<_>>().join(", "))
        };
        html! {
            @for (index, sample) in at.iter().enumerate() {
                @let (low, high) = (edge(index), edge(index + 1));
                g.at {
                    (rect("hit", (low, TOP), ((high - low).max(0.0), bottom - TOP)))
                    (line("hair", (x(sample.step), TOP), (x(sample.step), bottom)))
                    (text_over("small end", (right - 2.0, TOP + 9.0), &reading(sample.step)))
                }
            }
        }
    }

    fn spoken(&self, known: &[Vec<Sample>]) -> String {
        let told = self.runs.iter().zip(known).map(|(trace, samples)| {
            let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
                return format!("{}: no values.", trace.name);
            };
            let at = |s: &Sample| format!("{} at step {}", digits(s.value), thousands(s.step));
            format!("{} of {}: {}, {}.", self.quantity, trace.name, at(first), at(last))
        });
        told.collect::<Vec<_>>().join(" ")
    }
}

/// Grid lines and numbers of the vertical axis; a number too long for its space is written by its
/// power of ten.
fn heights(y: &Scale, right: f64) -> Markup {
    html! {
        @for Tick { at, value, label, zero } in y.ticks() {
            @let long = width(&label, 11.0) > LEFT - 6.0 || label.contains('e');
            @let label = if long && !zero { exponential(value, 2) } else { label };
            @let label = if long && zero { "0".to_owned() } else { label };
            (line(if zero { "zero" } else { "grid" }, (LEFT, at), (right, at)))
            (text("num soft end", (LEFT - 6.0, at + 4.0), &label))
        }
    }
}

/// How many points the bold line is the mean of, for so many points shown.
pub(crate) fn calm_over(count: usize) -> usize {
    if count < APART { 1 } else { 2 * ((count + APART / 2) / APART) + 1 }
}

/// The mean of each point and its neighbours; none where that is the point itself.
fn calmed(samples: &[Sample]) -> Option<Vec<Sample>> {
    let half = (calm_over(samples.len()) - 1) / 2;
    let mut sums = vec![0.0];
    sums.extend(samples.iter().scan(0.0, |sum, sample| {
        *sum += sample.value;
        Some(*sum)
    }));
    let mean = |(index, sample): (usize, &Sample)| {
        // As many on either side, so that the ends do not lean.
        let reach = half.min(index).min(samples.len() - 1 - index);
        let sum = sums[index + reach + 1] - sums[index - reach];
        Sample { value: sum / (2 * reach + 1) as f64, ..*sample }
    };
    (half > 0).then(|| samples.iter().enumerate().map(mean).collect())
}

/// The band from the least to the greatest, inside the drawing.
fn outline(samples: &[Sample], x: impl Fn(u64) -> f64, y: &Scale, bottom: f64) -> Vec<(f64, f64)> {
    let end = |sample: &Sample, side: usize| {
        let value = sample.range.map_or(sample.value, |range| range[side]);
        (x(sample.step), y.at(value).clamp(TOP, bottom))
    };
    let over = samples.iter().map(|sample| end(sample, 1));
    over.chain(samples.iter().rev().map(|sample| end(sample, 0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(count: u64, value: impl Fn(u64) -> f64) -> Panel {
        let sample = |step| Sample { step, value: value(step), range: None };
        let samples = (1..=count).map(sample).collect();
        let traces = vec![Trace { name: "trunk".into(), samples }];
        let steps = (1, count);
        let (size, axis) = ((720.0, 260.0), true);
        Traces { quantity: "loss", runs: traces, steps, size, axis, smooth: true }.panel()
    }

    #[test]
    fn a_short_curve_is_one_line_and_a_long_one_has_its_mean() {
        let few = drawn(20, |step| step as f64).body.into_string();
        assert_eq!((few.matches("curve s1").count(), few.matches("raw s1").count()), (1, 0));
        let many = drawn(800, |step| step as f64).body.into_string();
        assert_eq!((many.matches("curve s1").count(), many.matches("raw s1").count()), (1, 1));
        assert_eq!((calm_over(79), calm_over(800)), (1, 21));
    }

    #[test]
    fn the_mean_of_a_straight_line_is_the_line() {
        let samples: Vec<Sample> =
            (0..400).map(|step| Sample { step, value: step as f64, range: None }).collect();
        assert_eq!(calmed(&samples).unwrap(), samples);
    }

    #[test]
    fn a_point_says_its_number_and_a_long_curve_only_as_many_as_can_be_pointed_at() {
        let panel = drawn(5, |step| 6.0 - step as f64 / 8.0);
        let svg = panel.body.into_string();
        assert_eq!(svg.matches("<g class=\"at\"").count(), 5);
        assert!(svg.contains(">step 3: 5.625<"), "{svg}");
        assert_eq!(panel.desc, "loss of trunk: 5.875 at step 1, 5.375 at step 5.");
        let long = drawn(1000, |step| step as f64).body.into_string();
        assert!((60..=120).contains(&long.matches("<g class=\"at\"").count()));
    }

    #[test]
    fn a_number_too_long_for_its_space_is_written_by_its_power_of_ten() {
        for (scale, label) in [(1e29, ">1.00e30<"), (1e-7, ">1.00e−6<"), (1.0, ">10<")] {
            let svg = drawn(10, |step| step as f64 * scale).body.into_string();
            assert!(svg.contains(label), "{label}: {svg}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_drawn() {
        let svg = drawn(9, |step| if step == 9 { f64::NAN } else { 1.0 }).body.into_string();
        assert!(!svg.contains("NaN"), "{svg}");
        assert_eq!(svg.matches("<g class=\"at\"").count(), 8);
    }
}

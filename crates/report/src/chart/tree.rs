//! The tree of runs: what was trained once, where runs leave it, and how far they go.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::draw::{fit, line, path, text, width};
use super::{Panel, told};

/// Replicates of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Twig {
    pub(crate) label: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Which twig it goes on from; none for the trunk.
    pub(crate) after: Option<usize>,
    /// How many runs there are.
    pub(crate) runs: usize,
    /// How many of them are not scored.
    pub(crate) missing: usize,
    /// It keeps the trunk's mixture.
    pub(crate) control: bool,
}

/// A trunk and what leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeFigure {
    pub(crate) trunk: String,
    /// Steps of a whole run.
    pub(crate) steps: u64,
    pub(crate) twigs: Vec<Twig>,
}

const WIDTH: f64 = 860.0;
const LEFT: f64 = 8.0;
/// Where the first branch point stands: what comes before is the same for all and drawn short.
const FIRST: f64 = 110.0;
const RIGHT: f64 = 450.0;
const TOP: f64 = 54.0;
const ROW: f64 = 21.0;

/// How far along the axis a step stands, from 0 to 1. What comes before the first branch is the
/// same for all and is drawn short: it takes `knee` of the width.
pub(crate) fn along(step: u64, first: u64, steps: u64, knee: f64) -> f64 {
    if step <= first {
        return knee * step as f64 / first.max(1) as f64;
    }
    knee + (1.0 - knee) * (step - first) as f64 / steps.saturating_sub(first).max(1) as f64
}

impl TreeFigure {
    /// Draws it: the branches that leave last on top, so that no line crosses another.
    pub(crate) fn panel(&self) -> Panel {
        let rows = self.rows();
        let first = self.twigs.iter().map(|twig| twig.from).min().unwrap_or(self.steps);
        let knee = (FIRST - LEFT) / (RIGHT - LEFT);
        let x = |step: u64| LEFT + (RIGHT - LEFT) * along(step, first, self.steps, knee);
        let roots = self.twigs.iter().filter(|twig| twig.after.is_none());
        let until = roots.map(|twig| twig.from).max().unwrap_or(self.steps);
        let y: BTreeMap<usize, f64> = rows
            .iter()
            .enumerate()
            .map(|(row, &twig)| (twig, TOP + 26.0 + ROW * row as f64))
            .collect();
        let bottom = TOP + 26.0 + ROW * rows.len() as f64;
        let body = html! {
            (text("head", (0.0, 14.0), &self.trunk))
            (self.ticks(&x, bottom))
            @for &index in &rows {
                (self.twig(index, &x, &y))
            }
            (line("trunk", (x(0), TOP), (x(until), TOP)))
            // The trunk before its first branch point is drawn short.
            @if first > 0 && first < self.steps {
                @for at in [52.0, 58.0] {
                    (path("axis", &[(at - 3.0, TOP + 7.0), (at + 3.0, TOP - 7.0)]))
                }
            }
        };
        Panel {
            width: WIDTH,
            height: bottom + 22.0,
            title: format!("The tree of runs: {}", self.trunk),
            desc: self.spoken(until),
            body,
        }
    }

    /// Twigs from top to bottom: the last to leave first, each followed by what goes on from it.
    fn rows(&self) -> Vec<usize> {
        let mut roots: Vec<usize> =
            (0..self.twigs.len()).filter(|&index| self.twigs[index].after.is_none()).collect();
        roots.sort_by_key(|&index| std::cmp::Reverse(self.twigs[index].from));
        let mut rows = Vec::new();
        let mut next: Vec<usize> = roots.into_iter().rev().collect();
        while let Some(index) = next.pop() {
            rows.push(index);
            let on: Vec<usize> =
                (0..self.twigs.len()).filter(|&i| self.twigs[i].after == Some(index)).collect();
            next.extend(on.into_iter().rev());
        }
        rows
    }

    fn ticks(&self, x: &impl Fn(u64) -> f64, bottom: f64) -> Markup {
        let mut steps: Vec<u64> = self.twigs.iter().flat_map(|twig| [twig.from, twig.to]).collect();
        steps.extend([0, self.steps]);
        steps.sort_unstable();
        steps.dedup();
        let mut free = f64::NEG_INFINITY;
        let shown: Vec<(f64, Option<String>)> = steps
            .iter()
            .map(|&step| {
                let percent = format!("{:.1}", 100.0 * step as f64 / self.steps.max(1) as f64);
                let label = format!("{} %", percent.trim_end_matches(".0"));
                let (at, half) = (x(step), width(&label, 11.0) / 2.0);
                let fits = at - half > free + 4.0;
                if fits {
                    free = at + half;
                }
                (at, fits.then_some(label))
            })
            .collect();
        html! {
            @for (at, label) in shown {
                (line("grid", (at, TOP - 12.0), (at, bottom)))
                @if let Some(label) = label {
                    (text("num soft mid", (at.max(LEFT + 8.0), TOP - 18.0), &label))
                }
            }
            (text("small soft", (0.0, bottom + 16.0),
                &format!("share of the run of {} steps; the trunk before its first branch is drawn \
                    short", self.steps)))
        }
    }

    fn twig(&self, index: usize, x: &impl Fn(u64) -> f64, y: &BTreeMap<usize, f64>) -> Markup {
        let twig = &self.twigs[index];
        let at = y[&index];
        let from = twig.after.map_or(TOP, |before| y[&before]);
        let style = if twig.control { "s0" } else { "s1" };
        let dash = if twig.missing > 0 { " dash" } else { "" };
        let mut label = fit(&twig.label, 12.0, WIDTH - RIGHT - 80.0);
        if twig.runs > 1 {
            label = format!("{label} ×{}", twig.runs);
        }
        if twig.missing > 0 {
            label = format!("{label}, {} missing", twig.missing);
        }

        html! {
            g {
                title { (twig.label) ": " (twig.runs) " runs, steps " (twig.from) " to " (twig.to) }
                (line("bus", (x(twig.from), from), (x(twig.from), at)))
                (line(&format!("twig {style}{dash}"), (x(twig.from), at), (x(twig.to), at)))
                @let class = if twig.control { "soft" } else { "" };
                (text(class, (x(twig.to).max(RIGHT) + 8.0, at + 4.0), &label))
            }
        }
    }

    fn spoken(&self, until: u64) -> String {
        let twigs = self.rows().into_iter().map(|index| {
            let Twig { label, from, to, runs, missing, .. } = &self.twigs[index];
            let lack = match missing {
                0 => String::new(),
                some => format!(", {some} of them not scored"),
            };
            format!("{label}: {runs} runs from step {from} to {to}{lack}.")
        });
        format!("The trunk is trained once, to step {until} of {}. {}", self.steps, told(twigs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twig(label: &str, from: u64, after: Option<usize>) -> Twig {
        let to = from + 100;
        Twig { label: label.into(), from, to, after, runs: 3, missing: 0, control: false }
    }

    #[test]
    fn what_leaves_last_stands_on_top_and_continuations_below_their_beginning() {
        let twigs = vec![
            twig("early", 100, None),
            twig("late", 800, None),
            twig("goes on", 200, Some(0)),
            twig("early too", 100, None),
        ];
        let tree = TreeFigure { trunk: "trunk".into(), steps: 900, twigs };
        assert_eq!(tree.rows(), [1, 0, 2, 3]);
        assert!(tree.panel().desc.starts_with("The trunk is trained once, to step 800 of 900."));
    }
}

//! The tree of runs: what was trained once, where runs leave it, and how far they go.

use std::collections::BTreeMap;

use maud::{Markup, html};
use sparkjoy_base::thousands;

use super::draw::{fit, line, path, text, text_over, width};
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

const LEFT: f64 = 8.0;
const TOP: f64 = 54.0;

/// Measures of a drawing, in units of the figure.
struct Layout {
    width: f64,
    /// Where the first branch point stands: what comes before is the same for all and drawn short.
    first: f64,
    /// Where the axis ends.
    right: f64,
    /// From one branch to the next.
    row: f64,
    /// Whether names stand above their lines, not to the right of the axis.
    above: bool,
}

const WIDE: Layout = Layout { width: 860.0, first: 110.0, right: 450.0, row: 21.0, above: false };
const NARROW: Layout = Layout { width: 400.0, first: 60.0, right: 380.0, row: 34.0, above: true };

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
        Panel { narrow: Some(Box::new(self.drawn(&NARROW))), ..self.drawn(&WIDE) }
    }

    fn drawn(&self, layout: &Layout) -> Panel {
        let &Layout { width, right, row, .. } = layout;
        let rows = self.rows();
        let first = self.twigs.iter().map(|twig| twig.from).min().unwrap_or(self.steps);
        let knee = (layout.first - LEFT) / (right - LEFT);
        let x = |step: u64| LEFT + (right - LEFT) * along(step, first, self.steps, knee);
        let roots = self.twigs.iter().filter(|twig| twig.after.is_none());
        let until = roots.map(|twig| twig.from).max().unwrap_or(self.steps);
        let top = TOP + row + 5.0;
        let y: BTreeMap<usize, f64> =
            rows.iter().enumerate().map(|(at, &twig)| (twig, top + row * at as f64)).collect();
        let bottom = top + row * rows.len() as f64;
        let twigs: Vec<[Markup; 2]> =
            rows.iter().map(|&index| self.twig(index, layout, &x, &y)).collect();
        let body = html! {
            (text("head", (0.0, 14.0), &self.trunk))
            (self.ticks(&x, bottom))
            @for [twig, _] in &twigs { (twig) }
            @for [_, over] in &twigs { (over) }
            (line("trunk", (x(0), TOP), (x(until), TOP)))
            // The trunk before its first branch point is drawn short.
            @if first > 0 && first < self.steps {
                @for at in [layout.first / 2.0 - 3.0, layout.first / 2.0 + 3.0] {
                    (path("axis", &[(at - 3.0, TOP + 7.0), (at + 3.0, TOP - 7.0)]))
                }
            }
        };
        Panel {
            width,
            height: bottom + 22.0,
            title: format!("The tree of runs: {}", self.trunk),
            desc: self.spoken(until),
            body,
            narrow: None,
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
                &format!("share of the run of {} steps; its beginning is drawn short",
                    thousands(self.steps))))
        }
    }

    /// A branch, and what is written over all branches.
    fn twig(
        &self,
        index: usize,
        layout: &Layout,
        x: &impl Fn(u64) -> f64,
        y: &BTreeMap<usize, f64>,
    ) -> [Markup; 2] {
        let twig = &self.twigs[index];
        let at = y[&index];
        let from = twig.after.map_or(TOP, |before| y[&before]);
        let style = if twig.control { "s0" } else { "s1" };
        let dash = if twig.missing > 0 { " dash" } else { "" };
        let width = if layout.above { layout.right } else { layout.width - layout.right };
        let mut label = fit(&twig.label, 12.0, width - 80.0);
        if twig.runs > 1 {
            label = format!("{label} ×{}", twig.runs);
        }
        if twig.missing > 0 {
            label = format!("{label}, {} missing", twig.missing);
        }
        let place = (x(twig.to).max(layout.right) + 8.0, at + 4.0);
        let class = if twig.control { "soft" } else { "" };
        let over = if layout.above {
            text_over(&format!("end {class}"), (layout.right, at - 6.0), &label)
        } else {
            html! {}
        };
        let drawn = html! {
            g {
                title { (twig.label) ": " (twig.runs) " runs, steps " (twig.from) " to " (twig.to) }
                (line("bus", (x(twig.from), from), (x(twig.from), at)))
                (line(&format!("twig {style}{dash}"), (x(twig.from), at), (x(twig.to), at)))
                @if !layout.above { (text(class, place, &label)) }
            }
        };
        [drawn, over]
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
        let narrow = tree.panel().narrow.expect("a phone has a drawing of its own");
        let svg = narrow.body.into_string();
        // Nothing is drawn over a name, and every name ends where the axis does.
        let names: Vec<&str> = svg.split("<text").filter(|text| text.contains(" ×3<")).collect();
        assert_eq!(names.len(), 2 * 4, "{svg}");
        assert!(names.iter().all(|name| name.contains("end") && name.contains("x=\"380\"")));
        assert!(svg.rfind("class=\"twig").unwrap() < svg.find(">goes on ×3<").unwrap());
    }
}

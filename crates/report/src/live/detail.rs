//! The parts of the page about the run that is looked at: its state, its curves, their numbers.

use maud::{Markup, html};
use sparkjoy_base::thousands;

use super::curve::{Curve, Point};
use super::picture::{RunPicture, State};
use super::study::{mark, per_second};
use super::tail::Tail;
use super::tree::Tree;
use super::view::{Last, View};
use crate::chart::trace::{Sample, Trace, Traces, calm_over};
use crate::scale::{digits, exponential};
use crate::table::Table;

/// Rows of the table of numbers at most.
const ROWS: usize = 20;

/// A run that is looked at, with what has been read of it.
pub(crate) struct Detail<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) view: &'a View,
    /// Its number.
    pub(crate) run: usize,
    pub(crate) picture: &'a RunPicture,
    pub(crate) tail: &'a Tail,
    /// The run that it is compared with.
    pub(crate) beside: Option<(usize, &'a Tail)>,
}

impl Detail<'_> {
    /// The parts, by name.
    pub(crate) fn parts(&self) -> Vec<(&'static str, Markup)> {
        vec![("run", self.run()), ("curves", self.curves()), ("numbers", self.numbers())]
    }

    fn name(&self, run: usize) -> &str {
        &self.tree.runs[run].id
    }

    /// What it is called, how it is, and what to look at.
    fn run(&self) -> Markup {
        let state = self.picture.state;
        let doing = self.picture.doing.as_ref();
        html! {
            div #run data-run=(self.run) {
                div.head {
                    h2 #run-title { (self.name(self.run)) }
                    button #follow type="button" aria-pressed=(self.view.run.is_none()) {
                        "Follow what runs"
                    }
                }
                p #run-state {
                    (mark(state)) " " (state.word())
                    @if let Some(doing) = doing { ", " (doing.what) }
                }
                p #run-remark.soft { @if let Some(text) = &self.picture.remark { (text) } }
                dl.facts {
                    @for (name, value) in self.facts() { div { dt { (name) } dd { (value) } } }
                }
                div.choices {
                    label { "Run " select data-key="run" { (self.options(Some(self.run))) } }
                    label {
                        "Compare with "
                        select data-key="beside" {
                            option value="" selected[self.beside.is_none()] { "nothing" }
                            (self.options(self.beside.map(|(run, _)| run)))
                        }
                    }
                    div.ranges role="group" aria-label="Steps shown" {
                        @for (last, value, words) in Last::ALL {
                            button type="button" data-key="last" value=(value)
                                aria-pressed=(last == self.view.last) { (words) }
                        }
                    }
                }
            }
        }
    }

    fn options(&self, chosen: Option<usize>) -> Markup {
        html! {
            @for (number, run) in self.tree.runs.iter().enumerate() {
                option value=(number) selected[chosen == Some(number)] { (run.id) }
            }
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let RunPicture { step, from, to, scores: (scored, all), .. } = *self.picture;
        let mut facts = vec![("step", format!("{} of {}", thousands(step), thousands(to)))];
        if from > 0 {
            facts.push(("starts at", thousands(from)));
        }
        let speed = self.picture.doing.as_ref().and_then(|doing| doing.tokens_per_second);
        facts.extend(speed.map(|speed| ("speed", per_second(speed))));
        if let Some(last) = self.tail.curve.last() {
            facts.push(("loss", digits(last.loss)));
            facts.push(("gradient norm", digits(last.grad_norm)));
            facts.push(("learning rate", exponential(last.lr, 2)));
        }
        if all > 0 {
            facts.push(("scores", format!("{scored} of {all}")));
        }
        facts
    }

    /// First and last step that are shown.
    fn steps(&self) -> Option<(u64, u64)> {
        let points = self.tail.curve.points();
        let (first, last) = (points.first()?, points.last()?);
        let start = first.last_step + 1 - first.steps.min(first.last_step);
        let shown = (last.last_step - start) as f64 * self.view.last.part();
        Some((last.last_step - shown.round() as u64, last.last_step))
    }

    fn curves(&self) -> Markup {
        if let Some(trouble) = &self.tail.trouble {
            return html! { div #curves { p.caution { (trouble) } } };
        }
        let Some(steps) = self.steps() else {
            let text = match self.picture.state {
                State::Missing => "No step has been taken yet.",
                _ => "No metrics have been read yet.",
            };
            return html! { div #curves { p.soft { (text) } } };
        };
        let width = if self.view.narrow { 350.0 } else { 720.0 };
        let loss = |point: &Point| {
            let range = (point.least < point.most).then_some([point.least, point.most]);
            Some((point.loss, range))
        };
        html! {
            div #curves {
                figure {
                    figcaption {
                        h3 { "Loss" } " " span.soft { (self.note(steps)) }
                    }
                    (self.chart("loss", "loss", (width, 260.0), steps, true, |_, point| loss(point)))
                }
                div.pair {
                    figure {
                        figcaption { h3 { "Learning rate" } }
                        (self.chart("rate", "learning rate", (350.0, 150.0), steps, false,
                            |_, point| Some((point.lr, None))))
                    }
                    figure {
                        figcaption {
                            h3 { "Gradient norm" } " " span.soft { "before clipping" }
                        }
                        (self.chart("norm", "gradient norm", (350.0, 150.0), steps, true,
                            |_, point| Some((point.grad_norm, None))))
                    }
                }
                (self.sources(steps))
            }
        }
    }

    fn sources(&self, steps: (u64, u64)) -> Markup {
        let mut names: Vec<(usize, &str)> = self
            .tail
            .curve
            .sources()
            .iter()
            .enumerate()
            .map(|(index, name)| (index, name.as_str()))
            .collect();
        let width = if self.view.narrow { 350.0 } else { 230.0 };
        names.sort_unstable_by_key(|(_, name)| *name);
        html! {
            h3 { "Loss by source" }
            p.soft {
                "Mean nats per token; all on one scale of steps, each on its own scale of loss."
            }
            div.sources {
                @for (index, name) in names {
                    @let of_curve = |curve: &Curve, point: &Point| {
                        let at = curve.sources().iter().position(|known| known.as_str() == name)?;
                        Some((point.of_source(at)?, None))
                    };
                    @let last = self.tail.curve.points().iter().rev()
                        .find_map(|point| point.of_source(index));
                    figure {
                        figcaption {
                            span { (name) } b { (last.map_or("–".to_owned(), digits)) }
                        }
                        (self.chart(&format!("source-{index}"), &format!("loss on {name}"),
                            (width, 84.0), steps, true, of_curve))
                    }
                }
            }
        }
    }

    /// A chart of the run and of the one beside it; `value`: of a point, with its range.
    fn chart(
        &self,
        id: &str,
        quantity: &str,
        size: (f64, f64),
        steps: (u64, u64),
        smooth: bool,
        value: impl Fn(&Curve, &Point) -> Option<(f64, Option<[f64; 2]>)>,
    ) -> Markup {
        let trace = |run: usize, curve: &Curve| {
            let sample = |point: &Point| {
                let (value, range) = value(curve, point)?;
                Some(Sample { step: point.last_step, value, range })
            };
            let samples = curve.points().iter().filter_map(sample).collect();
            Trace { name: self.name(run).to_owned(), samples }
        };
        let mut traces = vec![trace(self.run, &self.tail.curve)];
        traces.extend(self.beside.map(|(run, tail)| trace(run, &tail.curve)));
        let axis = size.1 > 100.0;
        Traces { quantity, runs: traces, steps, size, axis, smooth }.panel().filling(id)
    }

    /// What the lines and the band of the loss are.
    fn note(&self, (from, to): (u64, u64)) -> String {
        let curve = &self.tail.curve;
        let mut notes = vec!["nats per token".to_owned()];
        if curve.width() > 1 {
            let width = thousands(curve.width());
            notes.push(format!("each point is the mean of {width} steps, the band their range"));
        }
        let inside = |point: &&Point| (from..=to).contains(&point.last_step);
        let calm = calm_over(curve.points().iter().filter(inside).count()) as u64;
        if calm > 1 {
            let steps = thousands(calm * curve.width());
            notes.push(format!("the bold line is the mean over {steps} steps"));
        }
        if self.tail.behind {
            notes.push("still reading".to_owned());
        }
        if self.tail.damaged > 0 {
            notes.push(format!("{} lines could not be read", thousands(self.tail.damaged)));
        }
        notes.extend(self.beside.map(|(run, _)| format!("dashed: {}", self.name(run))));
        notes.join("; ")
    }

    /// Twenty rows of the curve; the file itself has them all.
    fn numbers(&self) -> Markup {
        let curve = &self.tail.curve;
        let points = curve.points();
        let every = points.len().div_ceil(ROWS).max(1);
        let shown = points.iter().enumerate();
        let shown = shown.filter(|(index, _)| (points.len() - 1 - index).is_multiple_of(every));
        let headers = ["step", "loss", "learning rate", "gradient norm"].map(str::to_owned);
        let sources = curve.sources().iter().map(ToString::to_string);
        let mut table = Table::new(headers.into_iter().chain(sources)).captioned(format!(
            "Every {} steps; metrics.jsonl in the run's folder has all of them",
            thousands(every as u64 * curve.width())
        ));
        for (_, point) in shown {
            let of_source = |at| point.of_source(at).map_or("–".to_owned(), digits);
            let [loss, norm] = [point.loss, point.grad_norm].map(digits);
            let measured = [thousands(point.last_step), loss, exponential(point.lr, 2), norm];
            let sources = (0..curve.sources().len()).map(of_source);
            table.row(measured.into_iter().chain(sources));
        }
        html! {
            details #numbers hidden[points.is_empty()] {
                summary { "The numbers in these figures" }
                div.scroll tabindex="0" role="region" aria-label="Numbers of the run" {
                    (table.alone())
                }
            }
        }
    }
}

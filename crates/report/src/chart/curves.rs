//! Curves over one axis, with their intervals: how an effect grows with the window, the budget,
//! the share.

use maud::{Markup, html};

use super::Panel;
use super::draw::{
    Form, area, fit, level, line, mark, path, text, text_over, upright, whisker, width,
};
use crate::estimate::Estimate;
use crate::scale::{Scale, spread};

#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Place on the axis.
    pub(crate) x: f64,
    /// What the place is called, for descriptions.
    pub(crate) label: String,
    /// The value; none where it is missing.
    pub(crate) y: Option<Estimate>,
}

/// A line through points.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// From left to right.
    pub(crate) points: Vec<Point>,
}

/// Curves on common axes.
#[derive(Clone, Debug)]
pub(crate) struct Curves {
    pub(crate) title: String,
    pub(crate) x: String,
    pub(crate) y: String,
    /// The curves, at most [`STYLES`] of them.
    pub(crate) series: Vec<Series>,
    /// A place to mark, with a word.
    pub(crate) marked: Option<(f64, String)>,
    /// Whether the axis that lies must hold 0.
    pub(crate) x_zero: bool,
    /// Whether the axis that stands must hold 0.
    pub(crate) y_zero: bool,
}

/// Curves that can be told apart.
pub(crate) const STYLES: usize = 4;
const FORMS: [Form; STYLES] = [Form::Circle, Form::Square, Form::Triangle, Form::Diamond];
const DASHES: [&str; STYLES] = ["", " dash", " long", " dots"];

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 240.0;

impl Curves {
    pub(crate) fn panel(&self) -> Panel {
        let names = self.series.iter().map(|series| fit(&series.name, 12.0, 120.0));
        let names: Vec<String> = names.collect();
        let right_margin = names.iter().map(|name| width(name, 12.0)).fold(30.0, f64::max);
        let right = WIDTH - right_margin - 14.0;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let zero = |wanted: bool| wanted.then_some(0.0);
        let xs = points().map(|point| point.x).chain(zero(self.x_zero));
        let ys = points().filter_map(|point| point.y.as_ref()).flat_map(Estimate::ends);
        let x = Scale::around(xs, (LEFT + 8.0, right - 8.0), 5);
        let y = Scale::around(ys.chain(zero(self.y_zero)), (BOTTOM, TOP), 5);
        let body = html! {
            (text("head", (0.0, 14.0), &self.title))
            (text("small soft", (0.0, 32.0), &self.y))
            (upright(&y, LEFT, right))
            (level(&x, BOTTOM, BOTTOM + 4.0))
            (text("small soft mid", (f64::midpoint(LEFT, right), BOTTOM + 36.0), &self.x))
            @if let Some((at, word)) = &self.marked {
                (line("axis dash", (x.at(*at), TOP), (x.at(*at), BOTTOM)))
                @let middle = x.at(*at).max(LEFT + width(word, 11.0) / 2.0);
                (text_over("small soft mid", (middle, TOP - 4.0), word))
            }
            @for (index, series) in self.series.iter().enumerate() {
                (self.curve(index, series, &x, &y))
            }
            (self.names(&names, &y, right))
        };
        Panel {
            width: WIDTH,
            height: HEIGHT,
            title: self.title.clone(),
            desc: self.spoken(),
            body,
            narrow: None,
        }
    }

    fn curve(&self, index: usize, series: &Series, x: &Scale, y: &Scale) -> Markup {
        let style = index % STYLES + 1;
        // Curves side by side do not hide each other's intervals.
        let aside = (index as f64 - (self.series.len() - 1) as f64 / 2.0) * 3.0;
        let at = |point: &Point| x.at(point.x) + aside;
        let whole: Vec<Vec<&Point>> = series
            .points
            .split(|point| point.y.is_none())
            .map(|run| run.iter().collect::<Vec<_>>())
            .filter(|run| run.len() > 1)
            .collect();
        let middle = |run: &[&Point]| -> Vec<(f64, f64)> {
            run.iter().filter_map(|p| Some((at(p), y.at(p.y.as_ref()?.mean)))).collect()
        };
        let band = |run: &[&Point]| -> Option<Vec<(f64, f64)>> {
            let ends: Option<Vec<(f64, [f64; 2])>> =
                run.iter().map(|p| Some((at(p), p.y.as_ref()?.interval?))).collect();
            let ends = ends?;
            let over = ends.iter().map(|(x, [_, high])| (*x, y.at(*high)));
            let under = ends.iter().rev().map(|(x, [low, _])| (*x, y.at(*low)));
            Some(over.chain(under).collect())
        };
        html! {
            @for run in &whole {
                @if let Some(outline) = band(run) { (area(&format!("band f{style}"), &outline)) }
                (path(&format!("curve s{style}{}", DASHES[index % STYLES]), &middle(run)))
            }
            @for point in &series.points {
                @if let Some(value) = &point.y {
                    @let place = (at(point), y.at(value.mean));
                    g {
                        title { (series.name) ", " (point.label) ": " (value.spoken()) }
                        @if let Some([low, high]) = value.interval {
                            (whisker(&format!("s{style}"), place.0, y.at(low), y.at(high)))
                        }
                        @let full = format!("f{style}");
                        @let fill = if value.is_noise() { "open" } else { &full };
                        (mark(FORMS[index % STYLES], &format!("s{style} {fill}"), place, 4.5))
                    }
                } @else {
                    @let low = BOTTOM - 4.0 - 12.0 * index as f64;
                    (text(&format!("small mid t{style}"), (at(point), low), "missing"))
                }
            }
        }
    }

    /// Names at the ends of their curves, apart from each other.
    fn names(&self, names: &[String], y: &Scale, right: f64) -> Markup {
        let last = |series: &Series| {
            let known = series.points.iter().rev().find_map(|point| point.y.as_ref());
            known.map_or(f64::midpoint(TOP, BOTTOM), |value| y.at(value.mean))
        };
        let wanted: Vec<f64> = self.series.iter().map(last).collect();
        let places = spread(&wanted, 15.0, TOP + 4.0, BOTTOM);
        html! {
            @for (index, (name, place)) in names.iter().zip(&places).enumerate() {
                (text(&format!("t{}", index % STYLES + 1), (right + 6.0, place + 4.0), name))
            }
        }
    }

    fn spoken(&self) -> String {
        let series = |series: &Series| {
            let points = series.points.iter().map(|point| match &point.y {
                Some(value) => format!("at {} {}", point.label, value.spoken()),
                None => format!("at {} missing", point.label),
            });
            format!("{}: {}.", series.name, points.collect::<Vec<_>>().join("; "))
        };
        let all: Vec<String> = self.series.iter().map(series).collect();
        format!("{} over {}. {}", self.y, self.x, all.join(" "))
    }
}

/// Shares out what is too much for one drawing among at most `most` drawings of about as many
/// curves, each with what tells its title from those of the others.
pub(crate) fn shared_out<T>(all: &[T], most: usize) -> Vec<(String, &[T])> {
    let count = all.len().div_ceil(STYLES).clamp(1, most);
    let each = all.len().div_ceil(count).clamp(1, STYLES);
    let parts = all.chunks(each).take(count).enumerate();
    let name = |index| match count {
        1 => String::new(),
        _ => format!(" ({} of {count})", index + 1),
    };
    parts.map(|(index, part)| (name(index), part)).collect()
}

/// A key to forms of points, for captions.
pub(crate) fn key() -> &'static str {
    "Bars and bands are intervals; a hollow point is not significant from its control."
}

#[cfg(test)]
mod tests {
    use sparkjoy_answers::Verdict;

    use super::*;
    use crate::estimate::Unit;

    fn point(x: f64, mean: Option<f64>) -> Point {
        let estimate = |mean| Estimate {
            mean,
            interval: Some([mean - 0.01, mean + 0.01]),
            verdict: Verdict::Better,
            p: None,
            detectable: None,
            unit: Unit::Bits,
        };
        Point { x, label: format!("{x} %"), y: mean.map(estimate) }
    }

    fn drawn(points: Vec<Point>) -> Panel {
        let series = vec![Series { name: "targeted".into(), points }];
        let curves = Curves {
            title: "Effect".into(),
            x: "window".into(),
            y: "Δ".into(),
            series,
            marked: None,
            x_zero: true,
            y_zero: true,
        };
        curves.panel()
    }

    #[test]
    fn many_curves_are_shared_out_among_drawings_of_different_names() {
        let sizes = |count: usize| -> Vec<(String, usize)> {
            let all: Vec<usize> = (0..count).collect();
            shared_out(&all, 3).into_iter().map(|(name, part)| (name, part.len())).collect()
        };
        assert_eq!(sizes(4), [(String::new(), 4)]);
        assert_eq!(sizes(6), [(" (1 of 2)".to_owned(), 3), (" (2 of 2)".to_owned(), 3)]);
        assert_eq!(sizes(14).iter().map(|(_, size)| size).sum::<usize>(), 12);
        assert!(sizes(0).is_empty());
    }

    #[test]
    fn a_curve_is_broken_where_a_value_is_missing() {
        let xs = [(5.0, Some(-0.1)), (10.0, Some(-0.2)), (20.0, None), (30.0, Some(-0.3))];
        let panel = drawn(xs.map(|(x, y)| point(x, y)).into());
        let svg = panel.body.into_string();
        // One stretch of two points; the third point has nobody to be joined with.
        assert_eq!(svg.matches("class=\"curve").count(), 1);
        let curve = svg.split("class=\"curve").nth(1).unwrap();
        assert_eq!(curve[..curve.find("/path").unwrap()].matches('L').count(), 1, "{curve}");
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains(">missing</text>"));
        assert!(panel.desc.contains("at 20 % missing"), "{}", panel.desc);
    }

    #[test]
    fn a_point_that_may_be_noise_is_hollow_and_no_other() {
        let mut noise = point(10.0, Some(-0.2));
        noise.y.as_mut().unwrap().verdict = Verdict::NotSignificant;
        let panel = drawn(vec![point(5.0, Some(-0.1)), noise]);
        let svg = panel.body.into_string();
        assert_eq!((svg.matches("s1 open").count(), svg.matches("s1 f1\"").count()), (1, 1));
        assert!(panel.desc.contains("at 10 % −0.2000 [−0.2100, −0.1900], not significant"));
    }

    #[test]
    fn nothing_leaves_the_drawing() {
        let panel = drawn(vec![point(5.0, Some(-0.1)), point(30.0, Some(-0.2))]);
        let svg = panel.body.into_string();
        for name in ["cx=\"", "x1=\"", "x2=\"", "x=\""] {
            for part in svg.split(name).skip(1) {
                let x: f64 = part[..part.find('"').unwrap()].parse().unwrap();
                assert!((0.0..=panel.width).contains(&x), "{name}{x}");
            }
        }
    }
}

//! What is gained where it was aimed, against what it costs elsewhere.

use maud::html;

use super::draw::{
    Form, around, beside, fit, level, lying, mark, path, text, text_over, upright, whisker, width,
};
use super::{Panel, told};
use crate::estimate::Estimate;
use crate::scale::Scale;

#[derive(Clone, Debug)]
pub(crate) struct Dot {
    pub(crate) label: String,
    /// Difference on everything else, as in the answers.
    pub(crate) cost: Estimate,
    /// Difference where it was aimed, as in the answers.
    pub(crate) gain: Estimate,
    /// No other arm significantly beats it in both.
    pub(crate) front: bool,
    pub(crate) largest: bool,
}

/// Arms in a plane.
#[derive(Clone, Debug)]
pub(crate) struct Front {
    pub(crate) title: String,
    pub(crate) dots: Vec<Dot>,
}

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 390.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 240.0;
const COST: &str = "cost: general Δ bits per byte (left is better)";
/// Dominated arms are named as long as there are few.
const NAMED: usize = 12;

impl Front {
    /// Draws it. Bits per byte fall when they are gained: what stands shows the fall upwards.
    pub(crate) fn panel(&self) -> Panel {
        let costs = self.dots.iter().flat_map(|dot| dot.cost.ends());
        let gains = self.dots.iter().flat_map(|dot| dot.gain.ends()).map(|end| -end);
        let x = Scale::around(costs.chain([0.0]), (LEFT + 8.0, RIGHT - 8.0), 4);
        let y = Scale::around(gains.chain([0.0]), (BOTTOM, TOP), 5);
        let place = |dot: &Dot| (x.at(dot.cost.mean), y.at(-dot.gain.mean));
        let mut front: Vec<&Dot> = self.dots.iter().filter(|dot| dot.front).collect();
        front.sort_by(|a, b| {
            a.cost.mean.total_cmp(&b.cost.mean).then(a.gain.mean.total_cmp(&b.gain.mean))
        });
        // The line joins those that gain more than each one that costs less: their means alone.
        let mut line: Vec<&Dot> = Vec::new();
        for dot in &front {
            if line.last().is_none_or(|last| dot.gain.mean < last.gain.mean) {
                line.push(dot);
            }
        }
        let steps: Vec<(f64, f64)> = line
            .windows(2)
            .flat_map(|pair| {
                let ((_, y), to) = (place(pair[0]), place(pair[1]));
                [(to.0, y), to]
            })
            .collect();
        let steps: Vec<(f64, f64)> =
            line.first().map(|dot| place(dot)).into_iter().chain(steps).collect();
        let axes = [
            [x.at(0.0) - 1.0, TOP, x.at(0.0) + 1.0, BOTTOM],
            [LEFT, y.at(0.0) - 1.0, RIGHT, y.at(0.0) + 1.0],
        ];
        let labels = self.labels(&place, axes);
        let body = html! {
            (text("head", (0.0, 14.0), &self.title))
            (text("small soft", (0.0, 32.0), "targeted gain, bits per byte (up is better)"))
            (upright(&y, LEFT, RIGHT))
            (level(&x, TOP, BOTTOM))
            (text("small soft end", (RIGHT, BOTTOM + 36.0), COST))
            @if steps.len() > 1 { (path("curve s1", &steps)) }
            @for dot in self.dots.iter().filter(|dot| !dot.front).chain(front.iter().copied()) {
                @let at = place(dot);
                @let stroke = if dot.front { "s1" } else { "s0" };
                g {
                    title { (dot.spoken()) }
                    @if let Some([low, high]) = dot.gain.interval {
                        (whisker(stroke, at.0, y.at(-low), y.at(-high)))
                    }
                    @if let Some([low, high]) = dot.cost.interval {
                        (lying(stroke, at.1, x.at(low), x.at(high)))
                    }
                    @let (form, fill) = dot.manner();
                    (mark(form, fill, at, 4.5))
                    @if dot.largest { (mark(Form::Circle, "ring", at, 9.0)) }
                }
            }
            @for (class, at, label) in labels { (text_over(class, at, &label)) }
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

    /// Places labels next to their points without overlap, important ones first. `axes`: lines at
    /// zero, which no label crosses.
    fn labels(
        &self,
        place: &impl Fn(&Dot) -> (f64, f64),
        axes: [[f64; 4]; 2],
    ) -> Vec<(&'static str, (f64, f64), String)> {
        let mut order: Vec<&Dot> = self.dots.iter().collect();
        order.sort_by_key(|dot| (!dot.largest, !dot.front));
        let points: Vec<(f64, f64)> = self.dots.iter().map(place).collect();
        let mut taken: Vec<[f64; 4]> = points.iter().copied().map(around).chain(axes).collect();
        let mut labels = Vec::new();
        for dot in order {
            if !dot.front && self.dots.len() > NAMED {
                continue;
            }
            let label = if dot.largest {
                format!("{} (largest gain)", fit(&dot.label, 11.0, 110.0))
            } else {
                fit(&dot.label, 11.0, 130.0)
            };
            let (x, y) = place(dot);
            let wide = width(&label, 11.0);
            let left = -11.0 - wide;
            let offsets =
                [(11.0, -9.0), (11.0, 16.0), (left, -9.0), (left, 16.0), (13.0, 4.0), (left, 4.0)];
            let far = [(11.0, -24.0), (11.0, 30.0), (left, -24.0), (left, 30.0)];
            // Among many points a name further off could be another one's.
            let far = if self.dots.len() > NAMED / 2 { &[][..] } else { &far };
            let inside = [LEFT, TOP - 12.0, RIGHT + 8.0, BOTTOM];
            let offsets = offsets.iter().chain(far);
            if let Some(at) = beside((x, y), wide, offsets, inside, &mut taken) {
                let class = if dot.front { "small" } else { "small soft" };
                labels.push((class, at, label));
            }
        }
        labels
    }

    fn spoken(&self) -> String {
        told(self.dots.iter().map(Dot::spoken))
    }
}

impl Dot {
    fn manner(&self) -> (Form, &'static str) {
        if self.front { (Form::Circle, "s1 f1") } else { (Form::Square, "s0 open") }
    }

    fn spoken(&self) -> String {
        let rank = match (self.largest, self.front) {
            (true, _) => ", the largest gain",
            (false, true) => "",
            (false, false) => ", significantly beaten in both",
        };
        let (gain, cost) = (self.gain.spoken(), self.cost.spoken());
        format!("{}{rank}: targeted {gain}; general {cost}.", self.label)
    }
}

#[cfg(test)]
mod tests {
    use sparkjoy_answers::Verdict;

    use super::*;
    use crate::estimate::Unit;

    #[test]
    fn no_name_is_drawn_through_an_axis() {
        let estimate = |mean| Estimate {
            mean,
            interval: None,
            verdict: Verdict::Better,
            p: None,
            detectable: None,
            unit: Unit::Bits,
        };
        let dot = |label: &str, cost, gain, largest| Dot {
            label: label.to_owned(),
            cost: estimate(cost),
            gain: estimate(gain),
            front: true,
            largest,
        };
        // The first point lies just left of the axis, in the middle of the drawing.
        let dots = vec![
            dot("with a name", -0.002, -0.05, true),
            dot("b", 0.1, -0.1, false),
            dot("c", -0.1, -0.01, false),
        ];
        let svg = Front { title: "Gain".to_owned(), dots }.panel().body.into_string();
        let attribute = |text: &str, name: &str| -> f64 {
            text.split(&format!(" {name}=\""))
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        };
        let axes: Vec<f64> = svg
            .split("<line class=\"zero\"")
            .skip(1)
            .filter(|line| (attribute(line, "x1") - attribute(line, "x2")).abs() < 1e-9)
            .map(|line| attribute(line, "x1"))
            .collect();
        assert_eq!(axes.len(), 1, "{svg}");
        let label = "with a name (largest gain)";
        let text = svg.split("<text").find(|text| text.contains(&format!(">{label}<"))).unwrap();
        let begin = attribute(text, "x");
        let crosses = begin < axes[0] && axes[0] < begin + width(label, 11.0);
        assert!(!crosses, "{begin} to {} crosses {}", begin + width(label, 11.0), axes[0]);
    }
}

//! A surface over the blends of three mixtures: a triangle, each corner one of them alone.

use std::fmt::Write;

use maud::{Markup, html};

use super::draw::{Form, along, area, around, beside, fit, mark, rect, text, text_over, width};
use super::{Panel, told};

/// A measured blend.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) label: String,
    /// Its share of each corner.
    pub(crate) composition: Vec<f64>,
    pub(crate) gain: f64,
    /// Its gain as it stands beside the point.
    pub(crate) shown: String,
    /// Whether it is what all others are compared with.
    pub(crate) control: bool,
}

/// Shares of the corners to a value.
type Over<'a, T> = Box<dyn Fn(&[f64]) -> T + 'a>;

/// A surface and what it is fitted to.
pub(crate) struct Ternary<'a> {
    pub(crate) title: String,
    /// What the numbers count.
    pub(crate) unit: String,
    pub(crate) corners: Vec<String>,
    pub(crate) measured: Vec<Measured>,
    pub(crate) gain: Over<'a, f64>,
    /// Where something guarded is predicted to get too much worse.
    pub(crate) breaks: Over<'a, bool>,
    /// Where the gain is highest, and its label.
    pub(crate) top: Option<(Vec<f64>, String)>,
    /// A value in words.
    pub(crate) show: Box<dyn Fn(f64) -> String + 'a>,
}

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 452.0;
/// The corners: above, left, right.
const CORNERS: [(f64, f64); 3] = [(220.0, 74.0), (40.0, 386.0), (400.0, 386.0)];
/// Cells along an edge.
const CELLS: usize = 40;
/// Tints, and the strongest: ink still stands out on it.
const LEVELS: usize = 12;
const STRONGEST: f64 = 0.62;
/// Between two lines of what is hatched, and between two looks along a line.
const HATCH: f64 = 8.0;
const LOOK: f64 = 1.5;

/// Where a blend stands.
fn place(composition: &[f64]) -> (f64, f64) {
    let sum = |of: fn(&(f64, f64)) -> f64| -> f64 {
        composition.iter().zip(&CORNERS).map(|(share, corner)| share * of(corner)).sum()
    };
    (sum(|corner| corner.0), sum(|corner| corner.1))
}

/// The blend that stands somewhere; none outside the triangle.
fn blend((x, y): (f64, f64)) -> Option<[f64; 3]> {
    let [top, left, right] = CORNERS;
    let first = (left.1 - y) / (left.1 - top.1);
    let third = (x - left.0 - first * (top.0 - left.0)) / (right.0 - left.0);
    let shares = [first, 1.0 - first - third, third];
    shares.iter().all(|share| *share >= 0.0).then_some(shares)
}

impl Ternary<'_> {
    pub(crate) fn panel(&self) -> Panel {
        let cells = strips().flatten().map(|cell| (self.gain)(&cell.middle));
        let values: Vec<f64> = cells.chain(self.measured.iter().map(|of| of.gain)).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let tint = |gain: f64| {
            let part = if high > low { (gain - low) / (high - low) } else { 0.0 };
            ((part * LEVELS as f64) as usize).min(LEVELS - 1)
        };
        let [above, left, right] = CORNERS;
        let names: Vec<String> = self.corners.iter().map(|name| fit(name, 12.0, 180.0)).collect();
        let body = html! {
            (text("head", (0.0, 14.0), &self.title))
            (text("small soft", (0.0, 32.0), &self.unit))
            (self.tints(&tint))
            (self.hatched())
            (area("axis", &CORNERS))
            (self.zero())
            (text("mid", (above.0, above.1 - 10.0), &names[0]))
            (text("", (0.0, left.1 + 30.0), &names[1]))
            (text("end", (WIDTH, right.1 + 30.0), &names[2]))
            @for of in &self.measured { (Self::point(of, &opacity(tint(of.gain)))) }
            (self.labels())
            (self.legend([low, high]))
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

    /// The surface: neighbours of one tint in a row are one area.
    fn tints(&self, tint: &dyn Fn(f64) -> usize) -> Markup {
        let mut paths = vec![String::new(); LEVELS];
        for strip in strips() {
            let tints: Vec<usize> = strip.iter().map(|c| tint((self.gain)(&c.middle))).collect();
            let mut begin = 0;
            for end in 1..=strip.len() {
                if end == strip.len() || tints[end] != tints[begin] {
                    let ([from, above_from], [to, above_to]) =
                        (strip[begin].left, strip[end - 1].right);
                    let outline = [from, to, above_to, above_from].map(|corner| place(&corner));
                    let _ = write!(paths[tints[begin]], "{}Z", along(&outline));
                    begin = end;
                }
            }
        }
        html! {
            // Smoothed edges would show as lines between areas that touch.
            g shape-rendering="crispEdges" {
                @for (level, path) in paths.iter().enumerate() {
                    @if !path.is_empty() {
                        path class="f1" fill-opacity=(opacity(level)) d=(path) {}
                    }
                }
            }
        }
    }

    /// Slanting lines over what breaks a guard.
    fn hatched(&self) -> Markup {
        let [above, left, right] = CORNERS;
        let (wide, high) = (right.0 - left.0, left.1 - above.1);
        let mut path = String::new();
        for number in 1..((wide + high) / HATCH) as usize {
            let from = left.0 + number as f64 * HATCH;
            let at = |look: usize| (from - look as f64 * LOOK, above.1 + look as f64 * LOOK);
            let broken = |look: usize| blend(at(look)).is_some_and(|shares| (self.breaks)(&shares));
            let mut begin = None;
            for look in 0..=(high / LOOK) as usize + 1 {
                match (begin, broken(look)) {
                    (None, true) => begin = Some(look),
                    (Some(first), false) => {
                        path.push_str(&along(&[at(first), at(look - 1)]));
                        begin = None;
                    }
                    _ => {}
                }
            }
        }
        html! { @if !path.is_empty() { path class="hatch" d=(path) {} } }
    }

    /// Where the gain is 0, if that is on the surface.
    fn zero(&self) -> Markup {
        let mut path = String::new();
        for cell in strips().flatten() {
            let values = cell.corners.map(|corner| (self.gain)(&corner));
            let crossed = [(0, 1), (1, 2), (2, 0)].into_iter().filter_map(|(one, two)| {
                let (from, to) = (values[one], values[two]);
                let part = from / (from - to);
                let between = |begin: f64, end: f64| begin + part * (end - begin);
                let [begin, end] = [one, two].map(|corner| place(&cell.corners[corner]));
                let at = (between(begin.0, end.0), between(begin.1, end.1));
                ((from < 0.0) != (to < 0.0)).then_some(at)
            });
            let crossed: Vec<(f64, f64)> = crossed.collect();
            if let [one, two] = crossed[..] {
                path.push_str(&along(&[one, two]));
            }
        }
        html! { @if !path.is_empty() { path class="zero dash" d=(path) {} } }
    }

    fn point(of: &Measured, opacity: &str) -> Markup {
        let (at, form) =
            (place(&of.composition), if of.control { Form::Square } else { Form::Circle });
        html! {
            g {
                title { (of.label) ": " (of.shown) }
                (mark(form, "pin open", at, 7.0))
                g fill-opacity=(opacity) { (mark(form, "pin f1", at, 7.0)) }
            }
        }
    }

    /// The highest point, and numbers beside all points that have space.
    fn labels(&self) -> Markup {
        let points = self.measured.iter().map(|of| place(&of.composition));
        let mut taken: Vec<[f64; 4]> = points.map(around).collect();
        let inside = [0.0, 44.0, WIDTH, CORNERS[1].1 + 20.0];
        let mut labels = Vec::new();
        if let Some((composition, shown)) = &self.top {
            let at = place(composition);
            taken.push(around(at));
            let wide = width(shown, 12.0);
            let offsets = [
                (15.0, 4.0),
                (-15.0 - wide, 4.0),
                (-wide / 2.0, -16.0),
                (-wide / 2.0, 25.0),
                (15.0, 22.0),
                (-15.0 - wide, 22.0),
                (15.0, -14.0),
                (-15.0 - wide, -14.0),
            ];
            if let Some(at) = beside(at, wide, &offsets, inside, &mut taken) {
                labels.push(("head", at, shown));
            }
        }
        for of in &self.measured {
            let wide = width(&of.shown, 11.0);
            let offsets =
                [(-wide / 2.0, 20.0), (-wide / 2.0, -11.0), (11.0, 4.0), (-11.0 - wide, 4.0)];
            let at = place(&of.composition);
            if let Some(at) = beside(at, wide, &offsets, inside, &mut taken) {
                labels.push(("num", at, &of.shown));
            }
        }
        html! {
            @if let Some((composition, _)) = &self.top {
                @let is_measured = self.measured.iter().any(|of| of.composition == *composition);
                @let (class, size) = if is_measured { ("ring", 11.0) } else { ("pin open", 7.0) };
                (mark(Form::Diamond, class, place(composition), size))
            }
            @for (class, at, shown) in labels { (text_over(class, at, shown)) }
        }
    }

    /// Which tint is which gain.
    fn legend(&self, ends: [f64; 2]) -> Markup {
        let [low, high] = ends.map(&self.show);
        let (left, top, step) = (width(&low, 11.0) + 8.0, HEIGHT - 16.0, 11.0);
        let right = left + step * LEVELS as f64;
        html! {
            (text("num soft", (0.0, top + 10.0), &low))
            @for level in 0..LEVELS {
                g fill-opacity=(opacity(level)) {
                    (rect("f1", (left + step * level as f64, top), (step, 12.0)))
                }
            }
            (text("num soft", (right + 8.0, top + 10.0), &high))
        }
    }

    fn spoken(&self) -> String {
        let corners = self.corners.join(", ");
        let top = self.top.iter().map(|(_, shown)| format!("{shown} by the surface."));
        let measured = self.measured.iter().map(|of| format!("{}: {}.", of.label, of.shown));
        format!("{} over blends of {corners}. {}", self.unit, told(top.chain(measured)))
    }
}

fn opacity(level: usize) -> String {
    format!("{:.2}", 0.04 + (STRONGEST - 0.04) * level as f64 / (LEVELS - 1) as f64)
}

/// A small triangle of the surface, by shares.
struct Cell {
    corners: [[f64; 3]; 3],
    middle: [f64; 3],
    /// The lower and the upper end of its left edge.
    left: [[f64; 3]; 2],
    /// The same of its right edge.
    right: [[f64; 3]; 2],
}

/// The cells row by row from below, from left to right.
fn strips() -> impl Iterator<Item = Vec<Cell>> {
    (0..CELLS).map(|row| {
        let at = |row: usize, column: usize| {
            let share = |part: usize| part as f64 / CELLS as f64;
            [share(row), share(CELLS - row - column), share(column)]
        };
        let cell = |number: usize| {
            let column = number / 2;
            let (below, above) = (at(row, column), at(row + 1, column));
            let next = at(row, column + 1);
            let (corners, left, right) = if number.is_multiple_of(2) {
                ([below, next, above], [below, above], [next, above])
            } else {
                let after = at(row + 1, column + 1);
                ([next, after, above], [next, above], [next, after])
            };
            let mean = |i: usize| corners.iter().map(|corner| corner[i]).sum::<f64>() / 3.0;
            Cell { corners, middle: [mean(0), mean(1), mean(2)], left, right }
        };
        (0..2 * (CELLS - row) - 1).map(cell).collect()
    })
}

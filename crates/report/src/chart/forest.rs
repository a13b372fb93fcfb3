//! A forest plot: one row per comparison, one column per thing that is measured, each with its
//! point and interval.

use maud::{Markup, html};

use super::draw::{Form, fit, level, line, lying, mark, rect, text, two_lines, width};
use super::{Panel, told};
use crate::estimate::Estimate;
use crate::scale::Scale;

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) label: String,
    /// One element per column; none where it is missing.
    pub(crate) cells: Vec<Option<Estimate>>,
}

/// Rows under a heading.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The heading; none where the order needs none.
    pub(crate) heading: Option<String>,
    pub(crate) rows: Vec<Row>,
}

/// Comparisons below each other.
#[derive(Clone, Debug)]
pub(crate) struct Forest {
    pub(crate) title: String,
    /// What the axes count.
    pub(crate) unit: String,
    /// What is measured in each column.
    pub(crate) columns: Vec<String>,
    pub(crate) groups: Vec<Group>,
}

const TOP: f64 = 62.0;
const ROW: f64 = 26.0;
const HEADING: f64 = 24.0;
const GAP: f64 = 18.0;
const LABELS: f64 = 230.0;
/// Width of the numbers beside a column's points.
const NUMBERS: f64 = 52.0;

impl Forest {
    pub(crate) fn panel(&self) -> Panel {
        let columns = self.columns.len() as f64;
        let labels = self.labels();
        let total = if columns > 2.0 { 860.0 } else { 720.0 };
        let wide = (total - labels - columns * GAP) / columns;
        let places = self.places();
        let rows = self.groups.iter().map(|group| group.rows.len()).sum::<usize>() as f64;
        let bottom = TOP + rows * ROW + (places.len() as f64 - rows) * HEADING + 6.0;
        let body = html! {
            (text("head", (0.0, 14.0), &self.title))
            (text("small soft", (0.0, 32.0), &self.unit))
            (Self::names(&places, labels, total))
            @for (index, name) in self.columns.iter().enumerate() {
                @let left = labels + GAP + index as f64 * (wide + GAP);
                (self.column(index, name, &places, (left, left + wide), bottom))
            }
        };
        Panel {
            width: total,
            height: bottom + 26.0,
            title: self.title.clone(),
            desc: self.spoken(),
            body,
            narrow: None,
        }
    }

    fn labels(&self) -> f64 {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        let widest = rows.map(|row| width(&row.label, 12.0)).fold(60.0, f64::max);
        widest.min(LABELS)
    }

    /// Headings and rows from top to bottom.
    fn places(&self) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        let mut top = TOP;
        for group in self.groups.iter().filter(|group| !group.rows.is_empty()) {
            if let Some(heading) = group.heading.as_deref() {
                places.push(Place { top, shaded: false, what: RowKind::Heading(heading) });
                top += HEADING;
            }
            for (index, row) in group.rows.iter().enumerate() {
                places.push(Place { top, shaded: index % 2 == 1, what: RowKind::Row(row) });
                top += ROW;
            }
        }
        places
    }

    fn names(places: &[Place<'_>], labels: f64, total: f64) -> Markup {
        html! {
            @for Place { top, shaded, what } in places {
                @match what {
                    RowKind::Heading(heading) => {
                        (text("small soft", (0.0, top + 17.0), &fit(heading, 11.0, total)))
                    }
                    RowKind::Row(row) => {
                        @if *shaded { (rect("stripe", (0.0, *top), (total, ROW))) }
                        g {
                            title { (row.label) }
                            @let lines = two_lines(&row.label, 12.0, labels);
                            @if let [one] = lines.as_slice() {
                                (text("", (0.0, top + 17.0), one))
                            } @else {
                                @for (index, line) in lines.iter().enumerate() {
                                    @let y = top + 11.0 + 12.0 * index as f64;
                                    (text("small", (0.0, y), line))
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn column(
        &self,
        index: usize,
        name: &str,
        places: &[Place<'_>],
        (left, right): (f64, f64),
        bottom: f64,
    ) -> Markup {
        let cells = self.groups.iter().flat_map(|group| &group.rows);
        let ends = cells.filter_map(|row| row.cells[index].as_ref()).flat_map(Estimate::ends);
        let plot = right - NUMBERS;
        let scale = Scale::around(ends.chain([0.0]), (left + 4.0, plot - 4.0), 3);
        html! {
            (text("small", (left, TOP - 10.0), &fit(name, 11.0, right - left)))
            (level(&scale, TOP, bottom - 2.0))
            (line("axis", (left, bottom - 2.0), (plot, bottom - 2.0)))
            @for Place { top, what, .. } in places {
                @if let RowKind::Row(row) = what {
                    @let middle = top + ROW / 2.0;
                    @match &row.cells[index] {
                        None => (text("small soft end", (right, middle + 4.0), "missing")),
                        Some(value) => g {
                            title { (row.label) ", " (name) ": " (value.spoken()) }
                            (point(value, &scale, middle))
                            (text(number(value), (right, middle + 4.0), &value.value()))
                        },
                    }
                }
            }
        }
    }

    fn spoken(&self) -> String {
        let row = |row: &Row| {
            let cells = self.columns.iter().zip(&row.cells).map(|(name, cell)| match cell {
                Some(value) => format!("{name} {}", value.spoken()),
                None => format!("{name} missing"),
            });
            format!("{}: {}.", row.label, cells.collect::<Vec<_>>().join("; "))
        };
        let rows = self.groups.iter().flat_map(|group| &group.rows).map(row);
        format!("{}. {}", self.unit, told(rows))
    }
}

/// What stands at a height.
struct Place<'a> {
    top: f64,
    shaded: bool,
    what: RowKind<'a>,
}

enum RowKind<'a> {
    Heading(&'a str),
    Row(&'a Row),
}

/// The form and colour of what an estimate is worth: a full blue circle, a full orange diamond, a
/// hollow grey circle, a full grey square.
pub(crate) fn manner(value: &Estimate) -> (Form, &'static str, &'static str) {
    match value.class() {
        "better" => (Form::Circle, "s1", "s1 f1"),
        "worse" => (Form::Diamond, "s2", "s2 f2"),
        "noise" => (Form::Circle, "s0", "s0 open"),
        _ => (Form::Square, "s0", "s0 f0"),
    }
}

fn number(value: &Estimate) -> &'static str {
    if value.is_noise() { "num soft end" } else { "num end" }
}

fn point(value: &Estimate, scale: &Scale, y: f64) -> Markup {
    let (form, stroke, fill) = manner(value);
    html! {
        @if let Some([low, high]) = value.interval {
            (lying(stroke, y, scale.at(low), scale.at(high)))
        }
        (mark(form, fill, (scale.at(value.mean), y), 4.0))
    }
}

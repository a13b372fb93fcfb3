//! A table whose cells are tinted by how far they are from nothing.

use maud::{Markup, html};

use super::draw::{fit, px, rect, text, two_lines, width};
use super::{Panel, told};
use crate::estimate::Estimate;

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) label: String,
    /// One element per column; none where it is missing.
    pub(crate) cells: Vec<Option<Estimate>>,
}

/// Effects in rows and columns, all in one unit.
#[derive(Clone, Debug)]
pub(crate) struct Heat {
    pub(crate) title: String,
    /// What the numbers count.
    pub(crate) unit: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

const TOP: f64 = 76.0;
const HEIGHT: f64 = 24.0;
const CELL: f64 = 76.0;
const LABELS: f64 = 230.0;
/// The strongest tint still lets ink stand out.
const STRONGEST: f64 = 0.5;

impl Heat {
    pub(crate) fn panel(&self) -> Panel {
        let widest = self.rows.iter().map(|row| width(&row.label, 12.0)).fold(80.0, f64::max);
        let labels = widest.min(LABELS) + 10.0;
        let cells = self.rows.iter().flat_map(|row| row.cells.iter().flatten());
        let most = cells.map(|cell| cell.mean.abs()).fold(0.0, f64::max);
        let wide = labels + CELL * self.columns.len() as f64;
        let tall = TOP + HEIGHT * self.rows.len() as f64;
        let body = html! {
            (text("head", (0.0, 14.0), &self.title))
            (text("small soft", (0.0, 32.0), &self.unit))
            @for (index, name) in self.columns.iter().enumerate() {
                @let left = labels + CELL * index as f64;
                g {
                    title { (name) }
                    @for (row, line) in two_lines(name, 11.0, CELL - 4.0).iter().enumerate() {
                        @let y = TOP - 21.0 + 13.0 * row as f64;
                        (text("small mid", (left + CELL / 2.0, y), line))
                    }
                }
            }
            @for (index, row) in self.rows.iter().enumerate() {
                @let top = TOP + HEIGHT * index as f64;
                g {
                    title { (row.label) }
                    (text("end", (labels - 8.0, top + 16.0), &fit(&row.label, 12.0, labels - 10.0)))
                }
                @for (column, cell) in row.cells.iter().enumerate() {
                    (Self::cell(cell.as_ref(), (labels + CELL * column as f64, top), most))
                }
            }
        };
        Panel {
            width: wide.max(360.0),
            height: tall + 6.0,
            title: self.title.clone(),
            desc: self.spoken(),
            body,
            narrow: None,
        }
    }

    fn cell(cell: Option<&Estimate>, (left, top): (f64, f64), most: f64) -> Markup {
        let (inner, size) = ((left + 1.0, top + 1.0), (CELL - 2.0, HEIGHT - 2.0));
        let middle = (left + CELL / 2.0, top + 16.0);
        let Some(cell) = cell else {
            return html! {
                (rect("stripe", inner, size))
                (text("small soft mid", middle, "missing"))
            };
        };
        let tint = if cell.stands_out() { STRONGEST * (cell.mean / most).abs() } else { 0.0 };
        // What is not significant is not tinted, and has a sign of its own.
        let value = if cell.is_noise() { format!("~ {}", cell.value()) } else { cell.value() };
        html! {
            @if tint > 0.0 {
                rect class=(if cell.is_better() { "better" } else { "worse" })
                    x=(px(inner.0)) y=(px(inner.1)) width=(px(size.0)) height=(px(size.1))
                    fill-opacity=(format!("{:.2}", 0.06 + tint * 0.88)) {}
            }
            (text(if tint > 0.0 { "num mid" } else { "num soft mid" }, middle, &value))
        }
    }

    fn spoken(&self) -> String {
        let row = |row: &Row| {
            let cells = self.columns.iter().zip(&row.cells).map(|(name, cell)| match cell {
                Some(cell) => format!("{name} {}", cell.spoken()),
                None => format!("{name} missing"),
            });
            format!("{}: {}.", row.label, cells.collect::<Vec<_>>().join("; "))
        };
        format!("{}. {}", self.unit, told(self.rows.iter().map(row)))
    }
}

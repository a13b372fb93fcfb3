//! Figures: drawings that say in words what they show, with the table behind them.

pub(crate) mod cloud;
pub(crate) mod curves;
pub(crate) mod draw;
pub(crate) mod forest;
pub(crate) mod front;
pub(crate) mod heat;
pub(crate) mod slope;
pub(crate) mod ternary;
pub(crate) mod theme;
pub(crate) mod trace;
pub(crate) mod tree;

use maud::{Markup, PreEscaped, html};

use draw::px;

/// Units between two drawings of a figure that stands alone.
const GAP: f64 = 24.0;
/// Sentences of a description at most.
const TOLD: usize = 10;
/// Units a figure that stands alone is wide at most, unless one drawing is wider.
const WIDEST: f64 = 860.0;

#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Its natural size, in CSS pixels.
    pub(crate) width: f64,
    /// As `width`.
    pub(crate) height: f64,
    /// What it is, for those who do not see it.
    pub(crate) title: String,
    /// What it shows, in a sentence or two.
    pub(crate) desc: String,
    pub(crate) body: Markup,
    /// The same for a phone, where making it smaller would not do.
    pub(crate) narrow: Option<Box<Panel>>,
}

/// Drawings with a caption, and their numbers as a table.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// `q1-curves`: its file without the extension, and the root of its identifiers.
    pub(crate) name: String,
    pub(crate) caption: Markup,
    pub(crate) panels: Vec<Panel>,
    /// The numbers that are drawn; nothing where the page shows them beside the figure.
    pub(crate) table: Option<Markup>,
}

impl Figure {
    pub(crate) fn on_page(&self) -> Markup {
        let wide = self.panels.iter().any(|panel| panel.width > 520.0);
        html! {
            figure id=(self.name) class=[wide.then_some("wide")] {
                div.panels {
                    @for (index, panel) in self.panels.iter().enumerate() {
                        @let id = format!("{}-{}", self.name, index + 1);
                        div.panel.at-wide[panel.narrow.is_some()]
                            tabindex=[wide.then_some("0")] role=[wide.then_some("group")]
                            aria-label=[wide.then_some(&panel.title)] {
                            (panel.drawing(&id))
                        }
                        @if let Some(narrow) = &panel.narrow {
                            div.panel.at-narrow { (narrow.drawing(&format!("{id}-narrow"))) }
                        }
                    }
                }
                figcaption { (self.caption) }
                @if let Some(table) = &self.table {
                    details {
                        summary { "The numbers in this figure" }
                        (table)
                    }
                }
            }
        }
    }

    /// As a file of its own.
    pub(crate) fn alone(&self) -> String {
        let mut places = Vec::new();
        let (mut x, mut y, mut row, mut width) = (0.0, 0.0, 0.0_f64, 0.0_f64);
        for panel in &self.panels {
            if x > 0.0 && x + panel.width > WIDEST {
                (x, y, row) = (0.0, y + row + GAP, 0.0);
            }
            places.push((x, y));
            row = row.max(panel.height);
            width = width.max(x + panel.width);
            x += panel.width + GAP;
        }
        let (margin, height) = (8.0, y + row);
        let (w, h) = (px(width + 2.0 * margin), px(height + 2.0 * margin));
        let titles: Vec<&str> = self.panels.iter().map(|panel| panel.title.as_str()).collect();
        let descs: Vec<&str> = self.panels.iter().map(|panel| panel.desc.as_str()).collect();
        let drawing = html! {
            svg xmlns="http://www.w3.org/2000/svg" class="fig" role="img"
                viewBox={ "0 0 " (w) " " (h) } width=(w) height=(h) {
                title { (titles.join("; ")) }
                desc { (descs.join(" ")) }
                style { (PreEscaped(theme::alone())) }
                rect width=(w) height=(h) fill="#ffffff" {}
                @for (panel, (x, y)) in self.panels.iter().zip(places) {
                    g transform={ "translate(" (px(x + margin)) " " (px(y + margin)) ")" } {
                        (panel.body)
                    }
                }
            }
        };
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", drawing.into_string())
    }
}

/// Sentences of a description: as many as one listens to, and how many more there are.
pub(crate) fn told(sentences: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = sentences.collect();
    let more = all.len().saturating_sub(TOLD);
    if more > 0 {
        all.truncate(TOLD);
        all.push(format!("And {more} more, in the tables."));
    }
    all.join(" ")
}

impl Panel {
    /// On a page that allows styles in its elements: not much larger than its natural size.
    fn drawing(&self, id: &str) -> Markup {
        self.svg("fig", Some(format!("max-width:{}px", px(self.width * 1.35))), id)
    }

    /// As wide as its place; its points can be reached by keyboard.
    pub(crate) fn filling(&self, id: &str) -> Markup {
        self.svg("fig trace", None, id)
    }

    fn svg(&self, class: &str, style: Option<String>, id: &str) -> Markup {
        let (width, height) = (px(self.width), px(self.height));
        let focus = style.is_none().then_some("0");
        html! {
            svg class=(class) role="img" viewBox={ "0 0 " (width) " " (height) }
                style=[style] tabindex=[focus]
                aria-labelledby={ (id) "-t" } aria-describedby={ (id) "-d" } {
                title id={ (id) "-t" } { (self.title) }
                desc id={ (id) "-d" } { (self.desc) }
                (self.body)
            }
        }
    }
}

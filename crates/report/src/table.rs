//! Tables of the page: headers that say which cells they belong to, a caption, a place to scroll.

use maud::{Markup, html};

/// Columns that a printed page holds upright.
const BROAD: usize = 9;

/// A table; a row's cells are whole `td` elements.
#[derive(Clone, Debug)]
pub(crate) struct HtmlTable {
    /// What it shows.
    pub(crate) caption: String,
    /// What the first column holds.
    pub(crate) corner: String,
    /// The other columns.
    pub(crate) headers: Vec<String>,
    /// Names of rows and their cells.
    pub(crate) rows: Vec<(String, Vec<Markup>)>,
}

impl HtmlTable {
    /// As a part of the page.
    pub(crate) fn markup(&self) -> Markup {
        let columns = self.headers.len() + 1;
        html! {
            div.scroll.broad[columns > BROAD] style={ "--columns:" (columns) }
                tabindex="0" role="group" aria-label=(self.caption) {
                (self.alone())
            }
        }
    }

    /// Without the place to scroll around it.
    pub(crate) fn alone(&self) -> Markup {
        html! {
            table {
                caption { (self.caption) }
                thead {
                    tr {
                        th scope="col" { (self.corner) }
                        @for header in &self.headers { th scope="col" { (header) } }
                    }
                }
                tbody {
                    @for (name, cells) in &self.rows {
                        tr {
                            th scope="row" { (name) }
                            @for cell in cells { (cell) }
                        }
                    }
                }
            }
        }
    }
}

/// A cell with text.
pub(crate) fn words(content: &str) -> Markup {
    html! { td.w { (content) } }
}

/// A cell with a number.
pub(crate) fn figures(content: &str) -> Markup {
    html! { td.n { (content) } }
}

//! A table, written once and shown as text on a terminal or as a part of a page.
//!
//! Text has lines of at most [`WIDTH`] characters: a wider table goes on below itself with its
//! first column repeated. On a page the first column is headers, and there is a place to scroll.

use std::fmt::Write;

use anstyle::Style;
use maud::{Markup, html};
use unicode_width::UnicodeWidthStr;

/// Characters that a line of text should not exceed.
pub(crate) const WIDTH: usize = 100;
/// Spaces between columns of text.
const GAP: usize = 2;
/// Columns that a printed page holds upright.
const BROAD: usize = 9;

/// What stands in one place of a table. Text is made into one as it is.
#[derive(Clone, Debug)]
pub struct Cell {
    /// On a terminal; may have several lines.
    pub(crate) text: String,
    /// On a page, a whole `td`, where that is more than the text.
    pub(crate) page: Option<Markup>,
}

impl Cell {
    /// Where there should be a number.
    pub(crate) fn missing() -> Self {
        let page = Some(html! { td.est.missing { "missing" } });
        Self { text: "missing ".to_owned(), page }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, page: None }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

#[derive(Clone, Debug)]
enum Row {
    /// Words over the rows that follow.
    Heading(String),
    Cells(Vec<Cell>),
}

/// A table being filled.
#[derive(Clone, Debug)]
pub struct Table {
    caption: String,
    headers: Vec<String>,
    /// Whether a column holds words, set to the left, and not numbers.
    words: Vec<bool>,
    rows: Vec<Row>,
}

impl Table {
    /// A table with these headers. A header that starts with `<` is of a column of words, set to
    /// the left; the others hold numbers. A header may have several lines.
    pub fn new<S: AsRef<str>>(headers: impl IntoIterator<Item = S>) -> Self {
        let split = |header: S| match header.as_ref().strip_prefix('<') {
            Some(words) => (true, words.to_owned()),
            None => (false, header.as_ref().to_owned()),
        };
        let (words, headers) = headers.into_iter().map(split).unzip();
        Self { caption: String::new(), headers, words, rows: Vec::new() }
    }

    /// The table with what a page says above it.
    pub(crate) fn captioned(self, caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..self }
    }

    /// Adds a row, as many cells as there are headers.
    ///
    /// # Panics
    ///
    /// If there are more or fewer.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let cells: Vec<Cell> = cells.into_iter().map(Into::into).collect();
        assert_eq!(cells.len(), self.headers.len(), "a row as wide as its headers");
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a row whose name differs in kind from its other cells.
    pub(crate) fn named(&mut self, name: impl Into<Cell>, cells: impl IntoIterator<Item = Cell>) {
        self.row(std::iter::once(name.into()).chain(cells));
    }

    /// Adds words over the rows that follow; text only.
    pub(crate) fn heading(&mut self, words: String) {
        self.rows.push(Row::Heading(words));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line ended, its headers in bold.
    pub fn text(&self) -> String {
        self.styled(Style::new().bold())
    }

    /// The table as text without styles.
    pub(crate) fn plain(&self) -> String {
        self.styled(Style::new())
    }

    fn styled(&self, style: Style) -> String {
        let cells = self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells),
            Row::Heading(_) => None,
        });
        let mut widths: Vec<usize> = self.headers.iter().map(|header| width(header)).collect();
        for (column, cell) in cells.flat_map(|cells| cells.iter().enumerate()) {
            widths[column] = widths[column].max(width(&cell.text));
        }
        let mut text = String::new();
        let mut next = 1;
        loop {
            let mut used = widths[0];
            let fitting = widths[next..].iter().take_while(|&&width| {
                used += GAP + width;
                used <= WIDTH
            });
            // A column that is too wide alone is shown all the same.
            let end = (next + fitting.count().max(1)).min(widths.len());
            let columns: Vec<usize> = std::iter::once(0).chain(next..end).collect();
            self.lines(&mut text, style, &widths, &columns, |column| &self.headers[column]);
            for row in &self.rows {
                match row {
                    Row::Heading(words) => _ = writeln!(text, "{words}"),
                    Row::Cells(cells) => {
                        let of = |column: usize| cells[column].text.as_str();
                        self.lines(&mut text, Style::new(), &widths, &columns, of);
                    }
                }
            }
            if end == widths.len() {
                return text;
            }
            text.push('\n');
            next = end;
        }
    }

    /// Some columns of a row, as many lines as its highest cell has.
    fn lines<'a>(
        &self,
        text: &mut String,
        style: Style,
        widths: &[usize],
        columns: &[usize],
        of: impl Fn(usize) -> &'a str,
    ) {
        let height = columns.iter().map(|&column| of(column).lines().count()).max().unwrap_or(0);
        for at in 0..height.max(1) {
            let mut line = String::new();
            for &column in columns {
                let cell = of(column).lines().nth(at).unwrap_or("");
                let space = " ".repeat(widths[column] - width(cell));
                let (before, after) =
                    if self.words[column] { ("", &*space) } else { (&*space, "") };
                let gap = if column == columns[0] { 0 } else { GAP };
                let _ = write!(line, "{:gap$}{before}{cell}{after}", "");
            }
            let _ = writeln!(text, "{style}{}{style:#}", line.trim_end());
        }
    }

    /// As a part of a page.
    pub(crate) fn markup(&self) -> Markup {
        let columns = self.headers.len();
        html! {
            div.scroll.broad[columns > BROAD] style={ "--columns:" (columns) }
                tabindex="0" role="group" aria-label=(self.caption) {
                (self.alone())
            }
        }
    }

    /// Without the place to scroll around it.
    pub(crate) fn alone(&self) -> Markup {
        let cell = |column: usize, cell: &Cell| match &cell.page {
            Some(page) => page.clone(),
            None if column == 0 => html! { th scope="row" { (cell.text) } },
            None if self.words[column] => html! { td.w { (cell.text) } },
            None => html! { td.n { (cell.text) } },
        };
        html! {
            table {
                caption { (self.caption) }
                thead { tr { @for header in &self.headers { th scope="col" { (header) } } } }
                tbody {
                    @for row in &self.rows {
                        @if let Row::Cells(cells) = row {
                            tr { @for (at, of) in cells.iter().enumerate() { (cell(at, of)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Columns of the widest line.
fn width(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_words_to_the_left() {
        let mut table = Table::new(["<source", "tokens", "of\nwhich new"]);
        table.row(["web", "1,234", "−"]);
        table.heading("of which there is no other in this table".to_owned());
        table.row(["math-textbooks", "5", "5\n±1"]);
        table.row(["数学", "7", "0"]);
        insta::assert_snapshot!(table.plain(), @"
        source          tokens         of
                                which new
        web              1,234          −
        of which there is no other in this table
        math-textbooks       5          5
                                       ±1
        数学                 7          0
        ");
    }

    #[test]
    fn a_wide_table_goes_on_below_itself() {
        let mut table = Table::new((0..30).map(|i| format!("column{i}")));
        table.row((0..30).map(|i| i.to_string()));
        let text = table.plain();
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        assert_eq!(text.matches("column29").count(), 1, "{text}");
        assert!(text.matches("column0 ").count() > 1, "{text}");
    }
}

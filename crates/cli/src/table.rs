//! Aligned tables without lines: numbers to the right, headers in bold, no trailing spaces.
//!
//! A table wider than a page goes on below itself with its first column repeated.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table as Grid, presets};

use crate::output::BOLD;

/// Characters a line should not exceed.
const WIDTH: usize = 100;
/// Spaces between columns.
const GAP: usize = 2;

/// A table being filled.
#[derive(Debug)]
pub(crate) struct TextTable {
    headers: Vec<String>,
    words: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// A table with these headers. A header that starts with `<` is of a column of words, set to
    /// the left; the others hold numbers. A header may have several lines.
    pub(crate) fn new<S: AsRef<str>>(headers: &[S]) -> Self {
        let headers = headers.iter().map(AsRef::as_ref);
        let (words, headers) = headers
            .map(|header| match header.strip_prefix('<') {
                Some(words) => (true, words.to_owned()),
                None => (false, header.to_owned()),
            })
            .unzip();
        Self { headers, words, rows: Vec::new() }
    }

    /// Adds a row, as many cells as there are headers.
    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        let cells: Vec<String> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.headers.len(), "a row as wide as its headers");
        self.rows.push(cells);
    }

    /// The table as text, each line ended.
    pub(crate) fn render(&self) -> String {
        let every: Vec<usize> = (0..self.headers.len()).collect();
        let widths: Vec<usize> =
            self.grid(&every).column_max_content_widths().into_iter().map(usize::from).collect();
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
            self.block(&columns, &mut text);
            if end == widths.len() {
                return text;
            }
            text.push('\n');
            next = end;
        }
    }

    fn block(&self, columns: &[usize], text: &mut String) {
        let header_lines = columns.iter().map(|&c| self.headers[c].lines().count()).max();
        for (at, line) in self.grid(columns).lines().enumerate() {
            let line = line.trim_end();
            let _ = if at < header_lines.unwrap_or(0) {
                writeln!(text, "{BOLD}{line}{BOLD:#}")
            } else {
                writeln!(text, "{line}")
            };
        }
    }

    fn grid(&self, columns: &[usize]) -> Grid {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING);
        let pick = |cells: &[String]| columns.iter().map(|&c| cells[c].clone()).collect::<Vec<_>>();
        grid.set_header(pick(&self.headers));
        for row in &self.rows {
            grid.add_row(pick(row));
        }
        for (shown, &column) in grid.column_iter_mut().zip(columns) {
            shown.set_padding((0, GAP as u16));
            if !self.words[column] {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(table: &TextTable) -> String {
        anstream::adapter::strip_str(&table.render()).to_string()
    }

    #[test]
    fn numbers_stand_to_the_right_and_words_to_the_left() {
        let mut table = TextTable::new(&["<source", "tokens", "of\nwhich new"]);
        table.row(["web".into(), "1,234".into(), "−".into()]);
        table.row(["math-textbooks".into(), "5".into(), "5".into()]);
        insta::assert_snapshot!(plain(&table), @"
        source          tokens         of
                                which new
        web              1,234          −
        math-textbooks       5          5
        ");
    }

    #[test]
    fn a_wide_table_goes_on_below_itself() {
        let headers: Vec<String> = (0..30).map(|i| format!("column{i}")).collect();
        let mut table = TextTable::new(&headers);
        table.row((0..30).map(|i| i.to_string()));
        let text = plain(&table);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches("column29").count(), 1, "{text}");
        assert!(text.matches("column0 ").count() > 1, "{text}");
    }
}

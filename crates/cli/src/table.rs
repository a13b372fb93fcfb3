//! Aligned tables without lines: numbers to the right, headers in bold, no trailing spaces.

use comfy_table::{Cell, CellAlignment, Table as Grid, TableComponent, presets};

use crate::output::BOLD;

/// A table being filled.
pub(crate) struct Table {
    grid: Grid,
    columns: usize,
}

impl Table {
    /// A table with these headers. A header that starts with `<` is of a column of words, set to
    /// the left; the others hold numbers.
    pub(crate) fn new(headers: &[&str]) -> Self {
        let mut grid = Grid::new();
        grid.load_preset(presets::NOTHING);
        grid.set_header(headers.iter().map(|h| Cell::new(h.trim_start_matches('<'))));
        for (column, header) in grid.column_iter_mut().zip(headers) {
            column.set_padding((0, 2));
            if !header.starts_with('<') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let _ = TableComponent::HeaderLines;
        Self { grid, columns: headers.len() }
    }

    /// Adds a row, as many cells as there are headers.
    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        let cells: Vec<String> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns, "a row as wide as its headers");
        self.grid.add_row(cells);
    }

    /// The table as text, each line ended.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for (at, line) in self.grid.lines().enumerate() {
            let line = line.trim_end();
            if at == 0 {
                text.push_str(&format!("{BOLD}{line}{BOLD:#}\n"));
            } else {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

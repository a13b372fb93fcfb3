//! A table of numbers with errors, as text for a terminal.
//!
//! Text has at most [`WIDTH`] columns: a table that is wider goes on below itself. Numbers stand
//! to the right, an error under its number, and a mark after it never moves the digits.

/// Characters of a line of text.
pub(super) const WIDTH: usize = 100;
/// Spaces between columns.
const GAP: usize = 2;

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A number, with its error if it has one.
    Number {
        /// As it is shown.
        value: String,
        /// As it is shown: `±0.0012`, `[−0.0520, −0.0446]`.
        error: Option<String>,
        /// What it is worth.
        mark: Mark,
    },
    /// There should be a number.
    Missing,
}

/// What a number is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing is claimed.
    None,
    /// Significant: `*`.
    Sure,
    /// Not significant: `~`.
    Noise,
}

impl Mark {
    fn sign(self) -> char {
        match self {
            Self::None => ' ',
            Self::Sure => '*',
            Self::Noise => '~',
        }
    }
}

impl Cell {
    /// Value and error, each with a place for the mark at its end.
    fn lines(&self) -> [String; 2] {
        match self {
            Self::Number { value, error, mark } => {
                let error = error.as_ref().map_or_else(String::new, |error| format!("{error} "));
                [format!("{value}{}", mark.sign()), error]
            }
            Self::Missing => ["missing ".to_owned(), String::new()],
        }
    }
}

/// A row, or a heading between rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Words over the rows that follow.
    Heading(String),
    /// A label and as many cells as the table has columns.
    Cells(String, Vec<Cell>),
}

/// A table: a column of labels, and columns of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TerminalTable {
    /// What the labels are.
    pub(super) corner: String,
    /// Header lines of each column of numbers, equally many.
    pub(super) headers: Vec<Vec<String>>,
    /// From top to bottom.
    pub(super) rows: Vec<Row>,
}

impl TerminalTable {
    /// The table as text, each line ended.
    pub(super) fn text(&self) -> String {
        let labels = self.rows.iter().filter_map(|row| match row {
            Row::Cells(label, _) => Some(label.as_str()),
            Row::Heading(_) => None,
        });
        let label = labels.chain([self.corner.as_str()]).map(width).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.headers.len()).map(|c| self.column_width(c)).collect();

        let mut out = String::new();
        let mut begin = 0;
        while begin < widths.len() {
            let mut used = label;
            let fitting = widths[begin..].iter().take_while(|&&w| {
                used += w + GAP;
                used <= WIDTH
            });
            // A single column that does not fit is shown all the same.
            let end = begin + fitting.count().max(1);
            if begin > 0 {
                out.push('\n');
            }
            self.block(&mut out, label, &widths, begin..end);
            begin = end;
        }
        out
    }

    /// Header and all rows of some of the columns.
    fn block(
        &self,
        out: &mut String,
        label: usize,
        widths: &[usize],
        columns: std::ops::Range<usize>,
    ) {
        let mut line = |first: &str, cells: &[String]| {
            let mut text = format!("{first:<label$}");
            for (cell, column) in cells.iter().zip(columns.clone()) {
                text.push_str(&" ".repeat(GAP + widths[column] - width(cell)));
                text.push_str(cell);
            }
            out.push_str(text.trim_end());
            out.push('\n');
        };
        let lines = self.headers.iter().map(Vec::len).max().unwrap_or(0);
        for i in 0..lines {
            let cells: Vec<String> =
                self.headers[columns.clone()].iter().map(|h| format!("{} ", h[i])).collect();
            line(if i == 0 { &self.corner } else { "" }, &cells);
        }
        for row in &self.rows {
            match row {
                Row::Heading(words) => line(words, &[]),
                Row::Cells(words, cells) => {
                    let lines: Vec<_> = cells[columns.clone()].iter().map(Cell::lines).collect();
                    let [values, errors] =
                        [0, 1].map(|i| lines.iter().map(|l| l[i].clone()).collect::<Vec<_>>());
                    line(words, &values);
                    if errors.iter().any(|error| !error.is_empty()) {
                        line("", &errors);
                    }
                }
            }
        }
    }

    fn column_width(&self, column: usize) -> usize {
        let cells = self.rows.iter().flat_map(|row| match row {
            Row::Cells(_, cells) => cells[column].lines().map(|line| width(&line)),
            Row::Heading(_) => [0; 2],
        });
        let headers = self.headers[column].iter().map(|header| width(header) + 1);
        cells.chain(headers).max().unwrap_or(0)
    }
}

/// Characters, which is columns for all that is written here.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: usize) -> TerminalTable {
        let number = |value: &str, mark| Cell::Number {
            value: value.to_owned(),
            error: Some("±0.0012".to_owned()),
            mark,
        };
        TerminalTable {
            corner: "window".to_owned(),
            headers: (0..columns).map(|c| vec![format!("domain{c}"), "Δ bpb".into()]).collect(),
            rows: vec![
                Row::Cells("5%".to_owned(), vec![number("−0.0123", Mark::Sure); columns]),
                Row::Heading("against something else with a long name".to_owned()),
                Row::Cells("10%".to_owned(), vec![number("+0.0001", Mark::Noise); columns]),
                Row::Cells("20%".to_owned(), vec![Cell::Missing; columns]),
            ],
        }
    }

    #[test]
    fn digits_stand_in_line_whether_marked_or_not() {
        insta::assert_snapshot!(table(2).text(), @"
        window  domain0   domain1
                  Δ bpb     Δ bpb
        5%      −0.0123*  −0.0123*
                ±0.0012   ±0.0012
        against something else with a long name
        10%     +0.0001~  +0.0001~
                ±0.0012   ±0.0012
        20%     missing   missing
        ");
    }

    #[test]
    fn a_wide_table_goes_on_below_itself() {
        let text = table(15).text();
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        for column in 0..15 {
            assert_eq!(
                text.matches(&format!("domain{column} ")).count()
                    + text.matches(&format!("domain{column}\n")).count(),
                1,
                "{text}"
            );
        }
    }
}

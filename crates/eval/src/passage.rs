//! Which rows of a task ask about one passage: their answers are no independent items.

use std::collections::BTreeMap;

use crate::dataset::{PlacedRow, Row};

/// Bytes two questions must begin with alike to be about one passage. Instructions that all rows
/// have in common do not count.
const PASSAGE: usize = 200;

/// Writes into each row the first row that is about the same passage.
pub(crate) fn find(rows: &mut [PlacedRow]) {
    let common = common(rows);
    let mut first = BTreeMap::new();
    let passages: Vec<usize> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let begins = asked(&row.row).get(common..common + PASSAGE);
            begins.map_or(index, |begins| *first.entry(begins).or_insert(index))
        })
        .collect();
    for (row, passage) in rows.iter_mut().zip(passages) {
        row.passage = passage;
    }
}

/// Bytes that all questions begin with.
fn common(rows: &[PlacedRow]) -> usize {
    let mut asked = rows.iter().map(|row| asked(&row.row));
    let Some(first) = asked.next() else { return 0 };
    let alike = |other: &[u8]| first.iter().zip(other).take_while(|(a, b)| a == b).count();
    asked.map(alike).min().unwrap_or(0)
}

/// What a row asks; nothing where rows of the type have no passage.
fn asked(row: &Row) -> &[u8] {
    match row {
        Row::Language { context, .. } | Row::Generation { context, .. } => context.as_bytes(),
        Row::Choice { query, .. } => query.as_bytes(),
        Row::Schema { .. } | Row::Code(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(context: String) -> PlacedRow {
        let row = Row::Language { context, continuation: "x".to_owned() };
        PlacedRow { row, line: 1, category: None, passage: 0 }
    }

    #[test]
    fn questions_about_one_passage_are_found_and_instructions_are_no_passage() {
        let (instruction, one, other) = ("Read. ".repeat(80), "a b ".repeat(60), "c d ".repeat(60));
        let texts: [&str; 6] = [&one, &other, &one, "short", &other, "short"];
        let place = |(i, text)| row(format!("{instruction}{text} question {i}"));
        let mut rows: Vec<PlacedRow> = texts.iter().enumerate().map(place).collect();
        find(&mut rows);
        let passages: Vec<usize> = rows.iter().map(|row| row.passage).collect();
        assert_eq!(passages, [0, 1, 0, 3, 1, 5]);
    }
}

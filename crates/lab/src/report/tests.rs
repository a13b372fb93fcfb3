//! The report on the figures of `answers/invented.rs`, as it is read.

use super::*;
use crate::answers::invented::{answers, unfinished};

#[test]
fn a_terminal_shows_controls_then_differences_with_their_errors() {
    insta::assert_snapshot!(report_text(&answers()), @"");
}

#[test]
fn markdown_shows_sources_too() {
    insta::assert_snapshot!(report_markdown(&answers()), @"");
}

#[test]
fn what_is_missing_is_said_first() {
    let text = report_text(&unfinished("upsampled-10%-r1"));
    insta::assert_snapshot!(text.split("\n\n").next().unwrap(), @"");
    assert_eq!(text.matches("missing ").count() + text.matches("missing\n").count(), 4 * 3 + 1);
}

#[test]
fn no_line_is_wider_than_a_terminal() {
    for text in [report_text(&answers()), report_text(&unfinished("base-20%-r2"))] {
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}

#[test]
fn csv_holds_every_number_of_the_answers() {
    let answers = unfinished("base-20%-r2");
    let csv = report_csv(&answers);
    let lines: Vec<&str> = csv.lines().collect();
    insta::assert_snapshot!(lines[..10].join("\n"), @"");
    // 3 + 5 lines for each whole comparison, one for each missing one; six scopes.
    let arms = answers.questions.iter().flat_map(|question| &question.arms);
    let missing = arms.clone().filter(|arm| arm.cells[0].is_none()).count();
    assert_eq!((arms.clone().count(), missing), (5, 1));
    assert_eq!(lines.len(), 1 + 6 * (4 * 8 + 1));
}

//! What is said about tasks, where the truth is known: each finding where it is true, and none of
//! it where it is nearly true.

use super::known::{Read, TASKS, answers, of, plan};
use super::*;
use crate::{Ask, Role};

/// What each source teaches: sums and windows word problems, code or its forks programs, rumours
/// false facts; what is not read costs its own text.
fn truth(window: u64, read: &Read, what: &str) -> f64 {
    let Read::Without(without) = read else {
        return if TASKS.contains(&what) { 0.30 } else { 1.0 };
    };
    let is_in = |name: &str| !without.contains(name);
    let long = window as f64 / 100.0;
    match what {
        "word-problems" if is_in("sums") => 0.45 + 0.5 * long,
        "programs" if is_in("code") || is_in("forks") => 0.60,
        "facts" if is_in("rumours") => 0.30,
        "facts" => 0.42,
        "cloze" => 0.28 - 0.2 * long,
        "word-problems" | "programs" => 0.35,
        "web" => 1.0,
        "code" | "forks" if is_in("code") || is_in("forks") => {
            if is_in(what) {
                0.80
            } else {
                0.83
            }
        }
        source => 0.80 + if is_in(source) { 0.0 } else { 0.15 },
    }
}

fn said(answer: &Answer, kind: FindingKind) -> Vec<&str> {
    let of = answer.findings.iter().filter(|finding| finding.kind == kind);
    of.map(|finding| finding.text.as_str()).collect()
}

fn all(answer: &Answer) -> String {
    let line = |finding: &Finding| format!("{:?}: {}", finding.kind, finding.text);
    answer.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn windows_are_told_by_what_each_task_gains_and_pays() {
    let answers = answers(&truth);
    insta::assert_snapshot!(all(&answers.questions[0]), @"");
}

#[test]
fn removals_are_told_by_what_each_task_misses_and_what_it_is_rid_of() {
    let answers = answers(&truth);
    insta::assert_snapshot!(all(&answers.questions[1]), @"");
}

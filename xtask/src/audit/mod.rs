//! How often a study marks what is not there: whole studies of two sources that are drawn alike.
//!
//! `pieces`: documents are cut, and the pieces dealt to the two sources one by one. Nothing differs
//! between them, so every mark is wrong and every interval should hold 0. `documents`: whole
//! documents are dealt. The sources then differ by chance, as any two samples do; the share of
//! marks says how much an answer is about this text alone.

mod text;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::command::{self, Failed, root};

/// Studies of each kind.
const STUDIES: u64 = 30;

/// What a kind of study found.
#[derive(Default)]
struct Found {
    questions: usize,
    marked: usize,
    intervals: usize,
    hold: usize,
}

/// Runs the studies and prints a table.
///
/// # Errors
///
/// [`Failed`] if the program cannot be built, a study does not end, or its report is not as
/// expected.
pub(crate) fn statistics() -> Result<(), Failed> {
    let program = command::program()?;
    let folder = root().join("target/audit");
    let start = Instant::now();
    let mut table =
        vec!["| dealt | studies | questions with a mark | intervals that hold 0 |".to_owned()];
    table.push("|:--|--:|--:|--:|".to_owned());
    for whole in [false, true] {
        let mut found = Found::default();
        let name = if whole { "documents" } else { "pieces" };
        for seed in 0..STUDIES {
            let study = folder.join(format!("{name}-{seed}"));
            one(&program, &study, seed, whole, &mut found)?;
            eprintln!("{name} {}: {} of {} marked", seed + 1, found.marked, found.questions);
        }
        let percent = |part: usize, all: usize| 100.0 * part as f64 / all as f64;
        table.push(format!(
            "| {name} | {STUDIES} | {} of {} ({:.1} %) | {} of {} ({:.1} %) |",
            found.marked,
            found.questions,
            percent(found.marked, found.questions),
            found.hold,
            found.intervals,
            percent(found.hold, found.intervals),
        ));
    }
    eprintln!("\n{}\n\n{:.0} s", table.join("\n"), start.elapsed().as_secs_f64());
    Ok(())
}

/// Makes, runs and reads one study.
fn one(
    program: &Path,
    folder: &Path,
    seed: u64,
    whole: bool,
    found: &mut Found,
) -> Result<(), Failed> {
    let failed = |what: &str| Failed(format!("`{}`: {what}", folder.display()));
    // Text is made anew each time, so what is left of an interrupted audit is of no use.
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder.join("text")).map_err(|e| failed(&e.to_string()))?;
    for (name, lines) in ["one", "two"].iter().zip(text::sources(seed, whole)) {
        let path = folder.join(format!("text/{name}.jsonl"));
        fs::write(path, lines).map_err(|e| failed(&e.to_string()))?;
    }
    let study = text::STUDY.replace("SEED", &seed.to_string());
    fs::write(folder.join("study.toml"), study).map_err(|e| failed(&e.to_string()))?;
    for verb in ["prepare", "run"] {
        let mut command = Command::new(program);
        command.args([verb, "study.toml"]).current_dir(folder);
        let output = command.stdin(Stdio::null()).output().map_err(|e| failed(&e.to_string()))?;
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr)));
        }
    }
    let report = fs::read(folder.join("runs/audit/report.json"));
    let report = report.map_err(|e| failed(&e.to_string()))?;
    let report: Value = serde_json::from_slice(&report).map_err(|e| failed(&e.to_string()))?;
    count(&report, found).ok_or_else(|| failed("`report.json` is not as expected"))?;
    fs::remove_dir_all(folder).map_err(|e| failed(&e.to_string()))
}

/// Adds the tested comparisons of a report.
fn count(report: &Value, found: &mut Found) -> Option<()> {
    for question in report["questions"].as_array()? {
        let mut marked = false;
        for cell in
            question["arms"].as_array()?.iter().filter_map(|arm| arm["cells"].as_array()).flatten()
        {
            if cell["adjusted_p"].is_null() {
                continue;
            }
            marked |= matches!(cell["verdict"].as_str()?, "better" | "worse");
            let (low, high) = (cell["effect"]["low"].as_f64()?, cell["effect"]["high"].as_f64()?);
            found.intervals += 1;
            found.hold += usize::from(low <= 0.0 && 0.0 <= high);
        }
        found.questions += 1;
        found.marked += usize::from(marked);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tested_comparisons_are_counted_and_others_are_not() {
        let cell = |p: Value, verdict: &str, low: f64| {
            let effect = serde_json::json!({ "low": low, "high": 1.0 });
            serde_json::json!({ "adjusted_p": p, "verdict": verdict, "effect": effect })
        };
        let cells = [cell(0.5.into(), "not-significant", -1.0), cell(Value::Null, "better", 0.5)];
        let other = [cell(0.01.into(), "worse", 0.5)];
        let question = |cells: &[Value]| serde_json::json!({ "arms": [{ "cells": cells }] });
        let report = serde_json::json!({ "questions": [question(&cells), question(&other)] });
        let mut found = Found::default();
        count(&report, &mut found).unwrap();
        assert_eq!((found.questions, found.marked, found.intervals, found.hold), (2, 1, 2, 1));
    }
}

//! Tasks in a study: every leaf and the trunk where it was asked for, interrupted and gone on with.

use std::fs;
use std::path::Path;

use sparkjoy_jobs::JobError;
use sparkjoy_report::report_csv;

use crate::tiny::{STUDY, Tiny};

const TASKS: &str = include_str!("../fixtures/puzzles.toml");

/// - `at`: where the trunk is scored.
pub(crate) fn study(at: &str) -> String {
    let tasks = "held_out = \"64\"\ntasks = [\"puzzles.toml\"]\ndata = \"tasks\"\nat = ";
    STUDY.replace("held_out = \"64\"\n", &format!("{tasks}{at}\n"))
}

/// A study that is scored on tasks, their files in place.
pub(crate) fn tiny() -> Tiny {
    tiny_at("[\"50%\"]")
}

/// The same with the trunk scored elsewhere.
pub(crate) fn tiny_at(at: &str) -> Tiny {
    Tiny::with_files(&study(at), &|root| {
        fs::write(root.join("puzzles.toml"), TASKS).unwrap();
        fs::create_dir_all(root.join("tasks")).unwrap();
        write_rows(root);
    })
}

fn write_rows(root: &Path) {
    let rows = |file: &str, row: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..40).map(row).collect();
        fs::write(root.join("tasks").join(file), lines.join("\n")).unwrap();
    };
    rows("sums.jsonl", &|i| {
        let (sum, gold) = (i + 2, i % 2);
        let choices = if gold == 0 { [sum, sum + 1] } else { [sum - 1, sum] };
        let [a, b] = choices;
        format!("{{\"query\":\"{i}+2\",\"choices\":[\"{a}\",\"{b}\"],\"gold\":{gold}}}")
    });
    rows("words.jsonl", &|i| format!("{{\"context\":\"tale {i}\",\"continuation\":\"ends\"}}"));
    rows("riddles.jsonl", &|i| {
        format!("{{\"context\":\"What {i}?\",\"answer\":\"an egg\",\"aliases\":[\"egg\"]}}")
    });
}

#[test]
fn leaves_and_the_trunk_are_scored_and_the_report_compares_them() {
    let tiny = tiny();
    let seen = tiny.finish();
    let models = tiny.plan.branches.len() + 1;
    assert_eq!(seen.tasks.len(), 3 * models);
    assert!(seen.tasks.iter().any(|(model, task)| model == "trunk-20" && task == "riddles"));

    let report = tiny.report().unwrap();
    assert!(!report.contains("INCOMPLETE"), "{report}");
    for said in ["puzzles: numbers", "next-word", "Δ points", "Δ bpb"] {
        assert!(report.contains(said), "{said} is not in\n{report}");
    }
    let answers = tiny.answers();
    // A suite with two categories; three tasks with accuracy and bits per byte.
    assert!(answers.questions.iter().all(|answer| answer.tasks.len() == 3 + 2 * 3));
    assert!(
        answers
            .questions
            .iter()
            .flat_map(|a| &a.tasks)
            .all(|t| t.cells.iter().all(Option::is_some))
    );
    assert!(report.contains("step 20") && report.contains("riddles, bits per byte"), "{report}");
    assert!(report_csv(&answers).contains(",task,riddles,gold-bpb,"));

    // Nothing is asked twice.
    assert_eq!(tiny.finish().tasks.len(), 0);
}

#[test]
fn interrupted_while_it_is_scored_a_study_ends_in_the_same_bytes() {
    let whole = tiny();
    whole.finish();
    let expected = whole.results();
    let tiny = tiny();
    let mut rounds = 0;
    while let Err(error) = tiny.run_stopping_at_items() {
        assert!(matches!(error, JobError::Interrupted), "{error}");
        rounds += 1;
    }
    // Once for every task of every model but the last, which is done before it notices.
    assert_eq!(rounds, 3 * (tiny.plan.branches.len() + 1) - 1);
    let found = tiny.results();
    let names = |results: &std::collections::BTreeMap<_, _>| -> Vec<std::path::PathBuf> {
        results.keys().cloned().collect()
    };
    assert_eq!(names(&found), names(&expected));
    for (path, bytes) in &expected {
        assert!(found[path] == *bytes, "`{}` differs", path.display());
    }
}

#[test]
fn a_row_that_cannot_be_used_is_refused_before_a_step_is_taken() {
    let tiny = tiny();
    let path = tiny.root().join("tasks/sums.jsonl");
    let rows = fs::read_to_string(&path).unwrap();
    fs::write(&path, rows.replacen("\"gold\":1", "\"gold\":7", 1)).unwrap();
    let (result, seen) = tiny.run(None, None);
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("sums.jsonl") && error.contains("line 2") && error.contains("gold"),
        "{error}"
    );
    assert_eq!(seen.steps, 0);

    fs::remove_dir_all(tiny.root().join("tasks")).unwrap();
    let (result, seen) = tiny.run(None, None);
    let error = result.unwrap_err();
    assert!(error.to_string().starts_with("no task of the study has its file in"), "{error}");
    assert_eq!(seen.steps, 0);
}

#[test]
fn an_answer_longer_than_the_models_context_is_refused_before_a_step_is_taken() {
    let tiny = tiny();
    let path = tiny.root().join("tasks/words.jsonl");
    let rows = fs::read_to_string(&path).unwrap();
    fs::write(&path, rows.replacen("\"ends\"", &format!("\"{}\"", "ends ".repeat(40)), 1)).unwrap();
    let (result, seen) = tiny.run(None, None);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("words.jsonl") && error.contains("line 1"), "{error}");
    assert!(error.contains("the answer alone has"), "{error}");
    assert_eq!(seen.steps, 0);
}

#[test]
fn a_missing_file_leaves_the_average_out_and_says_so() {
    let tiny = tiny();
    fs::remove_file(tiny.root().join("tasks/riddles.jsonl")).unwrap();
    tiny.finish();
    let report = tiny.report().unwrap();
    assert!(report.contains("puzzles: numbers"), "{report}");
    assert!(!report.contains("puzzles: words"), "{report}");
    assert!(
        report.contains("no file of task riddles"),
        "the missing task is not named in\n{report}"
    );
}

#[test]
fn a_step_the_trunk_never_reaches_is_refused_with_its_line() {
    let text = study("[\"50%\"]").replace("at = [\"50%\"]", "at = [\"95%\"]");
    let error = Tiny::try_plan(&text, &|root| {
        fs::write(root.join("puzzles.toml"), TASKS).unwrap();
    });
    let error = error.err().expect("the trunk ends at its last branch point").to_string();
    assert!(error.contains("`at` asks for step 38, expected at most 36"), "{error}");
}

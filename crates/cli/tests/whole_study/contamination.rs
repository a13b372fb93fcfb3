//! Questions of tasks that stand in training text: found, refused, allowed by name, reported.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sparkjoy_base::Hint;
use sparkjoy_jobs::{JobError, Resources, Sealed, Sealing, Watcher, run};
use sparkjoy_report::{report_csv, report_text};

use crate::tiny::{STUDY, Tiny, resources};

const TASKS: &str = r#"
[[tasks]]
name = "moons"
type = "multiple-choice"
files = ["moons.jsonl"]
shots = 0
baseline = 0.5

[[tasks]]
name = "riddles"
type = "generation"
files = ["riddles.jsonl"]
shots = 0
normalize = true
rule = "prefix"
baseline = 0.0
"#;

const MOON: &str = "Which of the moons of the red planet rises twice a day?";
const RIDDLE: &str = "I have cities but no houses, rivers but no water; what am I?";

fn study(more: &str) -> String {
    let tasks = format!("held_out = \"64\"\ntasks = [\"t.toml\"]\ndata = \"tasks\"\n{more}");
    STUDY.replace("held_out = \"64\"\n", &tasks)
}

/// A study of two tasks of two items each.
///
/// - `planted`: source and text of further documents, six of each, since some are held out.
fn tiny(more: &str, planted: &[(&str, &str)]) -> Tiny {
    Tiny::with_files(&study(more), &|root| {
        fs::write(root.join("t.toml"), TASKS).unwrap();
        fs::create_dir_all(root.join("tasks")).unwrap();
        write_rows(root, RIDDLE);
        for (source, text) in planted {
            let path = root.join(format!("text/{source}.jsonl"));
            let mut lines = fs::read_to_string(&path).unwrap();
            for i in 0..6 {
                let text = format!("{i}: {text}");
                lines.push_str(&serde_json::json!({ "text": text }).to_string());
                lines.push('\n');
            }
            fs::write(&path, lines).unwrap();
        }
    })
}

fn write_rows(root: &Path, riddle: &str) {
    let row = |query: &str| {
        let choices = ["the larger one", "the smaller one"];
        serde_json::json!({ "query": query, "choices": choices, "gold": 0 })
    };
    let moons = format!("{}\n\n{}\n", row("Question: Why?\nAnswer:"), row(MOON));
    fs::write(root.join("tasks/moons.jsonl"), moons).unwrap();
    let row = |context: &str| serde_json::json!({ "context": context, "answer": "a map" });
    let other = "What has a neck but no head, and wears a cap all day long?";
    let riddles = format!("{}\n{}\n", row(riddle), row(other));
    fs::write(root.join("tasks/riddles.jsonl"), riddles).unwrap();
}

/// The check alone; the user loses patience when a source has been told of so many times.
fn check(tiny: &Tiny, threads: usize, patience: usize) -> Result<(), JobError> {
    let (stop, mut told) = (AtomicBool::new(false), 0);
    let mut observe = |event: sparkjoy_jobs::Event<'_>| {
        if matches!(event, sparkjoy_jobs::Event::Checking { .. }) {
            told += 1;
            stop.store(told >= patience, Ordering::Relaxed);
        }
    };
    let mut watcher = Watcher::new(&stop, &mut observe);
    let resources = Resources { threads, ..resources() };
    run(&tiny.inputs(), Some("contamination"), &tiny.places(), &resources, &mut watcher)
}

fn record(tiny: &Tiny) -> String {
    fs::read_to_string(tiny.runs().join("tiny/contamination.json")).unwrap()
}

fn shown(error: &JobError) -> String {
    format!("{error}\nhint: {}", error.hint().unwrap())
}

#[test]
fn a_planted_question_is_refused_before_a_step_is_taken() {
    let shouted = RIDDLE.to_uppercase().replace(' ', " \n");
    let tiny = tiny("", &[("tales", &shouted), ("sums", &format!("{MOON} The larger one."))]);
    let (result, seen) = tiny.run(None, None);
    let error = result.unwrap_err();
    insta::assert_snapshot!(shown(&error), @r#"
    1 of 2 items of moons stands in the training text of source `sums`:
      `moons.jsonl` line 3, 15 of its 15 words in documents 69, 70, 71 and 2 more: "which of the moons of the red planet rises twice a day the …"
    1 of 2 items of riddles stands in the training text of source `tales`:
      `riddles.jsonl` line 1, 13 of its 13 words in documents 73, 74, 75 and 3 more: "i have cities but no houses rivers but no water what am i"
    hint: take these documents out of the source; or allow it by name, `contaminated = ["sums", "tales"]` in `[evaluation]`: the study then runs, and its report says so
    "#);
    assert_eq!((seen.steps, seen.checked.len()), (0, 0));
    // It is on record, and said again without reading the text again.
    let before = record(&tiny);
    assert_eq!(shown(&check(&tiny, 1, 1).unwrap_err()), shown(&error));
    assert_eq!(record(&tiny), before);
}

#[test]
fn a_source_named_by_the_study_is_allowed_and_the_report_says_what_stands_in_it() {
    let tiny = tiny("contaminated = [\"tales\", \"sums\"]\n", &[("tales", RIDDLE)]);
    let seen = tiny.finish();
    let summary = "contamination check: 4 items of 2 tasks, 4 sources: 1 source is contaminated; \
                   1 of the items has fewer than 8 words, too few to tell";
    assert_eq!(seen.checked, [summary]);
    let answers = tiny.answers();
    // Lines end where they are full.
    let report = report_text(&answers).split_whitespace().collect::<Vec<_>>().join(" ");
    let caution = "CONTAMINATED: 1 of 2 items of riddles stands in the training text of source \
                   `tales` (the study names it)";
    assert!(report.contains(caution), "{report}");
    assert!(report.contains(summary), "{report}");
    let json = serde_json::to_string(&answers).unwrap();
    assert!(json.contains("\"contaminated\":{\"riddles\":1}"), "{json}");
    assert!(report_csv(&answers).contains("riddles"));
}

#[test]
fn a_clean_study_says_so_with_its_numbers() {
    let near_miss = RIDDLE.replace("rivers", "roads");
    let tiny = tiny("", &[("tales", &near_miss)]);
    let seen = tiny.finish();
    let summary = "contamination check: 4 items of 2 tasks, 4 sources: clean; 1 of the items has \
                   fewer than 8 words, too few to tell";
    assert_eq!(seen.checked, [summary]);
    assert_eq!(seen.jobs[0], ("contamination".to_owned(), false));
    assert!(record(&tiny).contains("\"items\": []"));
    // Not done twice.
    assert_eq!(tiny.finish().jobs[0], ("contamination".to_owned(), true));
}

#[test]
fn the_record_is_the_same_for_any_number_of_threads_and_interruptions() {
    let planted = [("tales", RIDDLE), ("sums", RIDDLE), ("proofs", MOON)];
    let whole = tiny("", &planted);
    let refused = |result: Result<(), JobError>| {
        result.is_err_and(|error| error.to_string().contains("in the training text of source"))
    };
    assert!(refused(check(&whole, 1, usize::MAX)));
    let expected = record(&whole);
    assert!(expected.contains("moons") || expected.contains("riddles"));
    for threads in [2, 5] {
        let tiny = tiny("", &planted);
        assert!(refused(check(&tiny, threads, usize::MAX)));
        assert_eq!(record(&tiny), expected, "{threads} threads");
    }
    // A source needs two events: its beginning and its only stretch.
    let tiny = tiny("", &planted);
    let mut rounds = 0;
    while let Err(JobError::Interrupted) = check(&tiny, 2, 3) {
        rounds += 1;
    }
    assert_eq!(rounds, 3);
    assert_eq!(record(&tiny), expected);
}

#[test]
fn a_changed_task_file_is_looked_for_again() {
    let tiny = tiny("", &[("tales", "What has hands but no arms, a face but no eyes?")]);
    check(&tiny, 2, usize::MAX).unwrap();
    write_rows(tiny.root(), "What has hands but no arms, a face but no eyes?");
    let error = check(&tiny, 2, usize::MAX).unwrap_err().to_string();
    assert!(error.starts_with("1 of 2 items of riddles stands"), "{error}");
    // A machine that only trains needs no task files, but it does need the check.
    fs::remove_dir_all(tiny.root().join("tasks")).unwrap();
    let (result, _) = tiny.run(Some("trunk-32"), None);
    assert!(result.unwrap_err().to_string().starts_with("1 of 2 items of riddles stands"));
}

#[test]
fn no_job_alone_begins_before_the_check() {
    let tiny = tiny("", &[]);
    let error = tiny.run(Some("trunk-32"), None).0.unwrap_err();
    insta::assert_snapshot!(shown(&error), @"
    job `trunk-32` starts from what `contamination` leaves, which is not done
    hint: run job `contamination` first
    ");
    check(&tiny, 2, usize::MAX).unwrap();
    tiny.run(Some("trunk-32"), None).0.unwrap();
}

#[test]
fn a_source_that_no_run_reads_is_not_looked_at() {
    let without = study("")
        .replace("tales = 0.5\nnotices = 0.3", "tales = 0.8")
        .replace("web = 0.4\n", "tales = 0.4\n");
    let tiny = tiny("", &[("notices", RIDDLE)]).changed(&without);
    let seen = tiny.finish();
    assert!(seen.checked[0].contains("3 sources: clean"), "{:?}", seen.checked);
}

#[test]
fn a_name_that_is_no_source_is_refused_with_its_line() {
    let error = Tiny::try_plan(&study("contaminated = [\"talse\"]\n"), &|root| {
        fs::write(root.join("t.toml"), TASKS).unwrap();
    });
    let error = error.err().expect("there is no such source");
    let text = shown(&error);
    assert!(
        text.ends_with(
            "`contaminated` names `talse`, which is no source (the nearest is `tales`)\n\
         hint: write `tales`"
        ),
        "{text}"
    );
}

#[test]
fn items_taken_out_of_a_record_without_seal_are_found_again() {
    let tiny = tiny("", &[("tales", RIDDLE)]);
    let error = shown(&tiny.run(None, None).0.unwrap_err());
    let (path, before) = (tiny.runs().join("tiny/contamination.json"), record(&tiny));
    let mut altered: serde_json::Value = serde_json::from_str(&before).unwrap();
    altered.as_object_mut().unwrap().remove("seal").unwrap();
    let items = altered["sources"]["tales"]["items"].as_array_mut().unwrap();
    assert_eq!(items.len(), 1);
    items.clear();
    fs::write(&path, serde_json::to_vec_pretty(&altered).unwrap()).unwrap();
    let sealed = crate::seals::seal(&tiny).unwrap();
    assert_eq!(sealed, [Sealed { file: path, how: Sealing::Replaced }]);
    assert_eq!(record(&tiny), before);
    assert_eq!(shown(&tiny.run(None, None).0.unwrap_err()), error);
}

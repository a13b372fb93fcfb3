//! What does not match is refused with both sides and the next step, never reused.

use std::fs;

use sparkjoy_base::{Fingerprint, Hint};
use sparkjoy_jobs::{JobError, branch_folder, trunk_folder};

use crate::tiny::Tiny;

/// The error of a call and its hint, with everything that depends on the machine taken out.
fn shown(tiny: &Tiny, error: &JobError) -> String {
    let text = format!("{error}\nhint: {}", error.hint().unwrap());
    text.replace(&format!("{}/", tiny.root().display()), "")
}

#[test]
fn a_job_alone_needs_what_comes_before_it() {
    let tiny = Tiny::new();
    let error = |only| shown(&tiny, &tiny.run(Some(only), None).0.unwrap_err());
    insta::assert_snapshot!(error("upsampled-20pct-r1"), @"
    job `upsampled-20pct-r1` starts from what `trunk-32` leaves, which is not done
    hint: run job `trunk-32` first
    ");
    insta::assert_snapshot!(error("trunk-36"), @"
    job `trunk-36` starts from what `trunk-32` leaves, which is not done
    hint: run job `trunk-32` first
    ");
    insta::assert_snapshot!(error("base-10pct-r0-score"), @"
    job `base-10pct-r0-score` starts from what `base-10pct-r0` leaves, which is not done
    hint: run job `base-10pct-r0` first
    ");
    assert!(
        error("trunk-35").starts_with("the plan has no job `trunk-35`, expected one of `trunk-32`")
    );
}

#[test]
fn a_run_folder_with_another_runs_checkpoint_is_refused() {
    let tiny = Tiny::new();
    tiny.finish();
    let folder = branch_folder(&tiny.plan.branches[0], &tiny.runs());
    fs::remove_dir_all(&folder).unwrap();
    fs::rename(branch_folder(&tiny.plan.branches[1], &tiny.runs()), &folder).unwrap();
    let (result, seen) = tiny.run(None, None);
    let text = shown(&tiny, &result.unwrap_err());
    assert!(text.contains("belongs to run"), "{text}");
    assert!(text.contains(&format!("expected run {}", tiny.plan.branches[0].spec.fingerprint())));
    assert_eq!(seen.steps, 0);
}

#[test]
fn a_score_of_something_else_is_refused_and_a_damaged_one_too() {
    let tiny = Tiny::new();
    tiny.finish();
    let score = |branch: usize| {
        let folder = branch_folder(&tiny.plan.branches[branch], &tiny.runs());
        let scores = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        scores.into_iter().find(|path| path.to_string_lossy().contains("scores-")).unwrap()
    };
    let original = fs::read(score(0)).unwrap();
    sparkjoy_base::write_atomic(&score(0), &fs::read(score(1)).unwrap()).unwrap();
    for error in [tiny.run(None, None).0.unwrap_err(), *tiny.report().unwrap_err()] {
        let text = shown(&tiny, &error);
        assert!(text.contains("scores step 40 of run"), "{text}");
        assert!(text.contains("of each of 4 sources"), "{text}");
    }
    sparkjoy_base::write_atomic(&score(0), &original[..original.len() / 2]).unwrap();
    let text = shown(&tiny, &tiny.report().unwrap_err());
    assert!(text.contains("is damaged: EOF while parsing"), "{text}");
}

#[test]
fn a_report_of_an_unfinished_study_names_what_is_missing() {
    let tiny = Tiny::new();
    let none = tiny.report().unwrap();
    assert!(none.contains("INCOMPLETE: 10 of 10 branches are not scored"), "{none}");
    tiny.finish();
    let whole = tiny.report().unwrap();
    assert!(!whole.contains("missing") && !whole.contains("INCOMPLETE"), "{whole}");

    let branch = tiny.plan.branches.iter().find(|b| b.name == "base-10pct-r1").unwrap();
    fs::remove_dir_all(branch_folder(branch, &tiny.runs())).unwrap();
    let text = tiny.report().unwrap();
    assert!(
        text.contains("INCOMPLETE: 1 of 10 branches is not scored: `base-10pct-r1`;"),
        "{text}"
    );
    let mut controls = text.lines().filter(|line| line.starts_with("base, same 10% window "));
    assert!(controls.next().is_some_and(|line| line.matches("missing").count() > 1), "{text}");
}

#[test]
fn text_that_changed_since_the_plan_is_refused_before_a_step() {
    let tiny = Tiny::new();
    let other = || Fingerprint::of_bytes(b"other");
    let name = tiny.plan.sources.keys().next().unwrap().clone();

    let mut changed = Tiny::new();
    changed.plan.sources.get_mut(&name).unwrap().held_out = Some(other());
    let (result, seen) = changed.run(None, None);
    assert!(result.unwrap_err().to_string().starts_with("the held-out tokens of source `notices`"));
    assert_eq!(seen.jobs.len(), 0);

    let mut changed = Tiny::new();
    changed.corpora.retain(|corpus| *corpus.name() != name);
    let error = changed.run(None, None).0.unwrap_err();
    assert!(error.to_string().starts_with("the training tokens of source `notices` are missing"));

    let mut changed = Tiny::new();
    changed.plan.trunks[0].spec.tokenizer = other();
    let error = changed.run(None, None).0.unwrap_err();
    assert!(error.to_string().starts_with("the tokenizer at hand is"), "{error}");

    let mut changed = Tiny::new();
    changed.plan.sources.get_mut(&name).unwrap().declared = true;
    let error = changed.run(None, None).0.unwrap_err();
    assert!(error.to_string().starts_with("source `notices` is declared by its size"), "{error}");
    assert!(!trunk_folder(changed.plan.trunk(), &changed.runs()).exists());
}

#[test]
fn a_study_without_held_out_text_is_refused_before_a_step() {
    let tiny = Tiny::with(&crate::tiny::STUDY.replace("held_out = \"64\"", "held_out = \"15\""));
    let (result, seen) = tiny.run(None, None);
    insta::assert_snapshot!(shown(&tiny, &result.unwrap_err()), @"
    15 held-out tokens per source are asked for, expected at least one context of 16
    hint: set `held_out` in `[evaluation]` to at least 16
    ");
    assert_eq!(seen.jobs.len(), 0);
}

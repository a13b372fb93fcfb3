//! Stopping leaves no trace: bits, not tolerances.

use std::fs;

use sparkjoy_base::SourceName;

use super::tiny::{
    ADAM, LAST, LION, SWITCH, Tiny, assert_same_bytes, branch_of, contents, go_on, stop_after,
};
use crate::{Checkpoint, Outcome, RunRequest, Signal, StepRecord, read_metrics, run};

#[test]
fn resume_after_any_step_equals_never_stopping() {
    let tiny = Tiny::new();
    for (kind, optimizer) in [("lion", LION), ("adam", ADAM)] {
        let spec = tiny.trunk(optimizer);
        let whole = tiny.train(&spec, kind, LAST);
        for stop in 1..LAST {
            let folder = tiny.folder(&format!("{kind}-{stop}"));
            let request = tiny.request(&spec, &folder);
            let outcome = run(request, &mut stop_after(stop)).unwrap();
            assert_eq!(outcome, Outcome::Stopped { step: stop });
            assert_eq!(run(request, &mut go_on).unwrap(), Outcome::Done);
            assert_same_bytes(&folder, &whole, LAST, &format!("{kind}, stopped after {stop}"));
        }
    }
}

#[test]
fn stopping_after_every_step_equals_never_stopping() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.train(&spec, "whole", LAST);
    let folder = tiny.folder("stopped");
    let request = tiny.request(&spec, &folder);
    for step in 1..LAST {
        let outcome = run(request, &mut |_: &StepRecord| Signal::Stop).unwrap();
        assert_eq!(outcome, Outcome::Stopped { step });
    }
    assert_eq!(run(request, &mut |_: &StepRecord| Signal::Stop).unwrap(), Outcome::Done);
    assert_same_bytes(&folder, &whole, LAST, "stopped after every step");
}

#[test]
fn saving_changes_nothing() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let whole = tiny.train(&spec, "whole", LAST);
    let folder = tiny.folder("saved");
    run(tiny.request(&spec, &folder), &mut |_: &StepRecord| Signal::Save).unwrap();
    assert_same_bytes(&folder, &whole, LAST, "saved after every step");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.train(&spec, "one", LAST);
    let folder = tiny.folder("two");
    run(RunRequest { threads: 2, ..tiny.request(&spec, &folder) }, &mut go_on).unwrap();
    assert_same_bytes(&folder, &whole, LAST, "two threads");
}

#[test]
fn computing_blocks_again_changes_nothing() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.train(&spec, "kept", LAST);
    let folder = tiny.folder("again");
    run(RunRequest { recompute: true, ..tiny.request(&spec, &folder) }, &mut go_on).unwrap();
    assert_same_bytes(&folder, &whole, LAST, "recomputed");
}

#[test]
fn a_branch_resumes_after_any_step_too() {
    let tiny = Tiny::new();
    let trunk = tiny.trunk(ADAM);
    let parent = tiny.train(&trunk, "trunk", SWITCH);
    let parent = Checkpoint::at(&parent, SWITCH).unwrap().unwrap().folder;
    let before = super::tiny::files(&parent);
    let spec = branch_of(&trunk);

    let whole = tiny.folder("whole");
    let start_from = Some(parent.as_path());
    run(RunRequest { start_from, ..tiny.request(&spec, &whole) }, &mut go_on).unwrap();
    let steps: Vec<u64> = read_metrics(&whole).unwrap().iter().map(|r| r.step).collect();
    assert_eq!(steps, [4, 5, 6], "a branch counts on from its trunk");

    for stop in SWITCH + 1..LAST {
        let folder = tiny.folder(&format!("branch-{stop}"));
        let request = tiny.request(&spec, &folder);
        run(RunRequest { start_from, ..request }, &mut stop_after(stop)).unwrap();
        // The parent is no longer needed once the branch has a checkpoint of its own.
        run(request, &mut go_on).unwrap();
        assert_same_bytes(&folder, &whole, LAST, &format!("branch stopped after {stop}"));
    }
    assert_eq!(super::tiny::files(&parent), before, "a branch wrote into its trunk");
}

#[test]
fn metrics_beyond_the_checkpoint_are_cut_off() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.train(&spec, "whole", LAST);
    let folder = tiny.folder("cut");
    let request = tiny.request(&spec, &folder);
    run(request, &mut stop_after(2)).unwrap();
    // What a killed process may have left: a step beyond its checkpoint, and half of another.
    let metrics = folder.join("metrics.jsonl");
    let mut text = fs::read_to_string(&metrics).unwrap();
    text.push_str("{\"step\":3,\"loss\":1.0}\n{\"step\":4,\"lo");
    fs::write(&metrics, text).unwrap();
    run(request, &mut go_on).unwrap();
    assert_same_bytes(&folder, &whole, LAST, "cut");
}

#[test]
fn the_state_holds_all_that_influences_the_next_step() {
    // A checkpoint carried elsewhere, with nothing else of its run, goes on to the same bytes.
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let whole = tiny.train(&spec, "whole", LAST);
    let folder = tiny.folder("first");
    run(tiny.request(&spec, &folder), &mut stop_after(2)).unwrap();
    let elsewhere = tiny.folder("elsewhere");
    let checkpoint = Checkpoint::at(&folder, 2).unwrap().unwrap().folder;
    fs::create_dir_all(elsewhere.join("carried")).unwrap();
    for (name, bytes) in super::tiny::files(&checkpoint) {
        fs::write(elsewhere.join("carried").join(name), bytes).unwrap();
    }
    run(tiny.request(&spec, &elsewhere), &mut go_on).unwrap();
    assert_eq!(contents(&elsewhere, LAST), contents(&whole, LAST));
}

#[test]
fn metrics_say_what_was_read_and_lost() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.train(&spec, "whole", LAST);
    let records = read_metrics(&whole).unwrap();
    assert_eq!(records.len() as u64, LAST);
    for record in &records {
        assert_eq!(record.tokens.values().sum::<u64>(), spec.tokens_per_step());
        // The mean over rows is the mean over sources weighed by their tokens.
        let weighed: f64 =
            record.losses.iter().map(|(name, loss)| loss * record.tokens[name] as f64).sum::<f64>()
                / spec.tokens_per_step() as f64;
        assert!((weighed - record.loss).abs() < 1e-9, "{weighed} and {}", record.loss);
        assert!(record.lr > 0.0 || record.step == 1);
    }
    let names =
        |step: usize| records[step - 1].tokens.keys().map(SourceName::as_str).collect::<Vec<_>>();
    assert_eq!(names(SWITCH as usize), ["code", "web"]);
    assert_eq!(names(SWITCH as usize + 1), ["math", "web"]);
    assert!(records[5].loss < records[0].loss, "nothing was learned");
}

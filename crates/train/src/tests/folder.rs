//! What stays in a run folder, what goes, and what a run starts from.

use std::fs;

use super::tiny::{
    ADAM, LAST, LION, Tiny, assert_same_bytes, contents, files_and_folders, go_on, refusal, reseal,
    step_folders, stop_after,
};
use crate::{Checkpoint, Outcome, RunRequest, Signal, StepRecord, TrainError, run};

#[test]
fn resume_past_the_target_step_is_refused() {
    // A relaunch must not take a checkpoint beyond the target for the target's (Marin).
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let direct = tiny.train(&spec, "direct", 3);
    let folder = tiny.train(&spec, "beyond", LAST);
    assert_eq!(step_folders(&folder), ["step-000006"]);
    let request = RunRequest { target: 3, ..tiny.request(&spec, &folder) };
    assert_eq!(run(request, &mut go_on).unwrap(), Outcome::Done);
    assert_eq!(contents(&folder, 3), contents(&direct, 3));
}

#[test]
fn computing_an_earlier_step_again_leaves_later_ones_alone() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let whole = tiny.train(&spec, "whole", LAST);
    for (name, keep) in [("from-the-start", &[][..]), ("from-a-checkpoint", &[2][..])] {
        let folder = tiny.folder(name);
        let request = RunRequest { keep, ..tiny.request(&spec, &folder) };
        run(request, &mut go_on).unwrap();
        run(RunRequest { target: 4, ..request }, &mut |_: &StepRecord| Signal::Save).unwrap();
        assert!(Checkpoint::at(&folder, 4).unwrap().is_some());
        assert_same_bytes(&folder, &whole, LAST, name);
    }
}

#[test]
fn a_step_that_comes_out_otherwise_than_recorded_is_refused() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.train(&spec, "run", LAST);
    let later = Checkpoint::at(&folder, LAST).unwrap().unwrap().folder;
    let metrics = later.join("metrics.jsonl");
    let text = fs::read_to_string(&metrics).unwrap();
    let altered = text.replacen("\"loss\":", "\"loss\":1", 1);
    assert_ne!(altered, text);
    fs::write(&metrics, altered).unwrap();
    reseal(&later, |_| ());
    let error = refusal(RunRequest { target: 3, ..tiny.request(&spec, &folder) });
    assert!(matches!(error, TrainError::NotReproduced { step: 1, .. }), "{error}");
    assert_eq!(step_folders(&folder), ["step-000006"]);
}

#[test]
fn done_means_a_checkpoint_at_exactly_the_target() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.folder("run");
    let request = RunRequest { target: 4, ..tiny.request(&spec, &folder) };
    assert_eq!(run(request, &mut stop_after(3)).unwrap(), Outcome::Stopped { step: 3 });
    assert_eq!(Checkpoint::at(&folder, 4).unwrap(), None);
    assert_eq!(run(request, &mut stop_after(4)).unwrap(), Outcome::Done);
    assert_eq!(Checkpoint::at(&folder, 4).unwrap().unwrap().step, 4);
    // And once more: nothing is computed.
    let mut never = |_: &_| panic!("a step was taken");
    assert_eq!(run(request, &mut never).unwrap(), Outcome::Done);
}

#[test]
fn renaming_a_checkpoint_folder_changes_nothing() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let whole = tiny.train(&spec, "whole", LAST);
    let folder = tiny.folder("renamed");
    run(tiny.request(&spec, &folder), &mut stop_after(2)).unwrap();
    fs::rename(folder.join("step-000002"), folder.join("step-000005-best")).unwrap();
    let steps = |name: &str| {
        let mut steps = Vec::new();
        let request = RunRequest { target: LAST, ..tiny.request(&spec, &folder) };
        run(request, &mut |record: &StepRecord| {
            steps.push(record.step);
            Signal::Continue
        })
        .unwrap();
        assert_same_bytes(&folder, &whole, LAST, name);
        steps
    };
    assert_eq!(steps("renamed"), [3, 4, 5, 6]);
}

#[test]
fn periodic_checkpoints_go_and_kept_ones_stay() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.folder("run");
    let request = RunRequest { target: 2, ..tiny.request(&spec, &folder) };
    run(request, &mut |_: &StepRecord| Signal::Save).unwrap();
    assert_eq!(step_folders(&folder), ["step-000002"]);

    let mut seen = Vec::new();
    let request = RunRequest { target: 6, keep: &[4], ..request };
    run(request, &mut |_: &StepRecord| {
        seen.push(step_folders(&folder));
        Signal::Save
    })
    .unwrap();
    // The target of the first call stays, and so does the kept step; one more is on the way.
    assert_eq!(
        seen,
        [
            vec!["step-000002"],
            vec!["step-000002", "step-000003"],
            vec!["step-000002", "step-000004"],
            vec!["step-000002", "step-000004", "step-000005"],
        ]
    );
    assert_eq!(step_folders(&folder), ["step-000002", "step-000004", "step-000006"]);
}

#[test]
fn kept_steps_are_saved_on_passing() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.folder("run");
    run(RunRequest { keep: &[1, 5], ..tiny.request(&spec, &folder) }, &mut go_on).unwrap();
    let steps: Vec<u64> = Checkpoint::list(&folder).unwrap().iter().map(|c| c.step).collect();
    assert_eq!(steps, [1, 5, 6]);
}

#[test]
fn leftovers_of_a_killed_save_are_removed() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.folder("run");
    let request = tiny.request(&spec, &folder);
    run(request, &mut stop_after(2)).unwrap();
    let whole = files_and_folders(&folder);
    let half = folder.join("step-000004.partial");
    fs::create_dir(&half).unwrap();
    fs::write(half.join("model.safetensors"), "half").unwrap();
    fs::write(folder.join(".ab12.partial"), "half").unwrap();
    run(RunRequest { target: 2, ..request }, &mut go_on).unwrap();
    assert_eq!(files_and_folders(&folder), whole);
}

#[test]
fn a_checkpoint_without_done_is_not_continued_from() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.folder("run");
    let request = tiny.request(&spec, &folder);
    run(request, &mut stop_after(2)).unwrap();
    fs::remove_file(folder.join("step-000002/DONE")).unwrap();
    assert_eq!(Checkpoint::list(&folder).unwrap(), []);
    let error = run(request, &mut |_: &StepRecord| Signal::Save).unwrap_err();
    assert!(matches!(error, TrainError::Occupied { step: 2, .. }), "{error}");
}

#[test]
fn a_run_can_start_and_end_at_its_first_step() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.train(&spec, "run", 0);
    assert_eq!(Checkpoint::at(&folder, 0).unwrap().unwrap().step, 0);
    let whole = tiny.train(&spec, "whole", LAST);
    run(tiny.request(&spec, &folder), &mut go_on).unwrap();
    assert_same_bytes(&folder, &whole, LAST, "started from step 0");
}

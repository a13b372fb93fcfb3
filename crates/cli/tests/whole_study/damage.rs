//! What lies in the folders of finished runs is looked at, not taken for granted.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use sparkjoy_base::Hint;
use sparkjoy_jobs::{JobState, branch_folder, job_states, trunk_folder};

use crate::tiny::Tiny;

/// What `run`, `plan` and `report` say, which is the same.
fn refused(tiny: &Tiny) -> String {
    let (run, seen) = tiny.run(None, None);
    assert_eq!(seen.steps, 0);
    let plan = job_states(&tiny.plan, &tiny.runs()).unwrap_err();
    let errors = [run.unwrap_err(), plan, *tiny.report().unwrap_err()];
    let [run, plan, report] = errors.map(|error| {
        let hint = error.hint().unwrap();
        format!("{error}; {hint}").replace(&format!("{}/", tiny.root().display()), "")
    });
    assert_eq!((&run, &run), (&plan, &report));
    run
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn last(tiny: &Tiny) -> PathBuf {
    branch_folder(tiny.plan.branches.last().unwrap(), &tiny.runs())
}

#[test]
fn the_spec_of_a_finished_run_is_read() {
    let tiny = Tiny::new();
    tiny.finish();
    for folder in [trunk_folder(tiny.plan.trunk(), &tiny.runs()), last(&tiny)] {
        let path = folder.join("run.json");
        let written = fs::read(&path).unwrap();
        for (to, expected) in [
            ("\"version\": 99", "was written by a newer version of sparkjoy: found version 99"),
            ("\"version\": 0", "was written by an older version of sparkjoy"),
        ] {
            edit(&path, "\"version\": 2", to);
            let told = refused(&tiny);
            assert!(told.contains("run.json") && told.contains(expected), "{told}");
            fs::write(&path, &written).unwrap();
        }
        edit(&path, "\"seed\": 17", "\"seed\": 18");
        let told = refused(&tiny);
        assert!(told.contains("run.json` was altered"), "{told}");
        fs::write(&path, &written).unwrap();
    }
    tiny.report().unwrap();
}

#[test]
fn a_run_without_its_last_metrics_is_not_done_and_gets_them_back() {
    let tiny = Tiny::new();
    tiny.finish();
    let before = tiny.results();
    let name = &tiny.plan.branches.last().unwrap().name;
    let state = || {
        let states = job_states(&tiny.plan, &tiny.runs()).unwrap();
        states.into_iter().find(|(job, _)| job == name).unwrap().1
    };
    let path = last(&tiny).join("metrics.jsonl");
    let text = fs::read(&path).unwrap();
    for damage in [Some(text.len() / 2), Some(text.len() - 1), Some(0), None] {
        match damage {
            Some(length) => fs::write(&path, &text[..length]).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        assert_eq!(state(), JobState::Begun { step: 40 });
        assert_eq!(tiny.finish().steps, 0);
        assert_eq!(state(), JobState::Done);
        assert!(tiny.results() == before);
    }
}

#[test]
fn a_checkpoint_under_the_name_of_another_step_is_refused() {
    let tiny = Tiny::new();
    tiny.finish();
    let trunk = trunk_folder(tiny.plan.trunk(), &tiny.runs());
    let [found, wrong] = ["step-000032", "step-000036"].map(|name| trunk.join(name));
    fs::remove_dir_all(&wrong).unwrap();
    fs::create_dir(&wrong).unwrap();
    for entry in fs::read_dir(found).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), wrong.join(entry.file_name())).unwrap();
    }
    let error = job_states(&tiny.plan, &tiny.runs()).unwrap_err();
    let text = format!("{error}; {}", error.hint().unwrap());
    assert!(
        text.contains("step-000036/state.json` was altered: found step 32, expected"),
        "{text}"
    );
    assert!(text.contains("step-000036`: `sparkjoy run STUDY` computes"), "{text}");
}

#[test]
fn a_folder_that_cannot_be_read_is_not_an_empty_one() {
    let tiny = Tiny::new();
    tiny.finish();
    // Nobody is kept from reading here, so something else stands where a folder should.
    let folder = last(&tiny);
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    let told = refused(&tiny);
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(told.starts_with(&format!("cannot read `runs/{name}/run.json`: Not a dir")), "{told}");

    fs::remove_dir_all(tiny.runs()).unwrap();
    fs::write(tiny.runs(), "").unwrap();
    let plan = job_states(&tiny.plan, &tiny.runs()).unwrap_err().to_string();
    assert!(plan.starts_with("cannot read `") && plan.contains("/runs/"), "{plan}");
    tiny.report().unwrap_err();
}

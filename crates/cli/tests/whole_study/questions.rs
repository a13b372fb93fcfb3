//! Every question of a study at once, run for real.

use std::collections::BTreeSet;
use std::time::Duration;

use sparkjoy_answers::Finding;
use sparkjoy_jobs::{JobError, JobState, branch_folder, job_states};
use sparkjoy_report::sentences::{sentence, title};
use sparkjoy_study::{Ask, Branch};
use sparkjoy_train::{Checkpoint, RunRequest};

use crate::tiny::{STUDY, Tiny};

/// All seven questions.
fn study() -> String {
    let questions = r#"
[[questions]]
ask = "addition"
add = ["proofs"]
shares = [0.4]
windows = ["20%"]
rate = "decay"

[[questions]]
ask = "proportion"
between = ["base", "upsampled"]
shares = [0.5]
window = "20%"

[[questions]]
ask = "timing"
mixture = "upsampled"
window = "20%"
starts = ["30%", "50%", "80%"]

[[questions]]
ask = "stability"
mixture = "upsampled"
window = "20%"
then = ["10%", "30%"]

[[questions]]
ask = "transfer"
of = 1
models = [{ layers = 2, width = 8, heads = 1 }]

[evaluation]"#;
    STUDY.replace("\n[evaluation]", questions)
}

fn branch<'a>(tiny: &'a Tiny, name: &str) -> &'a Branch {
    tiny.plan.branches.iter().find(|branch| branch.name == name).unwrap_or_else(|| {
        panic!(
            "no `{name}` in {:?}",
            tiny.plan.branches.iter().map(|b| &b.name).collect::<Vec<_>>()
        )
    })
}

#[test]
fn a_run_that_goes_on_from_another_ends_in_the_bytes_of_one_trained_in_one_go() {
    let tiny = Tiny::with(&study());
    tiny.finish();
    let branch = branch(&tiny, "upsampled-20pct-at-50pct-then-base-30pct-r1");
    assert!(branch.after.is_some() && branch.from_step > branch.spec.first_step);
    let chained = Checkpoint::at(&branch_folder(branch, &tiny.runs()), branch.spec.last_step());

    // The same run from the trunk's checkpoint, as if nobody had trained its beginning.
    let trunk = sparkjoy_jobs::trunk_folder(tiny.plan.trunk(), &tiny.runs());
    let start = Checkpoint::at(&trunk, branch.spec.first_step).unwrap().unwrap();
    let folder = tiny.root().join("in-one-go");
    let request = RunRequest {
        spec: &branch.spec,
        corpora: &tiny.corpora,
        tokenizer: &tiny.tokenizer,
        folder: &folder,
        start_from: Some(&start.folder),
        target: branch.spec.last_step(),
        keep: &[],
        threads: 1,
        recompute: false,
    };
    sparkjoy_train::run(request, &mut |_: &_| sparkjoy_spec::Signal::Continue).unwrap();
    let whole = Checkpoint::at(&folder, branch.spec.last_step()).unwrap().unwrap();
    let chained = chained.unwrap().unwrap();
    for file in ["model.safetensors", "optimizer.safetensors"] {
        let read = |checkpoint: &Checkpoint| std::fs::read(checkpoint.folder.join(file)).unwrap();
        assert!(read(&chained) == read(&whole), "{file}");
    }
}

#[test]
fn all_questions_interrupted_again_and_again_end_in_the_same_bytes() {
    let whole = Tiny::with(&study());
    let steps = whole.finish().steps;
    let expected = whole.results();
    let tiny = Tiny::with(&study());
    let mut taken = 0;
    loop {
        let (result, seen) = tiny.run_saving(None, Some(97), Duration::from_hours(1));
        taken += seen.steps;
        match result {
            Ok(()) => break,
            Err(JobError::Interrupted) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(taken, steps, "no step is lost or taken twice");
    let found = tiny.results();
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (path, bytes) in &expected {
        assert!(found[path] == *bytes, "`{}` differs", path.display());
    }
}

#[test]
fn steps_of_a_plan_are_those_that_are_taken_and_only_compared_ends_are_scored() {
    let tiny = Tiny::with(&study());
    let planned = tiny.plan.cost().tree.steps;
    let seen = tiny.finish();
    assert_eq!(seen.steps as u64, planned);
    let compared: BTreeSet<&str> = tiny.plan.compared().map(|(_, b)| b.name.as_str()).collect();
    let scored: BTreeSet<&str> = seen.scored.iter().map(String::as_str).collect();
    assert_eq!(scored, compared);
    assert!(
        compared.len() < tiny.plan.branches.len(),
        "a window in the middle is only gone on from"
    );
    let states = job_states(&tiny.plan, &tiny.runs()).unwrap();
    assert!(states.iter().all(|(_, state)| *state == JobState::Done));
    assert!(states.iter().any(|(name, _)| name.starts_with("l2-w8-h1-trunk-")));
    let names: BTreeSet<&String> = states.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), states.len(), "a job's name is its own");
}

#[test]
fn a_job_alone_waits_for_the_run_it_goes_on_from() {
    let tiny = Tiny::with(&study());
    let (result, _) = tiny.run(Some("upsampled-20pct-at-50pct-then-base-10pct-r0"), None);
    let message = result.unwrap_err().to_string();
    assert_eq!(
        message,
        "job `upsampled-20pct-at-50pct-then-base-10pct-r0` starts from what `upsampled-20pct-at-50pct-r0` \
         leaves, which is not done"
    );
}

#[test]
fn every_question_is_answered_in_words_with_its_cost() {
    let tiny = Tiny::with(&study());
    tiny.finish();
    let answers = tiny.answers();
    let report = tiny.report().unwrap();
    assert_eq!(answers.questions.len(), 7);
    for answer in &answers.questions {
        let ask = answer.ask;
        assert!(report.contains(&title(answer)), "{ask:?} is not in\n{report}");
        let has = |is_it: fn(&Finding) -> bool| answer.findings.iter().any(is_it);
        assert!(has(|finding| matches!(finding, Finding::Cost { .. })), "{ask:?}");
        // A duration ends in the largest gain or in none, a transfer in what was compared.
        let each_arm = !matches!(ask, Ask::Duration | Ask::Transfer);
        let effect = has(|finding| matches!(finding, Finding::Effect(_)));
        assert!(!each_arm || effect, "{ask:?} says {:?}", answer.findings);
        for finding in &answer.findings {
            assert!(!sentence(answer, finding).is_empty());
        }
        assert!(answer.findings.len() > 1, "{ask:?} says only {:?}", answer.findings);
        for arm in &answer.arms {
            assert!(arm.cells.iter().any(Option::is_some), "{ask:?} {}", arm.label);
        }
        let transfer = has(|finding| matches!(finding, Finding::Transfer(_)));
        assert_eq!(ask == Ask::Transfer, transfer, "{ask:?}");
    }
}

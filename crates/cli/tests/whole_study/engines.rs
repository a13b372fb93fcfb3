//! Studies that other programs train and score.

use std::path::Path;

use sparkjoy_base::Hint;
use sparkjoy_jobs::{JobError, Resources, branch_folder};
use sparkjoy_study::Branch;
use sparkjoy_train::Checkpoint;

use crate::tasks;
use crate::tiny::{Tiny, resources};

/// Speaks the protocol and trains nothing.
const SCRIPTED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../train/tests/engines/scripted_engine.py");
const TORCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../train/tests/engines/torch_engine.py");
/// Names the interpreter that has torch; set by `cargo xtask parity`.
const TORCH_PYTHON: &str = "SPARKJOY_TORCH_PYTHON";

fn trained_by(argv: &[&str]) -> Resources {
    Resources { engine: Some(argv.iter().map(|&word| word.to_owned()).collect()), ..resources() }
}

fn scripted() -> Resources {
    scripted_as("honest")
}

fn scripted_as(how: &str) -> Resources {
    trained_by(&["python3", SCRIPTED, "{job}", how])
}

fn kernels(tiny: &Tiny, branch: &Branch) -> Vec<String> {
    let folder = branch_folder(branch, &tiny.runs());
    let end = Checkpoint::at(&folder, branch.spec.last_step()).unwrap().unwrap();
    end.inspect().unwrap().kernels.iter().map(|since| since.kernel.clone()).collect()
}

/// Branch and control of the first comparison.
fn pair(tiny: &Tiny) -> [&Branch; 2] {
    let arm = &tiny.plan.questions[0].arms[0];
    [arm.branches[0], arm.controls[0]].map(|index| &tiny.plan.branches[index])
}

fn run_one(tiny: &Tiny, job: &str, resources: &Resources) -> Result<(), JobError> {
    tiny.run_with(Some(job), None, resources).0
}

fn train_trunk(tiny: &Tiny, resources: &Resources) {
    for point in tiny.plan.branch_points() {
        run_one(tiny, &format!("trunk-{point}"), resources).unwrap();
    }
}

#[test]
fn a_command_trains_a_study_from_the_first_step_to_its_report() {
    let tiny = Tiny::new();
    let (result, seen) = tiny.run_with(None, None, &scripted());
    result.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(seen.scored.len(), tiny.plan.branches.len());
    for branch in &tiny.plan.branches {
        assert_eq!(kernels(&tiny, branch), ["scripted-1.0"]);
    }
    let report = tiny.report().unwrap();
    assert!(!report.contains("INCOMPLETE") && !report.contains("ROUNDING"), "{report}");
    // Done is done, whoever would train.
    assert_eq!(tiny.finish().steps, 0);
}

#[test]
fn a_run_of_a_command_stops_when_told_to_and_goes_on() {
    let tiny = Tiny::new();
    let (result, _) = tiny.run_with(None, Some(3), &scripted());
    let error = result.unwrap_err();
    assert!(matches!(error, JobError::Interrupted), "{error}");
    tiny.run_with(None, None, &scripted()).0.unwrap();
}

#[test]
fn a_command_that_ends_without_a_save_is_said_to_stand_where_it_began() {
    let tiny = Tiny::new();
    let (result, seen) = tiny.run_with(None, Some(3), &scripted_as("dies"));
    assert!(matches!(result, Err(JobError::Interrupted)));
    assert_eq!((seen.stopped, seen.saved), (vec![("trunk-32".to_owned(), 0)], 0));
}

#[test]
fn another_command_than_that_of_the_control_takes_no_step() {
    let tiny = Tiny::new();
    // Trunk and branches are not compared.
    train_trunk(&tiny, &scripted_as("other"));
    let [branch, control] = pair(&tiny);
    run_one(&tiny, &control.name, &scripted()).unwrap();
    let other = scripted_as("other");
    let (result, seen) = tiny.run_with(Some(&branch.name), None, &other);
    let error = result.unwrap_err();
    let expected = format!(
        "the engine is `scripted-2.0`, expected the engine that computed `{}` (`scripted-1.0`): ",
        control.name
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert!(error.hint().unwrap().contains("--mixed-engines"));
    assert_eq!(seen.steps, 0);
    let mixed = Resources { mixed_engines: true, ..other };
    run_one(&tiny, &branch.name, &mixed).unwrap();
    assert_eq!(kernels(&tiny, branch), ["scripted-2.0"]);
}

#[test]
fn a_branch_is_trained_by_the_engine_of_its_control() {
    let tiny = Tiny::new();
    train_trunk(&tiny, &resources());
    let [branch, control] = pair(&tiny);
    let refused = |job: &str, resources: &Resources| match run_one(&tiny, job, resources) {
        Err(error) if error.to_string().contains("would be trained by") => {
            format!("{error}; {}", error.hint().unwrap())
        }
        other => panic!("{other:?}"),
    };
    // The trunk tells as long as there is no control.
    let point = branch.from_step;
    let told = refused(&branch.name, &scripted());
    assert!(told.contains(&format!("step {point} of `trunk`")), "{told}");
    assert!(told.contains("--mixed-engines"), "{told}");

    let mixed = |resources: Resources| Resources { mixed_engines: true, ..resources };
    run_one(&tiny, &control.name, &mixed(scripted())).unwrap();
    let told = refused(&branch.name, &resources());
    assert!(told.contains(&format!("`{}`", control.name)), "{told}");
    assert!(told.contains("scripted-1.0") && told.contains("--engine"), "{told}");
    // The engine of the control, then the other one for all the rest.
    run_one(&tiny, &branch.name, &scripted()).unwrap();
    tiny.run_with(None, None, &mixed(resources())).0.unwrap();
    let report = tiny.report().unwrap();
    // Lines are broken anywhere.
    let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(report.contains("ROUNDING: ") && report.contains("then scripted-1.0"), "{report}");
}

#[test]
fn a_worker_gives_the_same_bytes_of_scores() {
    let here = tasks::tiny();
    here.finish();
    let there = tasks::tiny();
    let worker = decoder_worker();
    let worker = Some(vec![worker.to_str().unwrap().to_owned(), "{model}".to_owned()]);
    let (result, seen) = there.run_with(None, None, &Resources { worker, ..resources() });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(!seen.tasks.is_empty());
    let (found, expected) = (there.results(), here.results());
    let is_score = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_items = path.extension().is_some_and(|extension| extension == "jsonl");
        name.starts_with("scores-") || name.starts_with("tasks-") || is_items
    };
    let names: Vec<_> = expected.keys().filter(is_score).collect();
    assert!(found.keys().filter(is_score).eq(names.iter().copied()));
    let scored = here.plan.branches.len();
    assert!(names.len() > 2 * scored, "{names:?}");
    for name in names {
        let [found, expected] = [&found[name], &expected[name]].map(|bytes| numbers(bytes));
        assert!(found == expected, "`{}` differs", name.display());
    }
}

/// The lines of a result without their seals, which hold the name of what computed them.
fn numbers(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap().replace("decoder-worker-", "");
    let lines = text.lines().map(|line| line.split(",\"seal\":").next().unwrap_or(line));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_worker_that_has_another_model_is_refused() {
    let tiny = Tiny::new();
    let shorter = crate::tiny::STUDY.replace("context = 16", "context = 8");
    let other = Tiny::with(&shorter);
    let point = other.plan.branch_points()[0];
    run_one(&other, &format!("trunk-{point}"), &resources()).unwrap();
    let model =
        Checkpoint::at(&sparkjoy_jobs::trunk_folder(other.plan.trunk(), &other.runs()), point);
    let model = model.unwrap().unwrap().folder.to_str().unwrap().to_owned();
    // It gets the folder and loads another one.
    let shell = "exec \"$0\" \"$1\"".to_owned();
    let worker = decoder_worker().to_str().unwrap().to_owned();
    let argv = vec!["sh".to_owned(), "-c".to_owned(), shell, worker, model, "{model}".to_owned()];
    let (result, _) = tiny.run_with(None, None, &Resources { worker: Some(argv), ..resources() });
    let error = result.unwrap_err().to_string();
    assert!(error.contains("says `context` is 8, expected 16"), "{error}");
}

/// The example of `eval`, which cargo builds beside the tests of the workspace.
fn decoder_worker() -> std::path::PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("examples/decoder_worker");
    let built = "build it: `cargo build -p sparkjoy-eval --example decoder_worker`";
    assert!(program.exists(), "no `{}`; {built}", program.display());
    program
}

#[test]
fn torch_trains_a_study_to_about_the_same_scores() {
    let Ok(python) = std::env::var(TORCH_PYTHON) else {
        eprintln!("SKIPPED: {TORCH_PYTHON} names no Python with torch; `cargo xtask parity` does");
        return;
    };
    let ours = Tiny::new();
    ours.finish();
    let theirs = Tiny::new();
    let (result, _) = theirs.run_with(None, None, &trained_by(&[&python, TORCH, "{job}"]));
    result.unwrap_or_else(|error| panic!("{error}"));
    let scores = |tiny: &Tiny| sparkjoy_jobs::results(&tiny.plan, &tiny.runs()).unwrap().held_out;
    for (ours, theirs) in scores(&ours).iter().flatten().zip(scores(&theirs).iter().flatten()) {
        for (source, score) in ours {
            let [ours, theirs] = [score, &theirs[source]].map(|s| s.nats.iter().sum::<f64>());
            assert!((ours / theirs - 1.0).abs() < 0.01, "{source}: {ours} and {theirs} nats");
        }
    }
}

//! A command that trains: what it is handed, what is taken from it, and what is refused.
//!
//! `tests/engines/scripted_engine.py` speaks the protocol without training anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sparkjoy_spec::{Engine, Job, KernelChange, Observer, Outcome, Promise, Signal, StepRecord};

use super::refusals::text;
use super::tiny::{
    ADAM, LAST, LION, SWITCH, Tiny, branch_of, files_and_folders, go_on, step_folders, stop_after,
};
use crate::{Checkpoint, LocalEngine, ProcessEngine, RunSpec, TrainError, read_metrics};

const SCRIPTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines/scripted_engine.py");

fn argv(how: &str) -> Vec<String> {
    ["python3", SCRIPTED, "{job}", how].map(str::to_owned).to_vec()
}

fn engine<'a>(tiny: &'a Tiny, argv: &'a [String]) -> ProcessEngine<'a> {
    let grace = Duration::from_secs(20);
    ProcessEngine {
        argv,
        corpora: &tiny.corpora,
        tokenizer: &tiny.tokenizer,
        grace,
        expected: None,
    }
}

fn job<'a>(spec: &'a RunSpec, folder: &'a Path) -> Job<'a> {
    Job { spec, folder, start_from: None, target: spec.last_step(), keep: &[] }
}

fn refused(tiny: &Tiny, how: &str) -> String {
    let spec = tiny.trunk(ADAM);
    let folder = tiny.folder(how);
    let argv = argv(how);
    let error = engine(tiny, &argv).run(job(&spec, &folder), &mut go_on).unwrap_err();
    // The opening checkpoint is ours; nothing of the command's has a name.
    assert_eq!(step_folders(&folder), ["step-000000"], "{how}");
    let left = files_and_folders(&folder);
    assert!(!left.iter().any(|name| name.ends_with(".partial")), "{how}: {left:?}");
    text(tiny, &error).replace("python3", "python")
}

fn kernels(folder: &Path, step: u64) -> String {
    let checkpoint = Checkpoint::at(folder, step).unwrap().expect("a whole checkpoint");
    let kernels = Checkpoint::open(&checkpoint.folder).unwrap().inspect().unwrap().kernels;
    serde_json::to_string(&kernels).unwrap()
}

#[test]
fn a_command_brings_a_run_to_its_target() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.folder("run");
    let argv = argv("honest");
    let mut seen = Vec::new();
    let mut observer = |record: &StepRecord| {
        seen.push(record.clone());
        Signal::Continue
    };
    let asked = Job { keep: &[2], ..job(&spec, &folder) };
    let outcome = engine(&tiny, &argv).run(asked, &mut observer).unwrap();
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(step_folders(&folder), ["step-000002", "step-000006"]);
    assert_eq!(read_metrics(&folder).unwrap(), seen);
    assert_eq!(seen.iter().map(|record| record.step).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(
        kernels(&folder, LAST),
        r#"[{"since":0,"kernel":"scripted-1.0","promise":"within-noise"}]"#
    );
    let info = Checkpoint::at(&folder, LAST).unwrap().unwrap().inspect().unwrap();
    assert_eq!((info.optimizer_steps, info.ledger), (LAST, spec.order().unwrap().ledger_at(24)));
    let folder_of = Checkpoint::at(&folder, 2).unwrap().unwrap().folder;
    assert_eq!(read_metrics(&folder_of).unwrap(), seen[..2]);
    // What is there is not computed again: this command could not.
    let nobody = ["nobody".to_owned()];
    let again = engine(&tiny, &nobody).run(job(&spec, &folder), &mut go_on).unwrap();
    assert_eq!(again, Outcome::Done);
}

#[test]
fn a_job_says_all_that_a_stranger_needs() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.folder("run");
    let copied = tiny.folder("copied");
    fs::create_dir_all(&copied).unwrap();
    let script = format!("cp $(dirname \"$1\")/*.* {}; exit 7", copied.display());
    let argv = ["sh", "-c", &script, "sh", "{job}"].map(str::to_owned).to_vec();
    engine(&tiny, &argv).run(job(&spec, &folder), &mut go_on).unwrap_err();

    let job: serde_json::Value =
        serde_json::from_slice(&fs::read(copied.join("job.json")).unwrap()).unwrap();
    assert_eq!(job["run"], spec.fingerprint().hex());
    assert_eq!(job["spec"], serde_json::to_value(&spec).unwrap());
    assert_eq!(job["opening"]["folder"], folder.join("step-000000").to_str().unwrap());
    assert_eq!((&job["target"], &job["keep"]), (&LAST.into(), &serde_json::json!([LAST])));
    let order = spec.order().unwrap();
    let expected: Vec<u8> = order
        .sequences(0..24)
        .flat_map(|draw| {
            let source = u32::try_from(draw.source).unwrap().to_le_bytes();
            source.into_iter().chain(draw.ordinal.to_le_bytes()).collect::<Vec<u8>>()
        })
        .collect();
    assert_eq!(fs::read(copied.join("order.bin")).unwrap(), expected);
    let lr: Vec<u8> = (0..LAST).flat_map(|done| spec.lr(done).to_le_bytes()).collect();
    assert_eq!(fs::read(copied.join("lr.bin")).unwrap(), lr);
    for (source, planned) in job["sources"].as_array().unwrap().iter().zip(order.sources()) {
        assert_eq!(source["name"], planned.name.to_string());
        assert!(Path::new(source["shards"][0].as_str().unwrap()).is_file());
    }
}

#[test]
fn a_stopped_command_has_saved_and_is_continued_by_itself_or_by_us() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.folder("run");
    let slow = argv("slow");
    let outcome = engine(&tiny, &slow).run(job(&spec, &folder), &mut stop_after(2)).unwrap();
    let Outcome::Stopped { step } = outcome else { panic!("{outcome:?}") };
    assert!((2..=4).contains(&step), "{step}");
    assert_eq!(step_folders(&folder), [format!("step-{step:06}")]);

    let honest = argv("honest");
    let to_next = Job { target: step + 1, ..job(&spec, &folder) };
    assert_eq!(engine(&tiny, &honest).run(to_next, &mut go_on).unwrap(), Outcome::Done);
    let mut ours = LocalEngine {
        corpora: &tiny.corpora,
        tokenizer: &tiny.tokenizer,
        threads: 1,
        recompute: false,
    };
    assert_eq!((ours.promise(), engine(&tiny, &slow).promise()), {
        (Promise::SameBits, Promise::WithinNoise)
    });
    let mut told = Told::default();
    assert_eq!(ours.run(job(&spec, &folder), &mut told).unwrap(), Outcome::Done);
    assert_eq!(told.changes.len(), 1);
    assert_eq!((told.changes[0].step, told.changes[0].found.as_str()), (step + 1, "scripted-1.0"));
    assert!(
        kernels(&folder, LAST).starts_with(
            r#"[{"since":0,"kernel":"scripted-1.0","promise":"within-noise"},{"since":"#
        )
    );
}

#[derive(Default)]
struct Told {
    changes: Vec<KernelChange>,
    tolerated: Vec<(u64, u64)>,
    waited: u64,
    stop_waiting: bool,
}

impl Observer for Told {
    fn stepped(&mut self, _: &StepRecord) -> Signal {
        Signal::Continue
    }

    fn waiting(&mut self) -> Signal {
        self.waited += 1;
        if self.stop_waiting { Signal::Stop } else { Signal::Continue }
    }

    fn kernel_changed(&mut self, change: &KernelChange) {
        self.changes.push(change.clone());
    }

    fn tolerated(&mut self, tolerated: &sparkjoy_spec::Tolerated) {
        assert!(tolerated.difference <= tolerated.tolerance);
        self.tolerated.push((*tolerated.steps.start(), *tolerated.steps.end()));
    }
}

#[test]
fn a_command_goes_on_from_our_steps_and_branches_off_them() {
    let tiny = Tiny::new();
    let trunk = tiny.trunk(LION);
    let parent = tiny.train(&trunk, "trunk", SWITCH);
    let ours = kernels(&parent, SWITCH);
    let start = Checkpoint::at(&parent, SWITCH).unwrap().unwrap().folder;
    let spec = branch_of(&trunk);
    let folder = tiny.folder("branch");
    let argv = argv("honest");
    let mut told = Told::default();
    let from = Job { start_from: Some(&start), ..job(&spec, &folder) };
    assert_eq!(engine(&tiny, &argv).run(from, &mut told).unwrap(), Outcome::Done);
    assert_eq!(told.changes.len(), 1);
    let taken = r#",{"since":3,"kernel":"scripted-1.0","promise":"within-noise"}]"#;
    assert_eq!(kernels(&folder, LAST), format!("{}{taken}", ours.strip_suffix(']').unwrap()));
    assert_eq!(kernels(&parent, SWITCH), ours);
}

#[test]
fn a_checkpoint_that_is_asked_for_is_taken() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.folder("run");
    let argv = argv("slow");
    let mut seen = Vec::new();
    let mut observer = |record: &StepRecord| {
        seen.push(step_folders(&folder));
        if record.step == 1 { Signal::Save } else { Signal::Continue }
    };
    engine(&tiny, &argv).run(job(&spec, &folder), &mut observer).unwrap();
    assert!(seen.iter().flatten().any(|name| name != "step-000000"), "{seen:?}");
}

#[test]
fn what_is_not_as_planned_is_refused() {
    let tiny = Tiny::new();
    let lies = [
        "other-step",
        "other-rate",
        "other-tokens",
        "other-sources",
        "other-mean",
        "loss-not-finite",
        "loss-below-zero",
        "norm-below-zero",
        "same-weights",
        "weight-not-finite",
        "moment-not-finite",
        "other-shape",
        "other-tensor",
        "other-type",
        "cut",
        "header-without-end",
        "other-run",
        "other-checkpoint-step",
        "other-optimizer-steps",
        "long-note",
        "linked-weights",
        "pipe-for-weights",
        "linked-checkpoint",
        "our-name",
        "odd-name",
        "other-version",
        "linked-metrics",
        "pipe-for-metrics",
        "long-line",
        "deep-line",
        "no-greeting",
    ];
    let told: Vec<String> = lies
        .iter()
        .map(|how| {
            let text = refused(&tiny, how);
            let (told, hint) = text.split_once("\nhint: ").unwrap();
            assert!(hint.starts_with("correct the engine by docs/engines.md"), "{how}: {hint}");
            format!("{how}: {}", told.trim_start_matches("the engine `python` wrote "))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
other-step: `step` in `metrics.jsonl`: found 2, expected 1
other-rate: `lr` of step 1 in `metrics.jsonl`: found 0.001, expected 0
other-tokens: `tokens` of step 1 in `metrics.jsonl`: found {"code":16,"web":64}, expected {"code":16,"web":48}
other-sources: the sources in `losses` of step 1 in `metrics.jsonl`: found code, elsewhere, expected code, web
other-mean: `loss` of step 1 in `metrics.jsonl`: found 5.99, expected a finite number, the mean of `losses`, 6.74
loss-not-finite: `metrics.jsonl` line 1: found expected value at line 1 column 21, expected the record of a step as JSON
loss-below-zero: `loss` of step 1 in `metrics.jsonl`: found -1, expected a finite number, the mean of `losses`, 5.99
norm-below-zero: `grad_norm` of step 1 in `metrics.jsonl`: found -1, expected a finite number, 0 or more
same-weights: the weights of its checkpoint of step 6: found those of step 0, expected others: it has trained since
weight-not-finite: tensor `transformer.wte.weight` of its checkpoint of step 6: found inf, expected finite numbers
moment-not-finite: tensor `exp_avg_sq.transformer.norm_f.weight` of its checkpoint of step 6: found NaN, expected finite numbers
other-shape: tensor `transformer.wte.weight` of its checkpoint of step 6: found F32 [16, 288], expected F32 [288, 16]
other-tensor: tensor `surplus` of its checkpoint of step 6: found F32 [288, 16], expected no such tensor
other-type: tensor `transformer.wte.weight` of its checkpoint of step 6: found I32 [288, 16], expected F32 [288, 16]
cut: `model.safetensors` of its checkpoint of step 6: found incomplete metadata, file not fully covered, expected a header as docs/formats.md says
header-without-end: `model.safetensors` of its checkpoint of step 6: found header too large, expected a header as docs/formats.md says
other-run: `run` of its checkpoint of step 6: found …, expected …
other-checkpoint-step: `step` of its checkpoint of step 6: found 7, expected 6
other-optimizer-steps: `optimizer_steps` of its checkpoint of step 6: found 7, expected 6
long-note: `checkpoint.json` of its checkpoint of step 6: found a larger file, expected at most 65536 bytes
linked-weights: `model.safetensors` of its checkpoint of step 6: found a link, expected a regular file
pipe-for-weights: `model.safetensors` of its checkpoint of step 6: found a folder, a pipe or a device, expected a regular file
linked-checkpoint: the folder of its checkpoint of step 6: found a file or a link, expected a folder
our-name: `name` in `engine.json`: found "avx2", expected 1 to 64 letters, digits, `.`, `_` and `-`, and none of avx512bf16, avx512, avx2, portable
odd-name: `name` in `engine.json`: found "torch 2.15/gpu", expected 1 to 64 letters, digits, `.`, `_` and `-`, and none of avx512bf16, avx512, avx2, portable
other-version: `sparkjoy_engine` in `engine.json`: found 2, expected 1
linked-metrics: `metrics.jsonl`: found a link, expected a regular file
pipe-for-metrics: `metrics.jsonl`: found a folder, a pipe or a device, expected a regular file
long-line: `metrics.jsonl` line 1: found a longer line, expected at most 1048576 bytes
deep-line: `metrics.jsonl` line 1: found invalid type: sequence, expected u64 at line 1 column 1, expected the record of a step as JSON
no-greeting: `metrics.jsonl`: found a line, expected `engine.json` before it
"#);
}

#[test]
fn a_command_that_fails_is_quoted() {
    let tiny = Tiny::new();
    insta::assert_snapshot!(refused(&tiny, "crash"), @r#"
the engine `python` ended with exit status: 3 after step 0, expected step 6; its last lines:
a bell rang
hint: read `runs/crash/engine.log`, then run the same command again: it continues from the last checkpoint
"#);
    insta::assert_snapshot!(refused(&tiny, "no-checkpoint"), @r#"
the engine `python` ended with exit status: 0 after step 0, expected step 6
hint: read `runs/no-checkpoint/engine.log`, then run the same command again: it continues from the last checkpoint
"#);
    let spec = tiny.trunk(ADAM);
    let folder = tiny.folder("none");
    let failed = |argv: &[&str]| {
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        text(&tiny, &engine(&tiny, &argv).run(job(&spec, &folder), &mut go_on).unwrap_err())
    };
    insta::assert_snapshot!(failed(&["/nowhere/engine", "{job}"]), @r#"
cannot start the engine `/nowhere/engine`
  caused by: No such file or directory (os error 2)
hint: type `/nowhere/engine --help` to see whether it runs here, or give its whole path
"#);
    insta::assert_snapshot!(failed(&["python3"]), @r#"
the command of the engine is ["python3"], expected a program and its arguments, one of them with `{job}`
hint: write it as a list, `["python3", "engine.py", "{job}"]`; `{job}` becomes the path of the job file
"#);
}

#[test]
fn a_command_that_does_not_listen_is_ended_after_its_grace() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let argv = ["deaf", "silent"].map(argv);
    for (argv, name) in argv.iter().zip(["deaf", "silent"]) {
        let folder = tiny.folder(name);
        let mut told = Told { stop_waiting: true, ..Told::default() };
        let began = Instant::now();
        let engine = engine(&tiny, argv);
        let outcome = ProcessEngine { grace: Duration::from_millis(300), ..engine }
            .run(job(&spec, &folder), &mut told)
            .unwrap();
        assert_eq!(outcome, Outcome::Stopped { step: 0 });
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_command_is_not_waited_for_where_it_has_nothing_more_to_say() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    // All steps are told: one does not save the last, one does and does not end.
    let cases = [("unsaved", Outcome::Stopped { step: 0 }), ("lingering", Outcome::Done)];
    for (how, expected) in cases {
        let folder = tiny.folder(how);
        let argv = argv(how);
        let mut stops = StopsLate::default();
        let began = Instant::now();
        let engine = engine(&tiny, &argv);
        let grace = Duration::from_secs(if how == "unsaved" { 1 } else { 40 });
        let outcome = ProcessEngine { grace, ..engine }.run(job(&spec, &folder), &mut stops);
        assert_eq!(outcome.unwrap(), expected, "{how}");
        assert!(began.elapsed() < Duration::from_secs(30), "{how}");
    }
}

/// Stops after the last step.
#[derive(Default)]
struct StopsLate(bool);

impl Observer for StopsLate {
    fn stepped(&mut self, record: &StepRecord) -> Signal {
        self.0 = record.step == LAST;
        Signal::Continue
    }

    fn waiting(&mut self) -> Signal {
        if self.0 { Signal::Stop } else { Signal::Continue }
    }
}

#[test]
fn nothing_that_a_command_started_outlives_it() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let folder = tiny.folder("run");
    let argv = argv("child");
    let mut told = Told::default();
    let mut observer = Until { file: folder.join("child"), told: &mut told };
    let engine = engine(&tiny, &argv);
    let outcome = ProcessEngine { grace: Duration::from_millis(100), ..engine }
        .run(job(&spec, &folder), &mut observer)
        .unwrap();
    assert_eq!(outcome, Outcome::Stopped { step: 0 });
    let pids = fs::read_to_string(folder.join("child")).unwrap();
    assert_eq!(pids.split(' ').count(), 2);
    for pid in pids.split(' ') {
        assert!(is_gone(pid), "{pid} lives");
    }
}

/// Whether a process ends within a few seconds; one that nobody waits for counts as ended.
fn is_gone(pid: &str) -> bool {
    (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.map_or(true, |stat| stat.contains(") Z "))
    })
}

/// Stops once a file is there.
struct Until<'a> {
    file: PathBuf,
    told: &'a mut Told,
}

impl Observer for Until<'_> {
    fn stepped(&mut self, record: &StepRecord) -> Signal {
        self.told.stepped(record)
    }

    fn waiting(&mut self) -> Signal {
        let is_there = fs::read_to_string(&self.file).is_ok_and(|text| text.contains(' '));
        if is_there { Signal::Stop } else { Signal::Continue }
    }
}

/// Started by the test below in a process of its own, which is then killed.
#[test]
fn a_command_does_not_outlive_us() {
    const VICTIM: &str = "SPARKJOY_TEST_VICTIM";
    if let Some(place) = std::env::var_os(VICTIM) {
        let tiny = Tiny::new();
        let spec = tiny.trunk(ADAM);
        let folder = PathBuf::from(place);
        let _ = engine(&tiny, &argv("child")).run(job(&spec, &folder), &mut Told::default());
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::process::a_command_does_not_outlive_us"])
        .env(VICTIM, &folder)
        .spawn()
        .unwrap();
    let file = folder.join("child");
    let began = Instant::now();
    let pids = loop {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if text.contains(' ') {
            break text;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "the command starts");
        std::thread::sleep(Duration::from_millis(50));
    };
    victim.kill().unwrap();
    victim.wait().unwrap();
    for pid in pids.split(' ') {
        assert!(is_gone(pid), "{pid} lives");
    }
}

#[test]
fn steps_computed_again_are_held_to_what_both_engines_promise() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(ADAM);
    let mut ours = LocalEngine {
        corpora: &tiny.corpora,
        tokenizer: &tiny.tokenizer,
        threads: 1,
        recompute: false,
    };
    for how in ["honest", "same-bits"] {
        let folder = tiny.folder(how);
        let argv = argv(how);
        let mut process = engine(&tiny, &argv);
        process.run(job(&spec, &folder), &mut go_on).unwrap();
        let to_four = Job { target: 4, ..job(&spec, &folder) };
        // The same engine comes out the same; only where it promises noise is that remarked.
        let mut told = Told::default();
        process.run(to_four, &mut told).unwrap();
        assert_eq!(told.tolerated, if how == "honest" { vec![(1, 4)] } else { vec![] });
        // Ours computes this run, and the script does not.
        fs::remove_dir_all(folder.join("step-000004")).unwrap();
        let error = ours.run(to_four, &mut go_on).unwrap_err();
        match error {
            TrainError::OutOfTolerance { step: 1, .. } => assert_eq!(how, "honest"),
            TrainError::NotReproduced { step: 1, .. } => assert_eq!(how, "same-bits"),
            other => panic!("{other}"),
        }
    }
}

//! What a run refuses, word for word.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use sparkjoy_base::{Hint, SourceName};
use sparkjoy_data::Tokenizer;
use sparkjoy_spec::{OptimizerKind, Shape};

use super::model_folder::weights;
use super::tiny::{
    ADAM, LAST, LION, SWITCH, Tiny, branch_of, files_and_folders, go_on, refusal, reseal,
};
use crate::{
    Checkpoint, Divergence, ModelFolder, RunRequest, Signal, Start, StepRecord, TrainError,
    read_metrics, read_spec, run,
};

/// Error and hint, with the place of the test and all fingerprints taken out.
pub(super) fn text(tiny: &Tiny, error: &TrainError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        write!(text, "\n  caused by: {error}").unwrap();
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        write!(text, "\nhint: {hint}").unwrap();
    }
    let runs = tiny.folder("nowhere");
    let text = text.replace(&*runs.parent().unwrap().to_string_lossy(), "runs");
    anonymous(&text)
}

/// Replaces every run of 8 or 64 hex digits.
fn anonymous(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ';', ')']);
        let is_hex = matches!(bare.len(), 8 | 64) && bare.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex { word.replace(bare, "…") } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A run stopped after step 2, and its checkpoint.
fn stopped(tiny: &Tiny) -> (std::path::PathBuf, std::path::PathBuf) {
    let folder = tiny.train(&tiny.trunk(LION), "run", 2);
    let checkpoint = folder.join("step-000002");
    (folder, checkpoint)
}

fn open_error(tiny: &Tiny, checkpoint: &Path) -> String {
    text(tiny, &Checkpoint::open(checkpoint).unwrap_err())
}

fn cut(path: &Path, bytes: u64) {
    let length = fs::metadata(path).unwrap().len();
    fs::File::options().write(true).open(path).unwrap().set_len(length - bytes).unwrap();
}

/// Changes one bit and keeps the size.
pub(super) fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_checkpoint_that_is_not_whole_is_refused() {
    let tiny = Tiny::new();
    let (_, checkpoint) = stopped(&tiny);
    insta::assert_snapshot!(open_error(&tiny, &tiny.folder("nowhere")), @r#"
`runs/nowhere` is not a checkpoint: it has neither `state.json` nor `DONE`
hint: run `sparkjoy show runs` to see which checkpoints are there
"#);
    cut(&checkpoint.join("model.safetensors"), 4);
    insta::assert_snapshot!(open_error(&tiny, &checkpoint), @r#"
`runs/run/step-000002/model.safetensors` was altered: found 31,724 bytes, expected 31,728 bytes
hint: remove `runs/run/step-000002`: `sparkjoy run STUDY` computes what is missing
"#);
    fs::remove_file(checkpoint.join("model.safetensors")).unwrap();
    insta::assert_snapshot!(open_error(&tiny, &checkpoint), @r#"
checkpoint `runs/run/step-000002` is incomplete: no `model.safetensors`
hint: remove `runs/run/step-000002`: `sparkjoy run STUDY` computes what is missing
"#);
    fs::remove_file(checkpoint.join("DONE")).unwrap();
    insta::assert_snapshot!(open_error(&tiny, &checkpoint), @r#"
checkpoint `runs/run/step-000002` is incomplete: no `DONE`
hint: remove `runs/run/step-000002`: `sparkjoy run STUDY` computes what is missing
"#);
}

#[test]
fn an_altered_file_of_the_same_size_is_refused() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let (folder, checkpoint) = stopped(&tiny);
    for name in files_and_folders(&checkpoint) {
        let path = checkpoint.join(&name);
        let before = fs::read(&path).unwrap();
        flip(&path);
        let error = Checkpoint::open(&checkpoint).unwrap_err();
        assert!(matches!(error, TrainError::Altered { .. }), "`{name}`: {error}");
        refusal(tiny.request(&spec, &folder));
        fs::write(&path, before).unwrap();
    }
    flip(&checkpoint.join("model.safetensors"));
    insta::assert_snapshot!(open_error(&tiny, &checkpoint), @r#"
`runs/run/step-000002/model.safetensors` was altered: found content …, expected content …
hint: remove `runs/run/step-000002`: `sparkjoy run STUDY` computes what is missing
"#);
}

#[test]
fn a_checkpoint_of_another_version_is_refused() {
    let tiny = Tiny::new();
    let (_, checkpoint) = stopped(&tiny);
    reseal(&checkpoint, |state| state["format"] = 3.into());
    insta::assert_snapshot!(open_error(&tiny, &checkpoint), @r#"
`runs/run/step-000002/state.json` has format 3, expected format 2
hint: remove `runs/run/step-000002`: `sparkjoy run STUDY` computes what is missing
"#);
    reseal(&checkpoint, |state| *state = serde_json::json!({ "format": 2, "files": {} }));
    insta::assert_snapshot!(open_error(&tiny, &checkpoint), @r#"
cannot read `runs/run/step-000002/state.json`
  caused by: missing field `run` at line 4 column 1
hint: restore `runs/run/step-000002/state.json` as it was written, or remove its folder
"#);
}

#[test]
fn a_folder_of_another_run_is_refused() {
    let tiny = Tiny::new();
    let (folder, _) = stopped(&tiny);
    let mut spec = tiny.trunk(ADAM);
    spec.batch = 2;
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&spec, &folder))), @r#"
`runs/run` belongs to run …, expected run …; they differ in `batch`, `optimizer`
hint: the study has changed since `runs/run` was begun; use another `--runs` folder, or remove this one
"#);
    // A checkpoint that was carried over from another run.
    let other = tiny.train(&spec, "other", 1);
    fs::rename(folder.join("step-000002"), other.join("step-000002")).unwrap();
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&spec, &other))), @r#"
`runs/other/step-000002` belongs to run …, expected run …
hint: the study has changed since `runs/other/step-000002` was begun; use another `--runs` folder, or remove this one
"#);
}

#[test]
fn an_altered_run_json_is_refused() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let (folder, _) = stopped(&tiny);
    let path = folder.join("run.json");
    let json = fs::read_to_string(&path).unwrap();
    fs::write(&path, json.replace("\"seed\": 17", "\"seed\": 18")).unwrap();
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&spec, &folder))), @r#"
`runs/run/run.json` was altered: found a spec …, expected a spec …
hint: remove `runs/run`: `sparkjoy run STUDY` computes what is missing
"#);
    fs::write(&path, &json[..40]).unwrap();
    insta::assert_snapshot!(text(&tiny, &read_spec(&folder).unwrap_err()), @r#"
cannot read `runs/run/run.json`
  caused by: EOF while parsing a string at line 3 column 22
hint: restore `runs/run/run.json` as it was written, or remove its folder
"#);
}

#[test]
fn a_run_json_of_another_version_is_refused() {
    let tiny = Tiny::new();
    let (folder, _) = stopped(&tiny);
    let path = folder.join("run.json");
    let json = fs::read_to_string(&path).unwrap();
    let told = |version: &str| {
        fs::write(&path, json.replace("  \"version\": 2,\n", version)).unwrap();
        read_spec(&folder).map_err(|error| text(&tiny, &error))
    };
    insta::assert_snapshot!(told("  \"version\": 0,\n").unwrap_err(), @r#"
`runs/run/run.json` was written by an older version of sparkjoy that is no longer read: found version 0, expected 1 or later
hint: use the version of sparkjoy that wrote it, or remove `runs/run`: `sparkjoy run STUDY` computes the run anew
"#);
    insta::assert_snapshot!(told("  \"version\": 3,\n").unwrap_err(), @r#"
`runs/run/run.json` was written by a newer version of sparkjoy: found version 3, expected 2 or earlier
hint: install a newer sparkjoy, or use another folder than `runs/run`
"#);
    // Runs of before had none.
    assert_eq!(told("").unwrap(), tiny.trunk(LION));
    tiny.train(&tiny.trunk(LION), "run", LAST);
    assert!(!fs::read_to_string(&path).unwrap().contains("version"), "never written anew");
}

#[test]
fn two_processes_never_train_in_one_folder() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let (folder, _) = stopped(&tiny);
    let lock = fs::File::options().write(true).open(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(folder.join("lock"), "4711").unwrap();
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&spec, &folder))), @r#"
`runs/run` is in use by another process (4711)
hint: wait until that process is done, or stop it with Ctrl-C: it saves and exits
"#);
    drop(lock);
    run(tiny.request(&spec, &folder), &mut go_on).unwrap();
}

#[test]
fn a_target_outside_the_phases_is_refused() {
    let tiny = Tiny::new();
    let trunk = tiny.trunk(LION);
    let folder = tiny.folder("run");
    let request = RunRequest { target: LAST + 1, ..tiny.request(&trunk, &folder) };
    insta::assert_snapshot!(text(&tiny, &refusal(request)), @r#"
step 7 is asked for, the run goes from step 0 to step 6
hint: lengthen the phases in the study: a run is never trained beyond its plan
"#);
    let branch = branch_of(&trunk);
    let error = refusal(RunRequest { target: SWITCH - 1, ..tiny.request(&branch, &folder) });
    assert!(matches!(error, TrainError::Target { target: 2, first: 3, last: 6 }), "{error}");
    assert!(!folder.exists());
}

#[test]
fn a_branch_starts_from_its_parent_at_its_step_or_not_at_all() {
    let tiny = Tiny::new();
    let trunk = tiny.trunk(LION);
    let parents = tiny.folder("trunk");
    run(RunRequest { keep: &[2, 3], ..tiny.request(&trunk, &parents) }, &mut go_on).unwrap();
    let branch = branch_of(&trunk);
    let folder = tiny.folder("branch");
    let error = |spec, parent: Option<&str>| {
        let parent = parent.map(|name| tiny.folder(name));
        let request = tiny.request(spec, &folder);
        let error = refusal(RunRequest { start_from: parent.as_deref(), ..request });
        fs::remove_dir_all(&folder).unwrap();
        text(&tiny, &error)
    };
    insta::assert_snapshot!(error(&branch, None), @r#"
no checkpoint of run … at step 3 is given to branch from
hint: train the trunk first: `sparkjoy run` does it on the way to the branch
"#);
    insta::assert_snapshot!(error(&branch, Some("trunk/step-000002")), @r#"
cannot branch from `runs/trunk/step-000002`: it is of step 2, expected step 3
hint: run the study again from the trunk: `sparkjoy run` makes the checkpoints that are missing
"#);
    insta::assert_snapshot!(error(&branch, Some("trunk/step-000004")), @r#"
`runs/trunk/step-000004` is not a checkpoint: it has neither `state.json` nor `DONE`
hint: run `sparkjoy show runs/trunk` to see which checkpoints are there
"#);
    let mut orphan = branch.clone();
    orphan.start = Start::Branch { run: orphan.fingerprint() };
    insta::assert_snapshot!(error(&orphan, Some("trunk/step-000003")), @r#"
cannot branch from `runs/trunk/step-000003`: it belongs to run …, expected run …
hint: run the study again from the trunk: `sparkjoy run` makes the checkpoints that are missing
"#);
    let mut forgetful = branch.clone();
    forgetful.opening = sparkjoy_mix::Ledger::default();
    insta::assert_snapshot!(error(&forgetful, Some("trunk/step-000003")), @r#"
checkpoint `runs/trunk/step-000003` has read 3 sequences of `code`, expected 0
hint: run the study again from the trunk: `sparkjoy run` makes the checkpoints that are missing
"#);
}

#[test]
fn other_moments_or_another_shape_are_refused() {
    let tiny = Tiny::new();
    let trunk = tiny.trunk(LION);
    let parent = tiny.train(&trunk, "trunk", SWITCH).join("step-000003");
    let folder = tiny.folder("branch");
    let mut branch = branch_of(&trunk);
    branch.optimizer = ADAM;
    let from = |spec| RunRequest { start_from: Some(&parent), ..tiny.request(spec, &folder) };
    insta::assert_snapshot!(text(&tiny, &refusal(from(&branch))), @r#"
tensor `exp_avg_sq.transformer.blocks.0.attn.Wqkv.weight` in `runs/trunk/step-000003/optimizer.safetensors`: found no such tensor, expected F32 [48, 16]
hint: compare `[model]` and `optimizer` of the study with `sparkjoy show runs/trunk/step-000003`
"#);
    fs::remove_dir_all(&folder).unwrap();
    let mut branch = branch_of(&trunk);
    branch.model = Shape { width: 32, ..*branch.model.shape() }.into();
    insta::assert_snapshot!(text(&tiny, &refusal(from(&branch))), @r#"
tensor `transformer.wte.weight` in `runs/trunk/step-000003/model.safetensors`: found F32 [288, 16], expected F32 [288, 32]
hint: compare `[model]` and `optimizer` of the study with `sparkjoy show runs/trunk/step-000003`
"#);
    fs::write(parent.join("model.safetensors"), [9, 0, 0, 0, 0, 0, 0, 0, b'{']).unwrap();
    reseal(&parent, |_| ());
    let error = weights(&ModelFolder::open(&parent).unwrap()).unwrap_err();
    insta::assert_snapshot!(text(&tiny, &error), @r#"
cannot read `runs/trunk/step-000003/model.safetensors`
  caused by: invalid header length
hint: remove `runs/trunk/step-000003`: `sparkjoy run STUDY` computes what is missing
"#);
}

#[test]
fn data_other_than_planned_is_refused() {
    let tiny = Tiny::new();
    let spec = tiny.trunk(LION);
    let folder = tiny.folder("run");
    let mut changed = spec.clone();
    changed.supplies[2].fingerprint = spec.supplies[0].fingerprint;
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&changed, &folder))), @r#"
source `web` has content …, the run was planned with …
hint: run `sparkjoy plan` to see what the sources are now; a run goes on only with the data it was planned with
"#);
    let mut changed = spec.clone();
    changed.supplies[2].sequences = 1_024;
    insta::assert_snapshot!(
        text(&tiny, &refusal(tiny.request(&changed, &folder))).replace(
            &spec.supplies[2].sequences.to_string(), "N"),
        @r#"
source `web` has N sequences, the run was planned with 1,024
hint: run `sparkjoy plan` to see what the sources are now; a run goes on only with the data it was planned with
"#
    );
    let corpora = &tiny.corpora[..2];
    let request = RunRequest { corpora, ..tiny.request(&spec, &folder) };
    insta::assert_snapshot!(text(&tiny, &refusal(request)), @r#"
source `web` is in the run but not among the prepared sources
hint: run `sparkjoy plan` to see what the sources are now; a run goes on only with the data it was planned with
"#);
    let other = Tokenizer::train_bpe(&["other words".to_owned()], 258).unwrap();
    let request = RunRequest { tokenizer: &other, ..tiny.request(&spec, &folder) };
    insta::assert_snapshot!(text(&tiny, &refusal(request)), @r#"
the tokenizer of the study is …, the run was planned with …
hint: run `sparkjoy plan` to see what the sources are now; a run goes on only with the data it was planned with
"#);
    let mut changed = spec.clone();
    changed.tokenizer = other.fingerprint();
    let request = RunRequest { tokenizer: &other, ..tiny.request(&changed, &folder) };
    insta::assert_snapshot!(text(&tiny, &refusal(request)), @r#"
the tokenizer of source `code` is …, the run was planned with …
hint: run `sparkjoy plan` to see what the sources are now; a run goes on only with the data it was planned with
"#);
    let mut changed = spec.clone();
    changed.model = Shape { vocab: 256, ..*changed.model.shape() }.into();
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&changed, &folder))), @r#"
the model has 256 rows of embedding, the tokenizer has 280 ids
hint: set `vocab` of the model to at least 280
"#);
    assert!(!folder.exists(), "a refused run made its folder");
}

#[test]
fn a_run_that_diverges_stops_and_shows_its_batch() {
    let tiny = Tiny::new();
    let mut spec = tiny.trunk(LION);
    spec.optimizer = OptimizerKind::LionW { lr: 1e36, betas: [0.9, 0.95], weight_decay: 0.0 };
    let folder = tiny.folder("run");
    let request = RunRequest { keep: &[1], ..tiny.request(&spec, &folder) };
    let error = refusal(request);
    let TrainError::Diverged { step, ref path, .. } = error else { panic!("{error}") };
    insta::assert_snapshot!(text(&tiny, &error), @r#"
training diverged at step 3: loss 5.6630, gradient norm NaN, learning rate 1.000e36, batch of 16 tokens of `code`, 48 tokens of `web`
hint: run `sparkjoy show runs/run/diverged-3.json` to see the text of the batch; a lower `lr`, a longer `warmup` or a `grad_clip` are the usual cures
"#);

    let divergence = Divergence::open(path).unwrap();
    assert_eq!((divergence.step, divergence.run), (step, spec.fingerprint()));
    let order = spec.order().unwrap();
    let drawn: Vec<_> = order.sequences(spec.slots(step - 1)).collect();
    assert_eq!(divergence.rows.len(), drawn.len());
    for (row, draw) in divergence.rows.iter().zip(drawn) {
        assert_eq!(row.source, order.sources()[draw.source].name);
        assert_eq!((row.epoch, row.ordinal), (draw.epoch, draw.ordinal));
    }
    // The step is not in the metrics, and what was saved before is still whole.
    assert_eq!(read_metrics(&folder).unwrap().last().unwrap().step, step - 1);
    Checkpoint::open(&folder.join("step-000001")).unwrap();
}

#[test]
fn broken_weights_are_never_saved_over_good_ones() {
    let tiny = Tiny::new();
    let mut spec = tiny.trunk(LION);
    // Too large for a float, so that the first step with a rate breaks the weights.
    spec.optimizer = OptimizerKind::LionW { lr: 1e39, betas: [0.9, 0.95], weight_decay: 0.0 };
    let folder = tiny.folder("run");
    let error = run(tiny.request(&spec, &folder), &mut |_: &StepRecord| Signal::Save).unwrap_err();
    insta::assert_snapshot!(text(&tiny, &error), @r#"
training diverged after step 2: `transformer.wte.weight` holds a weight that is not finite
hint: the last checkpoint is whole; a lower `lr` or a longer `warmup` in the study makes another run
"#);
    let checkpoints = Checkpoint::list(&folder).unwrap();
    assert_eq!(checkpoints.len(), 1);
    Checkpoint::open(&checkpoints[0].folder).unwrap();
}

#[test]
fn a_broken_line_of_metrics_is_named() {
    let tiny = Tiny::new();
    let (folder, _) = stopped(&tiny);
    let path = folder.join("metrics.jsonl");
    let mut metrics = fs::read_to_string(&path).unwrap();
    metrics.push_str("{\"step\": 3}\n{\"half");
    fs::write(&path, metrics).unwrap();
    insta::assert_snapshot!(text(&tiny, &read_metrics(&folder).unwrap_err()), @r#"
cannot read `runs/run/metrics.jsonl` line 3
  caused by: missing field `loss` at line 1 column 11
hint: restore `runs/run/metrics.jsonl` as it was written, or remove its folder
"#);
}

#[test]
fn a_shape_or_a_mixture_that_cannot_be_is_refused() {
    let tiny = Tiny::new();
    let folder = tiny.folder("run");
    let mut spec = tiny.trunk(LION);
    spec.model = Shape { heads: 3, ..*spec.model.shape() }.into();
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&spec, &folder))), @r#"
cannot build the model
  caused by: width 16 is not a multiple of 3 heads
hint: change `[model]` in the study
"#);
    let mut spec = tiny.trunk(LION);
    spec.supplies.retain(|source| source.name != SourceName::new("web").unwrap());
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&spec, &folder))), @r#"
cannot order the sequences
  caused by: the mixture of phase 0 names source `web`, expected one of `code`, `math`
hint: change `[mixtures]` or `[sources]` in the study
"#);
}

#[test]
fn a_batch_that_cannot_be_read_names_its_step_and_source() {
    let tiny = Tiny::new();
    let error = TrainError::Read {
        step: 1_024,
        source_name: SourceName::new("web").unwrap(),
        source: Box::new(sparkjoy_data::DataError::Interrupted),
    };
    insta::assert_snapshot!(text(&tiny, &error), @r#"
cannot read the batch of step 1,024 from source `web`
  caused by: interrupted
hint: run the same command again: it continues from here
"#);
    let error = TrainError::Tokenizer { source: Box::new(sparkjoy_data::DataError::Interrupted) };
    insta::assert_snapshot!(text(&tiny, &error), @r#"
cannot save the tokenizer
  caused by: interrupted
hint: run the same command again: it continues from here
"#);
}

#[test]
fn other_refusals_in_words() {
    let tiny = Tiny::new();
    let folder = tiny.folder("run/step-000002");
    let error = TrainError::Occupied { folder: folder.clone(), step: 2 };
    insta::assert_snapshot!(text(&tiny, &error), @r#"
cannot save step 2: `runs/run/step-000002` is there and is no checkpoint of that step
hint: remove `runs/run/step-000002`: `sparkjoy run STUDY` computes what is missing
"#);
    let error = TrainError::NotReproduced { step: 2, path: tiny.folder("run/metrics.jsonl") };
    insta::assert_snapshot!(text(&tiny, &error), @r#"
step 2 does not come out as recorded in `runs/run/metrics.jsonl`
hint: later checkpoints were computed on a machine that rounds differently; remove `runs/run` to compute the whole run on this one
"#);
}

//! Runs that start from a model trained elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use sparkjoy_data::Part;
use sparkjoy_mix::Draw;
use sparkjoy_spec::{OptimizerKind, Precision, Shape};

use super::refusals::{flip, text};
use super::tiny::{
    ADAM, BATCH, LAST, LION, SWITCH, Tiny, assert_same_bytes, branch_of, contents, go_on, refusal,
    stop_after,
};
use crate::{Checkpoint, ModelFolder, Moments, RunRequest, RunSpec, Start, TrainError, imported};
use crate::{check_shape, read_metrics, run};

const MODEL: [&str; 4] =
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const MOMENTS: &str = "optimizer.safetensors";

/// The trunk trained to its switch, and what others would have of it: the model, its moments
/// beside it.
fn exported(tiny: &Tiny, optimizer: OptimizerKind) -> (RunSpec, PathBuf) {
    let trunk = tiny.trunk(optimizer);
    let run = tiny.train(&trunk, "trunk", SWITCH);
    let checkpoint = Checkpoint::at(&run, SWITCH).unwrap().unwrap().folder;
    let folder = tiny.folder("exported");
    fs::create_dir_all(&folder).unwrap();
    for name in MODEL.iter().chain([&MOMENTS]) {
        fs::copy(checkpoint.join(name), folder.join(name)).unwrap();
    }
    (trunk, folder)
}

/// A run that goes on from a folder as `trunk` goes on after its switch.
fn going_on(trunk: &RunSpec, start: Start) -> RunSpec {
    RunSpec {
        opening: trunk.order().unwrap().ledger_at(SWITCH * BATCH),
        first_phase: 1,
        phases: trunk.phases[1..].to_vec(),
        first_step: SWITCH,
        start,
        ..trunk.clone()
    }
}

fn start(folder: &Path, moments: Option<(OptimizerKind, u64)>) -> Result<Start, TrainError> {
    imported(&ModelFolder::open(folder).unwrap(), moments)
}

fn train(tiny: &Tiny, spec: &RunSpec, from: &Path, name: &str) -> PathBuf {
    let folder = tiny.folder(name);
    let start_from = Some(from);
    run(RunRequest { start_from, ..tiny.request(spec, &folder) }, &mut go_on).unwrap();
    folder
}

#[test]
fn with_its_moments_a_model_goes_on_to_the_bits_of_the_run_it_was_taken_from() {
    for optimizer in [LION, ADAM] {
        let tiny = Tiny::new();
        let (trunk, folder) = exported(&tiny, optimizer);
        let spec = going_on(&trunk, start(&folder, Some((optimizer, SWITCH))).unwrap());
        let found = train(&tiny, &spec, &folder, "imported");
        let whole = tiny.train(&trunk, "trunk", LAST);
        let [found, whole] = [found, whole].map(|run| contents(&run, LAST));
        for name in ["model.safetensors", MOMENTS, "config.json", "tokenizer.json"] {
            assert_eq!(found[name], whole[name], "{name}");
        }
    }
}

#[test]
fn without_moments_it_goes_on_as_a_run_whose_moments_were_set_to_zero() {
    for optimizer in [LION, ADAM] {
        let tiny = Tiny::new();
        let (trunk, folder) = exported(&tiny, optimizer);
        let with = start(&folder, Some((optimizer, SWITCH))).unwrap();
        let fresh = going_on(&trunk, start(&folder, None).unwrap());
        let fresh_run = contents(&train(&tiny, &fresh, &folder, "fresh"), LAST);

        let zeroed = tiny.folder("zeroed");
        fs::create_dir_all(&zeroed).unwrap();
        for name in MODEL {
            fs::copy(folder.join(name), zeroed.join(name)).unwrap();
        }
        let moments = fs::read(folder.join(MOMENTS)).unwrap();
        let header = 8 + u64::from_le_bytes(moments[..8].try_into().unwrap()) as usize;
        let mut zeros = vec![0; moments.len()];
        zeros[..header].copy_from_slice(&moments[..header]);
        fs::write(zeroed.join(MOMENTS), zeros).unwrap();
        let spec = going_on(&trunk, start(&zeroed, Some((optimizer, 0))).unwrap());
        let zeroed_run = contents(&train(&tiny, &spec, &zeroed, "from-zeroed"), LAST);
        let spec = going_on(&trunk, with);
        let with_run = contents(&train(&tiny, &spec, &folder, "with"), LAST);
        for name in ["model.safetensors", MOMENTS] {
            assert_eq!(fresh_run[name], zeroed_run[name], "{name}");
            assert_ne!(fresh_run[name], with_run[name], "moments change nothing");
        }
    }
}

#[test]
fn an_imported_run_stopped_after_any_step_ends_in_the_same_bytes() {
    let tiny = Tiny::new();
    let (trunk, folder) = exported(&tiny, ADAM);
    let before = super::tiny::files(&folder);
    let spec = going_on(&trunk, start(&folder, None).unwrap());
    let whole = train(&tiny, &spec, &folder, "whole");
    let start_from = Some(folder.as_path());
    for stop in SWITCH + 1..LAST {
        let stopped = tiny.folder(&format!("stopped-{stop}"));
        let request = tiny.request(&spec, &stopped);
        run(RunRequest { start_from, ..request }, &mut stop_after(stop)).unwrap();
        // The model is no longer needed once the run has a checkpoint of its own.
        run(request, &mut go_on).unwrap();
        assert_same_bytes(&stopped, &whole, LAST, &format!("stopped after {stop}"));
    }
    assert_eq!(super::tiny::files(&folder), before, "an import wrote into the model's folder");
}

#[test]
fn a_checkpoint_at_the_imported_step_is_the_model_with_a_ledger() {
    let tiny = Tiny::new();
    let (trunk, folder) = exported(&tiny, LION);
    let spec = going_on(&trunk, start(&folder, Some((LION, SWITCH))).unwrap());
    let at = tiny.folder("at");
    let request =
        RunRequest { start_from: Some(&folder), target: SWITCH, ..tiny.request(&spec, &at) };
    run(request, &mut go_on).unwrap();
    let checkpoint = Checkpoint::at(&at, SWITCH).unwrap().unwrap();
    let info = checkpoint.inspect().unwrap();
    assert_eq!((info.ledger, info.optimizer_steps), (spec.opening.clone(), SWITCH));
    for name in MODEL.iter().chain([&MOMENTS]) {
        assert_eq!(
            fs::read(checkpoint.folder.join(name)).unwrap(),
            fs::read(folder.join(name)).unwrap()
        );
    }
    // A branch starts from it as from any other.
    let branch = RunSpec { start: Start::Branch { run: spec.fingerprint() }, ..branch_of(&trunk) };
    train(&tiny, &branch, &checkpoint.folder, "branch");
}

#[test]
fn a_run_is_named_by_the_models_numbers_and_not_by_its_files() {
    let tiny = Tiny::new();
    let (trunk, folder) = exported(&tiny, LION);
    let of_ours = tiny.folder("trunk").join("step-000003");
    let saved = Some((LION, SWITCH));
    assert_eq!(start(&folder, saved).unwrap(), start(&of_ours, saved).unwrap());
    assert_eq!(start(&folder, None).unwrap(), start(&of_ours, None).unwrap());
    assert_ne!(start(&folder, None).unwrap(), start(&folder, saved).unwrap());
    // A copy of other weights is another run, and is not trained in the place of the planned one.
    let planned = start(&folder, None).unwrap();
    flip(&folder.join("model.safetensors"));
    assert_ne!(start(&folder, None).unwrap(), planned);
    let spec = going_on(&trunk, planned);
    let run_folder = tiny.folder("imported");
    let request = RunRequest { start_from: Some(&folder), ..tiny.request(&spec, &run_folder) };
    insta::assert_snapshot!(text(&tiny, &refusal(request)), @"
    the weights in `runs/exported` are not those the run was planned with
    hint: the model was exchanged: `sparkjoy plan` plans with what it is now, as another run
    ");
    // Checkpoints of ours say how often the optimizer stepped; that is believed.
    let Start::Imported { moments: Some(Moments { steps, .. }), .. } =
        start(&of_ours, Some((LION, 99))).unwrap()
    else {
        panic!("moments were asked for");
    };
    assert_eq!(steps, SWITCH);
}

#[test]
fn an_import_that_cannot_be_says_what_is_wrong() {
    let tiny = Tiny::new();
    let (trunk, folder) = exported(&tiny, LION);
    let saved = |optimizer| text(&tiny, &start(&folder, Some((optimizer, SWITCH))).unwrap_err());
    insta::assert_snapshot!(saved(ADAM), @"
    tensor `exp_avg_sq.transformer.wte.weight` in `runs/exported/optimizer.safetensors`: found no such tensor, expected F32 [288, 16]
    hint: compare `[model]` and `optimizer` of the study with `sparkjoy show runs/exported`
    ");
    let moments = fs::read(folder.join(MOMENTS)).unwrap();
    let mut broken = moments.clone();
    let last = broken.len() - 4;
    broken[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(folder.join(MOMENTS), broken).unwrap();
    insta::assert_snapshot!(saved(LION), @r#"
    tensor `exp_avg.transformer.norm_f.weight` in `runs/exported/optimizer.safetensors` holds a moment that is not finite
    hint: set `optimizer = "fresh"` in `[trunk]`, or fetch the file again
    "#);
    fs::remove_file(folder.join(MOMENTS)).unwrap();
    insta::assert_snapshot!(saved(LION), @r#"
    `runs/exported` holds no `optimizer.safetensors`
    hint: put its `optimizer.safetensors` beside the weights, or set `optimizer = "fresh"` in `[trunk]`
    "#);
    fs::write(folder.join("optimizer.pt"), "").unwrap();
    insta::assert_snapshot!(saved(LION), @r#"
    `runs/exported` holds no `optimizer.safetensors`; `optimizer.pt` is another program's
    hint: set `optimizer = "fresh"` in `[trunk]`: only moments written by sparkjoy (`optimizer.safetensors`) are read
    "#);

    let model = ModelFolder::open(&folder).unwrap();
    let shape = *trunk.model.shape();
    let refused = |shape| text(&tiny, &check_shape(&model, &shape).unwrap_err().into());
    insta::assert_snapshot!(
        [
            refused(Shape { width: 32, ..shape }),
            refused(Shape { clip_qkv: Some(6.0), ..shape }),
            refused(Shape { context: 32, ..shape }),
        ].join("\n"),
        @"
        the model in `runs/exported` has width 16, expected 32
        hint: write `width = 16` in `[model]`, or start from another model
        the model in `runs/exported` has clip_qkv none, expected 6
        hint: leave `clip_qkv` out of `[model]`, or start from another model
        the model in `runs/exported` has context 16, expected 32
        hint: write `context = 16` in `[model]`, or start from another model
        "
    );
    assert!(check_shape(&model, &Shape { context: 8, ..shape }).is_ok());

    let path = folder.join("model.safetensors");
    let mut broken = fs::read(&path).unwrap();
    let last = broken.len() - 4;
    broken[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, broken).unwrap();
    insta::assert_snapshot!(text(&tiny, &start(&folder, None).unwrap_err()), @"
    tensor `transformer.norm_f.weight` in `runs/exported/model.safetensors` holds a weight that is not finite
    hint: nothing can be scored or trained with it; fetch an earlier checkpoint of the model
    ");

    let spec = going_on(&trunk, start(&tiny.folder("trunk").join("step-000003"), None).unwrap());
    let run_folder = tiny.folder("imported");
    insta::assert_snapshot!(text(&tiny, &refusal(tiny.request(&spec, &run_folder))), @"
    no model is given for the run to start from at step 3
    hint: put the model back where `from` in `[trunk]` of the study says
    ");
}

#[test]
fn specs_of_before_have_the_json_they_had() {
    let starts = [Start::Fresh, Start::Branch { run: sparkjoy_base::Fingerprint::of_bytes(b"") }];
    assert_eq!(
        starts.map(|start| serde_json::to_string(&start).unwrap()),
        [
            "\"Fresh\"".to_owned(),
            format!(
                "{{\"Branch\":{{\"run\":\"{}\"}}}}",
                sparkjoy_base::Fingerprint::of_bytes(b"").hex()
            )
        ]
    );
}

/// `first-loss.json`: made by `models.py`.
#[derive(serde::Deserialize)]
struct FirstLoss {
    rows: Vec<Vec<u32>>,
    loss: f64,
}

#[test]
fn the_first_step_of_a_model_of_others_has_the_loss_transformers_gives() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/models");
    let golden: FirstLoss =
        serde_json::from_slice(&fs::read(models.join("first-loss.json")).unwrap()).unwrap();
    let folder = models.join("first-loss");
    let tiny = Tiny::new();
    let trunk = tiny.trunk(LION);
    let model = ModelFolder::open(&folder).unwrap();
    // 300 rows, and 32 tokens at most: neither is what a trunk of this study would have.
    let shape = Shape { context: trunk.model.context(), ..*model.shape() };
    check_shape(&model, &shape).unwrap();
    let spec = going_on(&trunk, start(&folder, None).unwrap());
    let spec = RunSpec { model: shape.into(), precision: Precision::Fp32, ..spec };
    let found = train(&tiny, &spec, &folder, "of-others");

    let order = spec.order().unwrap();
    let read = |draw: Draw| {
        let mut ids = vec![0; shape.context];
        let name = &order.sources()[draw.source].name;
        let corpus = tiny.corpora.iter().find(|corpus| corpus.name() == name).unwrap();
        corpus.read(Part::Train, draw.ordinal, &mut ids).unwrap();
        ids
    };
    let rows: Vec<Vec<u32>> = order.sequences(0..BATCH).map(read).collect();
    assert_eq!(rows, golden.rows, "another batch than `models.py` has");
    let first = &read_metrics(&found).unwrap()[0];
    assert_eq!(first.step, SWITCH + 1);
    assert!((first.loss - golden.loss).abs() < 1e-5, "{} and {}", first.loss, golden.loss);
}

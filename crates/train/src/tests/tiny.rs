//! A run so small that it can be repeated hundreds of times.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{Fingerprint, Ppm, Seed, SourceName};
use sparkjoy_data::{
    Corpus, OnBadDocument, Part, PrepareOptions, Rows, SourceFiles, Tokenizer, Validation, prepare,
};
use sparkjoy_mix::{Ledger, Mixture, Phase, Source};
use sparkjoy_spec::{OptimizerKind, Precision, Schedule, ScheduleKind, Shape};
use tempfile::TempDir;

use crate::checkpoint::entries;
use crate::{Checkpoint, Outcome, RunRequest, RunSpec, Signal, Start, StepRecord, TrainError, run};

pub(super) const CONTEXT: usize = 16;
pub(super) const BATCH: u64 = 4;
/// The trunk's first phase; its second ends at [`LAST`].
pub(super) const SWITCH: u64 = 3;
pub(super) const LAST: u64 = 6;

pub(super) const LION: OptimizerKind =
    OptimizerKind::LionW { lr: 1e-2, betas: [0.9, 0.95], weight_decay: 1e-3 };
pub(super) const ADAM: OptimizerKind =
    OptimizerKind::AdamW { lr: 1e-2, betas: [0.9, 0.95], eps: 1e-8, weight_decay: 0.1 };

/// Corpora, a tokenizer and a place for runs.
pub(super) struct Tiny {
    place: TempDir,
    pub(super) tokenizer: Tokenizer,
    pub(super) corpora: Vec<Corpus>,
}

impl Tiny {
    pub(super) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let texts = ["code", "math", "web"].map(|name| (name, text(name)));
        let sample: Vec<String> = texts.iter().map(|(_, text)| text.clone()).collect();
        let tokenizer = Tokenizer::train_bpe(&sample, 280).unwrap();
        let corpora =
            texts.iter().map(|(name, text)| corpus(place.path(), name, text, &tokenizer)).collect();
        Self { place, tokenizer, corpora }
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.place.path().join("runs").join(name)
    }

    /// A trunk of two phases.
    pub(super) fn trunk(&self, optimizer: OptimizerKind) -> RunSpec {
        let shape =
            Shape { layers: 1, width: 16, heads: 2, context: CONTEXT, vocab: 288, clip_qkv: None };
        let total = LAST * BATCH * CONTEXT as u64;
        RunSpec {
            model: shape.into(),
            precision: Precision::Bf16,
            tokenizer: self.tokenizer.fingerprint(),
            optimizer,
            schedule: Schedule {
                kind: ScheduleKind::InverseSqrt { warmup: 128, scale: 64, cooldown: 0 },
                total,
            },
            grad_clip: Some(1.0),
            batch: BATCH,
            seed: Seed(17),
            replicate: 0,
            supplies: self.sources(),
            opening: Ledger::default(),
            first_phase: 0,
            phases: vec![
                phase(&[("code", 250_000), ("web", 750_000)], SWITCH),
                phase(&[("math", 600_000), ("web", 400_000)], LAST - SWITCH),
            ],
            first_step: 0,
            start: Start::Fresh,
            anneal: None,
        }
    }

    fn sources(&self) -> Vec<Source> {
        let source = |corpus: &Corpus| Source {
            name: corpus.name().clone(),
            fingerprint: corpus.fingerprint(Part::Train),
            sequences: corpus.sequences(Part::Train, CONTEXT),
        };
        self.corpora.iter().map(source).collect()
    }

    /// A request to bring `spec` to its end in the folder `name`.
    pub(super) fn request<'a>(&'a self, spec: &'a RunSpec, folder: &'a Path) -> RunRequest<'a> {
        RunRequest {
            spec,
            corpora: &self.corpora,
            tokenizer: &self.tokenizer,
            folder,
            start_from: None,
            target: spec.last_step(),
            keep: &[],
            threads: 1,
            recompute: false,
        }
    }

    /// Trains the trunk to `target` in the folder `name`, without a stop.
    pub(super) fn train(&self, spec: &RunSpec, name: &str, target: u64) -> PathBuf {
        let folder = self.folder(name);
        let request = RunRequest { target, ..self.request(spec, &folder) };
        assert_eq!(run(request, &mut go_on).unwrap(), Outcome::Done);
        folder
    }
}

/// A branch of `trunk` from its switch on, to the trunk's end.
pub(super) fn branch_of(trunk: &RunSpec) -> RunSpec {
    RunSpec {
        replicate: 1,
        opening: trunk.order().unwrap().ledger_at(SWITCH * BATCH),
        first_phase: 1,
        phases: vec![phase(&[("code", 500_000), ("math", 500_000)], LAST - SWITCH)],
        first_step: SWITCH,
        start: Start::Branch { run: trunk.fingerprint() },
        ..trunk.clone()
    }
}

/// An observer that asks for nothing.
pub(super) fn go_on(_: &StepRecord) -> Signal {
    Signal::Continue
}

pub(super) fn stop_after(step: u64) -> impl FnMut(&StepRecord) -> Signal {
    move |record| if record.step == step { Signal::Stop } else { Signal::Continue }
}

/// The error a request ends in.
pub(super) fn refusal(request: RunRequest<'_>) -> TrainError {
    run(request, &mut go_on).unwrap_err()
}

/// The bytes of every file of the checkpoint at `step`.
pub(super) fn contents(run_folder: &Path, step: u64) -> BTreeMap<String, Vec<u8>> {
    let checkpoint = Checkpoint::at(run_folder, step).unwrap().expect("a whole checkpoint");
    Checkpoint::open(&checkpoint.folder).unwrap();
    files(&checkpoint.folder)
}

/// The bytes of every file of a folder.
pub(super) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    entries(folder).unwrap().iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

/// Asserts that two runs have the same checkpoint at `step` and the same metrics, to the byte.
pub(super) fn assert_same_bytes(found: &Path, expected: &Path, step: u64, what: &str) {
    let (a, b) = (contents(found, step), contents(expected, step));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in &a {
        assert!(*bytes == b[name], "{what}: `{name}` differs");
    }
    let [a, b] =
        [found, expected].map(|run| fs::read_to_string(run.join("metrics.jsonl")).unwrap());
    assert_eq!(a, b, "{what}: metrics");
}

/// The names in a run folder that are checkpoints, or were to become or cease to be ones.
pub(super) fn step_folders(run_folder: &Path) -> Vec<String> {
    files_and_folders(run_folder).into_iter().filter(|name| name.starts_with("step-")).collect()
}

pub(super) fn files_and_folders(folder: &Path) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    entries(folder).unwrap().iter().map(name).collect()
}

/// Makes an altered checkpoint look whole again: `state.json` and `DONE` are written anew.
pub(super) fn reseal(checkpoint: &Path, alter: impl FnOnce(&mut serde_json::Value)) {
    let state = checkpoint.join("state.json");
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    for (name, record) in value["files"].as_object_mut().unwrap() {
        let bytes = fs::read(checkpoint.join(name)).unwrap();
        record["bytes"] = bytes.len().into();
        record["fingerprint"] = Fingerprint::of_bytes(&bytes).hex().into();
    }
    alter(&mut value);
    let json = serde_json::to_vec_pretty(&value).unwrap();
    fs::write(&state, &json).unwrap();
    fs::write(checkpoint.join("DONE"), Fingerprint::of_bytes(&json).hex()).unwrap();
}

pub(super) fn phase(proportions: &[(&str, u32)], steps: u64) -> Phase {
    let name = |name: &str| SourceName::new(name).unwrap();
    let proportions = proportions.iter().map(|&(source, ppm)| (name(source), Ppm(ppm))).collect();
    Phase { mixture: Mixture::new(proportions).unwrap(), slots: steps * BATCH }
}

/// A few thousand characters, different for each source.
fn text(name: &str) -> String {
    let words = ["spark", "joy", "river", "stone", "seven", "light", "of", "the", "and", "to"];
    let mut state = Fingerprint::of_bytes(name.as_bytes()).as_bytes()[0] as usize;
    let mut text = String::new();
    for i in 0..600 {
        state = (state * 75 + 74 + i) % 65_537;
        text.push_str(words[state % words.len()]);
        text.push_str(if i % 11 == 10 { ". " } else { " " });
        if i % 5 == 0 {
            text.push_str(name);
            text.push(' ');
        }
    }
    text
}

fn corpus(place: &Path, name: &str, text: &str, tokenizer: &Tokenizer) -> Corpus {
    let sentences = text.split_inclusive(". ");
    let mut lines = sentences
        .map(|sentence| serde_json::json!({ "text": sentence }).to_string())
        .collect::<Vec<_>>()
        .join("\n");
    lines.push('\n');
    fs::write(place.join(format!("{name}.jsonl")), &lines).unwrap();
    fs::write(place.join(format!("{name}.val.jsonl")), lines.lines().next().unwrap()).unwrap();
    let source = SourceFiles {
        name: SourceName::new(name).unwrap(),
        paths: vec![format!("{name}.jsonl")],
        root: place.to_owned(),
        rows: Rows::default(),
        on_bad_document: OnBadDocument::Refuse,
        validation: Validation::Files(vec![format!("{name}.val.jsonl")]),
    };
    let stop = AtomicBool::new(false);
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &|_| () };
    prepare(&source, tokenizer, &place.join("prepared").join(name), &options).unwrap()
}

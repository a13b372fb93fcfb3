//! Trains tiny models for a few steps and writes their checkpoints beside the logits they give:
//! what `parity/hugging_face.py` holds against transformers.
//!
//! `cargo run -p sparkjoy-train --example tiny_checkpoint -- FOLDER`

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde_json::json;
use sparkjoy_base::{Ppm, Seed, SourceName, write_atomic};
use sparkjoy_data::{
    Corpus, OnBadDocument, Part, PrepareOptions, Rows, SourceFiles, Tokenizer, Validation, prepare,
};
use sparkjoy_mix::{Ledger, Mixture, Phase, Source};
use sparkjoy_nn::{Compute, Engine};
use sparkjoy_spec::{
    OptimizerKind, Precision, RunSpec, Schedule, ScheduleKind, Shape, Signal, Start, StepRecord,
};
use sparkjoy_train::{Checkpoint, ModelFolder, RunRequest, run};

const STEPS: u64 = 8;
const BATCH: u64 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: tiny_checkpoint FOLDER")?);
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/error.rs"))?;
    let tokenizer = Tokenizer::train_bpe(std::slice::from_ref(&text), 500)?;
    let corpus = corpus(&folder, &text, &tokenizer)?;

    let plain = Shape { layers: 2, width: 64, heads: 4, context: 32, vocab: 512, clip_qkv: None };
    // Six heads: ALiBi's slopes where their number is not a power of two.
    let uneven = Shape { layers: 3, width: 96, heads: 6, ..plain };
    let clipped = Shape { clip_qkv: Some(0.5), ..plain };
    for (name, shape) in [("plain", plain), ("uneven", uneven), ("clipped", clipped)] {
        let spec = spec(shape, &corpus, &tokenizer);
        let run_folder = folder.join(name);
        let request = RunRequest {
            spec: &spec,
            corpora: std::slice::from_ref(&corpus),
            tokenizer: &tokenizer,
            folder: &run_folder,
            start_from: None,
            target: STEPS,
            keep: &[],
            threads: 1,
            recompute: false,
        };
        run(request, &mut |_: &StepRecord| Signal::Continue)?;
        let checkpoint = Checkpoint::at(&run_folder, STEPS)?.ok_or("no checkpoint")?;
        write_logits(&checkpoint, &corpus, &tokenizer, shape.context)?;
    }
    Ok(())
}

/// Writes `logits.json` into the run folder: ids, their logits, their text.
fn write_logits(
    checkpoint: &Checkpoint,
    corpus: &Corpus,
    tokenizer: &Tokenizer,
    context: usize,
) -> Result<(), Box<dyn Error>> {
    let model = ModelFolder::open(&checkpoint.folder)?;
    let mut engine = Engine::new(*model.shape(), 1, Compute::exact(1))?;
    model.read_weights(engine.weights_mut())?;
    let mut rows = Vec::new();
    for (ordinal, length) in [(0, context), (1, context), (2, 5), (3, 1)] {
        let mut ids = vec![0; context];
        corpus.read(Part::Train, ordinal, &mut ids)?;
        ids.truncate(length);
        let logits = engine.logits(&ids);
        rows.push(json!({ "text": tokenizer.decode(&ids), "ids": ids, "logits": logits }));
    }
    let run_folder = checkpoint.folder.parent().expect("a checkpoint lies in its run folder");
    let checkpoint = checkpoint.folder.file_name().expect("it has a name").to_string_lossy();
    let parity = json!({ "checkpoint": checkpoint, "rows": rows });
    Ok(write_atomic(&run_folder.join("logits.json"), &serde_json::to_vec(&parity)?)?)
}

fn corpus(folder: &Path, text: &str, tokenizer: &Tokenizer) -> Result<Corpus, Box<dyn Error>> {
    let line = |text: &str| format!("{}\n", json!({ "text": text }));
    let lines: String = text.split_inclusive("\n\n").map(line).collect();
    write_atomic(&folder.join("text.jsonl"), lines.as_bytes())?;
    let source = SourceFiles {
        name: SourceName::new("text")?,
        paths: vec!["text.jsonl".to_owned()],
        root: folder.to_owned(),
        rows: Rows::default(),
        on_bad_document: OnBadDocument::Refuse,
        validation: Validation::Split(Ppm(100_000)),
    };
    let stop = AtomicBool::new(false);
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &|_| () };
    Ok(prepare(&source, tokenizer, &folder.join("prepared"), &options)?)
}

fn spec(shape: Shape, corpus: &Corpus, tokenizer: &Tokenizer) -> RunSpec {
    let name = corpus.name().clone();
    let mixture = Mixture::new([(name.clone(), Ppm::ONE)].into()).expect("one source is all of it");
    let sequences = corpus.sequences(Part::Train, shape.context);
    RunSpec {
        model: shape.into(),
        precision: Precision::Fp32,
        tokenizer: tokenizer.fingerprint(),
        optimizer: OptimizerKind::AdamW {
            lr: 1e-2,
            betas: [0.9, 0.95],
            eps: 1e-8,
            weight_decay: 0.1,
        },
        schedule: Schedule {
            kind: ScheduleKind::Constant { warmup: 0 },
            total: STEPS * BATCH * shape.context as u64,
        },
        grad_clip: Some(1.0),
        batch: BATCH,
        seed: Seed(17),
        replicate: 0,
        supplies: vec![Source { name, fingerprint: corpus.fingerprint(Part::Train), sequences }],
        opening: Ledger::default(),
        first_phase: 0,
        phases: vec![Phase { mixture, slots: STEPS * BATCH }],
        first_step: 0,
        start: Start::Fresh,
        anneal: None,
    }
}

//! What a command that trains is handed: `job.json`, `order.bin` and `lr.bin`.
//!
//! Nobody has to work an order or a schedule out again: both are written down, step by step.
//! `docs/engines.md` describes the files byte by byte.

use std::path::{Path, PathBuf};

use serde::Serialize;
use sparkjoy_base::{AtomicFile, Fingerprint, SourceName};
use sparkjoy_data::Part;
use sparkjoy_spec::{OptimizerKind, Precision, RunSpec};

use super::EngineError;
use crate::TrainError;
use crate::disk;
use crate::run::Run;

pub(super) const VERSION: u32 = 1;

/// Which sequence each slot reads: per slot `u32` source and `u64` ordinal.
const ORDER: &str = "order.bin";
/// The learning rate of each step, `f64`.
const LR: &str = "lr.bin";

/// Where the steps continue from.
pub(super) struct OpeningFolder<'a> {
    pub(super) folder: &'a Path,
    pub(super) step: u64,
    pub(super) optimizer_steps: u64,
}

/// `job.json`.
#[derive(Serialize)]
struct JobRecord<'a> {
    sparkjoy_job: u32,
    run: Fingerprint,
    opening: OpeningRecord,
    target: u64,
    keep: &'a [u64],
    context: usize,
    batch: u64,
    /// Of the T tokens of a row, T − 1 are predicted: each but the first.
    targets: &'static str,
    precision: Precision,
    optimizer: OptimizerKind,
    grad_clip: Option<f32>,
    sources: Vec<SourceRecord<'a>>,
    order: String,
    lr: String,
    out: String,
    spec: &'a RunSpec,
}

#[derive(Serialize)]
struct OpeningRecord {
    folder: String,
    step: u64,
    optimizer_steps: u64,
}

#[derive(Serialize)]
struct SourceRecord<'a> {
    name: &'a SourceName,
    /// The shards with the tokens that are trained on, in order.
    shards: Vec<String>,
}

/// Writes the files of a job into `work`; returns the path of `job.json`.
///
/// - `keep`: the steps whose checkpoints are asked for, ascending; the last is the target.
/// - `out`: the folder the command writes into.
pub(super) fn write(
    run: Run<'_>,
    opening: &OpeningFolder<'_>,
    keep: &[u64],
    work: &Path,
    out: &Path,
) -> Result<PathBuf, TrainError> {
    let steps = opening.step..run.target;
    let mut order = AtomicFile::create(&work.join(ORDER))?;
    for done in steps.clone() {
        let draws = run.order.sequences(run.spec.slots(done));
        let bytes: Vec<u8> = draws
            .flat_map(|draw| {
                let source = (draw.source as u32).to_le_bytes();
                source.into_iter().chain(draw.ordinal.to_le_bytes())
            })
            .collect();
        disk::put(&mut order, &bytes)?;
    }
    disk::commit(order)?;
    let lr: Vec<u8> = steps.flat_map(|done| run.spec.lr(done).to_le_bytes()).collect();
    disk::write(&work.join(LR), &lr)?;

    let sources = run.order.sources().iter().zip(run.corpora).map(|(source, corpus)| {
        let shards = corpus.shards(Part::Train);
        let shards = shards.iter().map(|shard| text(&shard.path)).collect::<Result<_, _>>()?;
        Ok(SourceRecord { name: &source.name, shards })
    });
    let record = JobRecord {
        sparkjoy_job: VERSION,
        run: run.spec.fingerprint(),
        opening: OpeningRecord {
            folder: text(opening.folder)?,
            step: opening.step,
            optimizer_steps: opening.optimizer_steps,
        },
        target: run.target,
        keep,
        context: run.spec.model.context(),
        batch: run.spec.batch,
        targets: "inside",
        precision: run.spec.precision,
        optimizer: run.spec.optimizer,
        grad_clip: run.spec.grad_clip,
        sources: sources.collect::<Result<_, EngineError>>()?,
        order: text(&work.join(ORDER))?,
        lr: text(&work.join(LR))?,
        out: text(out)?,
        spec: run.spec,
    };
    let json = serde_json::to_vec_pretty(&record).expect("plain data has a JSON form");
    let path = work.join("job.json");
    disk::write(&path, &json)?;
    Ok(path)
}

/// A path as a command in any folder finds it.
pub(super) fn text(path: &Path) -> Result<String, EngineError> {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match whole.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(EngineError::Path { path: whole }),
    }
}

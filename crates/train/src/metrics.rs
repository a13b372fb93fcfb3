//! `metrics.jsonl`: one line a step, the same bytes whenever the same spec is run.
//!
//! No line holds a time. The file of a run folder grows step by step and is not synced; the copy
//! in a checkpoint is what counts, and the run folder's file is made from it again on continuing.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{AtomicFile, FileError, SourceName, read};
use sparkjoy_mix::Draw;

use crate::TrainError;
use crate::checkpoint::Checkpoint;
use crate::disk;
use crate::run::Run;

/// The file's name, in a run folder and in a checkpoint.
pub(crate) const METRICS: &str = "metrics.jsonl";

/// One step, as written to `metrics.jsonl`. Holds no time: two runs of the same spec write the
/// same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Steps done, this one included.
    pub step: u64,
    /// Mean nats per token of the batch.
    pub loss: f64,
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
    /// Learning rate of the step.
    pub lr: f64,
    /// Tokens per source in this step.
    pub tokens: BTreeMap<SourceName, u64>,
    /// Mean nats per token per source in this step.
    pub losses: BTreeMap<SourceName, f64>,
}

/// All steps recorded in the `metrics.jsonl` of a run or checkpoint folder, in order.
///
/// A last line without its end is a step being written right now and is left out.
///
/// # Errors
///
/// [`TrainError::File`] if there is none, [`TrainError::Line`] if a line is not a record.
pub fn read_metrics(folder: &Path) -> Result<Vec<StepRecord>, TrainError> {
    let path = folder.join(METRICS);
    let bytes = read(&path)?;
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    let lines = bytes[..whole].split_inclusive(|&b| b == b'\n').enumerate();
    lines
        .map(|(index, line)| {
            serde_json::from_slice(line).map_err(|source| TrainError::Line {
                path: path.clone(),
                line: index as u64 + 1,
                source,
            })
        })
        .collect()
}

/// The metrics of a run in progress.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    file: File,
    /// Bytes up to and including the last step taken.
    at: u64,
    /// Bytes in the file; beyond `at` lie steps that a later checkpoint has recorded already.
    end: u64,
}

impl Metrics {
    /// Makes the file of `run_folder` anew from the last checkpoint that is there.
    ///
    /// - `last`: the last checkpoint, or `None` if there is none.
    /// - `at`: how many bytes of its metrics lie before the step that is continued from.
    pub(crate) fn restore(
        run_folder: &Path,
        last: Option<&Checkpoint>,
        at: u64,
    ) -> Result<Self, TrainError> {
        let path = run_folder.join(METRICS);
        let recorded = match last {
            Some(checkpoint) => read(&checkpoint.verified(METRICS)?)?,
            None => Vec::new(),
        };
        disk::write(&path, &recorded)?;
        let file = File::options()
            .read(true)
            .append(true)
            .open(&path)
            .map_err(FileError::at("open", &path))?;
        Ok(Self { path, file, at, end: recorded.len() as u64 })
    }

    /// Takes note of a step.
    ///
    /// A step that a later checkpoint has recorded already must come out the same again.
    pub(crate) fn record(&mut self, record: &StepRecord) -> Result<(), TrainError> {
        let mut line =
            serde_json::to_vec(record).expect("a record of finite numbers has a JSON form");
        line.push(b'\n');
        if self.at < self.end {
            self.compare(record.step, &line)?;
        } else {
            disk::append(&mut self.file, &self.path, &line)?;
            self.end += line.len() as u64;
        }
        self.at += line.len() as u64;
        Ok(())
    }

    fn compare(&self, step: u64, line: &[u8]) -> Result<(), TrainError> {
        let mut recorded = vec![0; line.len().min((self.end - self.at) as usize)];
        self.file
            .read_exact_at(&mut recorded, self.at)
            .map_err(FileError::at("read", &self.path))?;
        if recorded == line {
            return Ok(());
        }
        Err(TrainError::NotReproduced { step, path: self.path.clone() })
    }

    /// Copies the steps taken so far to `path`.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), FileError> {
        let mut copy = AtomicFile::create(path)?;
        let mut block = vec![0; 1 << 16];
        let mut at = 0;
        while at < self.at {
            let length = block.len().min((self.at - at) as usize);
            self.file
                .read_exact_at(&mut block[..length], at)
                .map_err(FileError::at("read", &self.path))?;
            disk::put(&mut copy, &block[..length])?;
            at += length as u64;
        }
        disk::commit(copy)
    }
}

/// Sums the rows of a batch up by source: tokens, and the mean loss of the rows.
///
/// - `row_losses`: `[B]`, mean nats per target of each row.
pub(crate) fn by_source(
    run: Run<'_>,
    draws: &[Draw],
    row_losses: &[f64],
) -> (BTreeMap<SourceName, u64>, BTreeMap<SourceName, f64>) {
    let mut rows: BTreeMap<&SourceName, (u64, f64)> = BTreeMap::new();
    for (draw, loss) in draws.iter().zip(row_losses) {
        let (count, sum) = rows.entry(run.source_name(draw)).or_default();
        *count += 1;
        *sum += loss;
    }
    let context = run.spec.shape.context as u64;
    rows.into_iter()
        .map(|(name, (count, sum))| {
            ((name.clone(), count * context), (name.clone(), sum / count as f64))
        })
        .unzip()
}

//! A checkpoint: a Hugging Face model folder, and beside it all that is needed to continue bit for
//! bit.
//!
//! A chain of hashes makes it whole: `DONE`, written last, holds the fingerprint of `state.json`,
//! which holds size and fingerprint of every other file. What does not match is refused, never
//! repaired. The step is in `state.json`; the folder's name is for people.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sparkjoy_base::{FileError, Fingerprint, apart, is_done, metadata, open, read, read_to_string};
use sparkjoy_data::Tokenizer;
use sparkjoy_mix::Ledger;
use sparkjoy_nn::{Engine, Optimizer};
use sparkjoy_spec::Shape;

use crate::TrainError;
use crate::disk;
use crate::hugging_face::{self, CONFIG};
use crate::kernels::Kernels;
use crate::metrics::{METRICS, Metrics};
use crate::tensors;

/// Weights, under MPT's names.
pub(crate) const MODEL: &str = "model.safetensors";
/// Moments, under MPT's names prefixed with the moment's.
pub(crate) const OPTIMIZER: &str = "optimizer.safetensors";
/// What the checkpoint is of, and the fingerprint of every other file.
pub(crate) const STATE: &str = "state.json";
const DONE: &str = "DONE";

/// The version of the folder's layout, in `state.json`.
const FORMAT: u32 = 2;

/// A checkpoint folder: a Hugging Face model plus what is needed to continue bit for bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its folder.
    pub folder: PathBuf,
    /// Steps done.
    pub step: u64,
    /// The run it belongs to.
    pub run: Fingerprint,
}

/// Size and content of a file of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its size.
    pub bytes: u64,
    /// Its content.
    pub fingerprint: Fingerprint,
}

/// What `state.json` says about a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointInfo {
    /// Version of the folder's layout.
    pub format: u32,
    /// The run it belongs to.
    pub run: Fingerprint,
    /// Steps done, counted from the trunk's start.
    pub step: u64,
    /// Steps the optimizer has taken (AdamW's bias correction counts them).
    pub optimizer_steps: u64,
    /// What computed the steps, the trunk's included.
    pub kernels: Kernels,
    /// The model.
    pub shape: Shape,
    /// Its parameters, the tied embedding counted once.
    pub parameters: u64,
    /// Sequences drawn of each source so far.
    pub ledger: Ledger,
    /// Every file but this one and `DONE`.
    pub files: BTreeMap<String, FileRecord>,
}

impl Checkpoint {
    /// Opens a checkpoint and reads every file once to see that none was altered.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoCheckpoint`] if nothing is there, [`TrainError::Incomplete`] if a file is
    /// missing, [`TrainError::Altered`] if one is not as it was written,
    /// [`TrainError::Format`] if another version wrote it.
    pub fn open(folder: &Path) -> Result<Self, TrainError> {
        let checkpoint = Self::peek(folder)?;
        for (name, record) in checkpoint.inspect()?.files {
            verify(&folder.join(name), record)?;
        }
        Ok(checkpoint)
    }

    /// All whole checkpoints of a run folder, by step. Looks at sizes, not at content.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::open`], for folders that were whole once; others are passed over.
    pub fn list(run_folder: &Path) -> Result<Vec<Self>, TrainError> {
        if metadata(run_folder)?.is_none() {
            return Ok(Vec::new());
        }
        let mut checkpoints = Vec::new();
        for folder in entries(run_folder)? {
            let is_ours = folder.extension().is_none_or(|extension| extension != "partial");
            let is_folder = metadata(&folder)?.is_some_and(|found| found.is_dir());
            if is_ours && is_folder && is_file(&folder.join(STATE))? && is_done(&folder)? {
                let checkpoint = Self::peek(&folder)?;
                check_name(&checkpoint)?;
                checkpoints.push(checkpoint);
            }
        }
        checkpoints.sort_by(|a, b| (a.step, &a.folder).cmp(&(b.step, &b.folder)));
        Ok(checkpoints)
    }

    /// The whole checkpoint of a run folder at exactly `step`, if it is there.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::list`].
    pub fn at(run_folder: &Path, step: u64) -> Result<Option<Self>, TrainError> {
        Ok(Self::list(run_folder)?.into_iter().find(|checkpoint| checkpoint.step == step))
    }

    /// What the checkpoint says about itself.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::open`], as far as `DONE` and `state.json` go.
    pub fn inspect(&self) -> Result<CheckpointInfo, TrainError> {
        read_state(&self.folder)
    }

    /// The path of a file, once its content is known to be as it was written.
    pub(crate) fn verified(&self, name: &str) -> Result<PathBuf, TrainError> {
        let path = self.folder.join(name);
        verify(&path, self.recorded(name)?).map(|()| path)
    }

    /// What `state.json` says of a file.
    pub(crate) fn recorded(&self, name: &str) -> Result<FileRecord, TrainError> {
        let missing =
            || TrainError::Incomplete { folder: self.folder.clone(), missing: name.to_owned() };
        self.inspect()?.files.get(name).copied().ok_or_else(missing)
    }

    /// Opens a checkpoint without reading the large files.
    pub(crate) fn peek(folder: &Path) -> Result<Self, TrainError> {
        let info = read_state(folder)?;
        for (name, record) in &info.files {
            let path = folder.join(name);
            let Some(found) = metadata(&path)? else {
                return Err(TrainError::Incomplete {
                    folder: folder.into(),
                    missing: name.clone(),
                });
            };
            if found.len() != record.bytes {
                return Err(TrainError::Altered {
                    path,
                    found: size_text(found.len()),
                    expected: size_text(record.bytes),
                });
            }
        }
        Ok(Self { folder: folder.to_owned(), step: info.step, run: info.run })
    }
}

fn is_file(path: &Path) -> Result<bool, FileError> {
    Ok(metadata(path)?.is_some_and(|found| found.is_file()))
}

/// Refuses the checkpoint of one step under the name of another: a folder that was copied.
fn check_name(checkpoint: &Checkpoint) -> Result<(), TrainError> {
    let Checkpoint { folder, step, .. } = checkpoint;
    let name = folder.file_name().and_then(|name| name.to_str());
    let named: Option<u64> = name.and_then(|name| name.strip_prefix("step-")?.parse().ok());
    match named.filter(|named| named != step) {
        None => Ok(()),
        Some(named) => {
            let [found, expected] = [*step, named].map(|step| format!("step {step}"));
            Err(TrainError::Altered { path: folder.join(STATE), found, expected })
        }
    }
}

fn read_state(folder: &Path) -> Result<CheckpointInfo, TrainError> {
    let (has_state, is_done) = (is_file(&folder.join(STATE))?, is_done(folder)?);
    if !has_state && !is_done {
        return Err(TrainError::NoCheckpoint { folder: folder.to_owned() });
    }
    for (name, is_there) in [(STATE, has_state), (DONE, is_done)] {
        if !is_there {
            return Err(TrainError::Incomplete { folder: folder.into(), missing: name.into() });
        }
    }
    let path = folder.join(STATE);
    let json = read(&path)?;
    let (found, expected) =
        (Fingerprint::of_bytes(&json).hex(), read_to_string(&folder.join(DONE))?);
    if found != expected.trim_end() {
        let expected = expected.trim_end().to_owned();
        return Err(TrainError::Altered { path, found, expected });
    }
    let unreadable = |source| TrainError::Json { path: path.clone(), source };
    let version: Version = serde_json::from_slice(&json).map_err(unreadable)?;
    if version.format != FORMAT {
        let found = version.format;
        return Err(TrainError::Format { path, found, expected: FORMAT });
    }
    serde_json::from_slice(&json).map_err(unreadable)
}

/// The only field that every version of `state.json` has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

pub(crate) fn size_text(bytes: u64) -> String {
    format!("{} bytes", sparkjoy_base::thousands(bytes))
}

/// Size and content of a file, all of which is read.
pub(crate) fn record(path: &Path) -> Result<FileRecord, FileError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(open(path)?).map_err(FileError::at("read", path))?;
    let fingerprint = Fingerprint::from_hash(*hasher.finalize().as_bytes());
    Ok(FileRecord { bytes: hasher.count(), fingerprint })
}

fn verify(path: &Path, expected: FileRecord) -> Result<(), TrainError> {
    let found = record(path)?;
    if found == expected {
        return Ok(());
    }
    let [found, expected] = apart(found.fingerprint, expected.fingerprint)
        .map(|fingerprint| format!("content {fingerprint}"));
    Err(TrainError::Altered { path: path.to_owned(), found, expected })
}

/// The paths in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>()
        })
        .map_err(FileError::at("read", folder))?;
    paths.sort();
    Ok(paths)
}

/// Reads the weights of a checkpoint into an engine of its shape.
pub(crate) fn read_weights(checkpoint: &Checkpoint, engine: &mut Engine) -> Result<(), TrainError> {
    let layout = engine.shape().tensors();
    let targets = tensors::targets(&layout, "", engine.weights_mut());
    tensors::read(&checkpoint.folder.join(MODEL), targets)
}

/// What a model in training is after a step, whoever computed it.
#[derive(Clone, Copy)]
pub(crate) struct Numbers<'a> {
    /// Steps done, counted from the trunk's start.
    pub(crate) step: u64,
    pub(crate) shape: &'a Shape,
    /// Flat, in the order of the shape's tensors.
    pub(crate) weights: &'a [f32],
    pub(crate) optimizer: &'a Optimizer,
    /// What computed it so far.
    pub(crate) kernels: &'a Kernels,
}

impl Numbers<'_> {
    /// The first tensor with a weight that is not a finite number, if there is one.
    pub(crate) fn broken_tensor(self) -> Option<String> {
        let index = self.weights.iter().position(|weight| !weight.is_finite())?;
        let tensor = self.shape.tensors().into_iter().rfind(|tensor| tensor.offset <= index);
        Some(tensor.expect("the first tensor starts at 0").name)
    }
}

/// What goes into a checkpoint.
pub(crate) struct Contents<'a> {
    pub(crate) run: Fingerprint,
    pub(crate) numbers: Numbers<'a>,
    pub(crate) ledger: Ledger,
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) metrics: &'a Metrics,
}

/// Saves a checkpoint as `folder`.
///
/// # Guarantees
///
/// Under its own name the folder appears whole or not at all: it is written as `<folder>.partial`
/// and renamed. A failed save takes its half-written folder away again if it can.
pub(crate) fn save(folder: &Path, contents: &Contents<'_>) -> Result<Checkpoint, TrainError> {
    let partial = folder.with_added_extension("partial");
    let saved = write_files(&partial, contents)
        .and_then(|()| seal(&partial, contents))
        .and_then(|()| Ok(disk::rename(&partial, folder)?));
    match saved {
        Ok(()) => {
            let Contents { run, numbers, .. } = *contents;
            Ok(Checkpoint { folder: folder.to_owned(), step: numbers.step, run })
        }
        Err(error) => {
            // Frees the space if the disk is full; what is left is removed by the next start.
            let _ = fs::remove_dir_all(&partial);
            Err(error)
        }
    }
}

fn write_files(folder: &Path, contents: &Contents<'_>) -> Result<(), TrainError> {
    let Contents { numbers, tokenizer, metrics, .. } = contents;
    let Numbers { shape, weights, optimizer, .. } = *numbers;
    let layout = shape.tensors();
    disk::create_folder(folder)?;
    disk::write(&folder.join(CONFIG), &hugging_face::config(shape, tokenizer))?;
    tokenizer.save(folder).map_err(|source| TrainError::Tokenizer { source: Box::new(source) })?;
    tensors::write(&folder.join(MODEL), &tensors::sources(&layout, "", weights))?;
    let moments = optimizer.moments();
    let moments = moments
        .iter()
        .flat_map(|(moment, values)| tensors::sources(&layout, &format!("{moment}."), values));
    tensors::write(&folder.join(OPTIMIZER), &moments.collect::<Vec<_>>())?;
    metrics.copy_to(&folder.join(METRICS))?;
    Ok(())
}

/// Makes the files in `folder` a checkpoint: size and hash of each into `state.json`, and `DONE`
/// last. Whoever computed them, only what is in memory here has been written before.
fn seal(folder: &Path, contents: &Contents<'_>) -> Result<(), TrainError> {
    let Numbers { step, shape, optimizer, kernels, .. } = contents.numbers;
    let mut files = BTreeMap::new();
    for path in entries(folder)? {
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        files.insert(name, record(&path)?);
    }
    let info = CheckpointInfo {
        format: FORMAT,
        run: contents.run,
        step,
        optimizer_steps: optimizer.steps(),
        kernels: kernels.clone(),
        shape: *shape,
        parameters: shape.parameters(),
        ledger: contents.ledger.clone(),
        files,
    };
    let mut json = serde_json::to_vec_pretty(&info).expect("plain data has a JSON form");
    json.push(b'\n');
    disk::write(&folder.join(STATE), &json)?;
    disk::write(
        &folder.join(DONE),
        format!("{}\n", Fingerprint::of_bytes(&json).hex()).as_bytes(),
    )?;
    Ok(())
}

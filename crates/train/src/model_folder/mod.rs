//! A model folder opened, to evaluate or to train on from: a checkpoint of ours, or an MPT model of
//! whoever wrote it.
//!
//! What opens can be evaluated: every field of the config and the header of every file have been
//! held against what our engine computes. Ours are verified by their hashes besides.

mod config;
mod error;
mod weights;

use std::path::{Path, PathBuf};

use serde::Serialize;
use sparkjoy_base::{Fingerprint, is_done, metadata};
use sparkjoy_data::ModelTokenizer;
use sparkjoy_mix::Ledger;
use sparkjoy_nn::LazyModel;
use sparkjoy_spec::Shape;

use crate::checkpoint::{Checkpoint, CheckpointInfo, MODEL, STATE};
use crate::content::Content;
use crate::hugging_face::CONFIG;
use crate::{TrainError, tensors};
pub use error::{Instead, ModelError};
use weights::Weights;

/// What the tokenizer is read from.
const TOKENIZER: [&str; 2] = ["tokenizer.json", "tokenizer_config.json"];

/// A model folder opened for evaluation: a checkpoint of ours or any Hugging Face MPT folder.
#[derive(Debug)]
pub struct ModelFolder {
    folder: PathBuf,
    shape: Shape,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Ours { checkpoint: Checkpoint, info: Box<CheckpointInfo> },
    Foreign(Weights),
}

/// One of the files the weights are in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeightFile {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Tensors in it.
    pub tensors: usize,
    /// What their numbers are stored as: `F32`, `BF16`, `F16`.
    pub types: Vec<String>,
}

impl ModelFolder {
    /// Opens a folder and checks all that can be checked without reading the weights.
    ///
    /// # Errors
    ///
    /// As [`Checkpoint::open`] if the folder has a `state.json` or `DONE`: an altered checkpoint is
    /// not opened as somebody else's model. [`TrainError::Model`] for other folders.
    pub fn open(folder: &Path) -> Result<Self, TrainError> {
        if metadata(&folder.join(STATE))?.is_none() && !is_done(folder)? {
            let shape = config::open(folder)?;
            let origin = Origin::Foreign(Weights::open(folder, &shape)?);
            return Ok(Self { folder: folder.to_owned(), shape, origin });
        }
        let checkpoint = Checkpoint::peek(folder)?;
        for name in [CONFIG, TOKENIZER[0], TOKENIZER[1]] {
            checkpoint.verified(name)?;
        }
        let info = Box::new(checkpoint.inspect()?);
        let (folder, shape) = (folder.to_owned(), info.shape);
        Ok(Self { folder, shape, origin: Origin::Ours { checkpoint, info } })
    }

    /// The shape; its context is the longest the model was made for.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Identity of the weights and of the shape, which is all of the config that is not the same
    /// for every model that opens.
    ///
    /// A checkpoint and a copy of its model files have the same; the same weights in other shards
    /// or another type do not.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] if a weight file of a foreign model cannot be read: all of it is.
    pub fn fingerprint(&self) -> Result<Fingerprint, TrainError> {
        #[derive(Serialize)]
        struct Identity<'a> {
            kind: &'static str,
            shape: &'a Shape,
            weights: Vec<Fingerprint>,
        }
        let weights = match &self.origin {
            Origin::Ours { info, .. } => vec![info.files[MODEL].fingerprint],
            Origin::Foreign(weights) => weights.contents()?,
        };
        Ok(Fingerprint::of_value(&Identity { kind: "model v1", shape: &self.shape, weights }))
    }

    /// The tokenizer in the folder.
    ///
    /// # Errors
    ///
    /// [`ModelError::Tokenizer`] if there is none that can be read, [`ModelError::Vocabulary`] if
    /// it has ids the model has no row for. A model may have rows without an id: they are padding.
    pub fn tokenizer(&self) -> Result<ModelTokenizer, TrainError> {
        let folder = self.folder.clone();
        let tokenizer = match ModelTokenizer::open(&folder) {
            Ok(tokenizer) => tokenizer,
            Err(source) => {
                return Err(ModelError::Tokenizer { folder, source: Box::new(source) }.into());
            }
        };
        let (ids, rows) = (tokenizer.vocab(), self.shape.vocab);
        if ids as usize > rows {
            return Err(ModelError::Vocabulary { folder, ids, rows }.into());
        }
        Ok(tokenizer)
    }

    /// Steps done, where it is a checkpoint of ours.
    pub fn step(&self) -> Option<u64> {
        self.ours().map(|info| info.step)
    }

    /// The run it belongs to, where it is a checkpoint of ours.
    pub fn run(&self) -> Option<Fingerprint> {
        self.ours().map(|info| info.run)
    }

    fn ours(&self) -> Option<&CheckpointInfo> {
        match &self.origin {
            Origin::Ours { info, .. } => Some(info),
            Origin::Foreign(_) => None,
        }
    }

    /// What it has read of each source, in sequences, where it is a checkpoint of ours.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ours().map(|info| &info.ledger)
    }

    /// Steps its optimizer has taken, where it is a checkpoint of ours.
    pub fn optimizer_steps(&self) -> Option<u64> {
        self.ours().map(|info| info.optimizer_steps)
    }

    /// Identity of its numbers: of every weight as fp32, in the order of [`Shape::tensors`], and of
    /// the shape but for its context.
    ///
    /// Unlike [`ModelFolder::fingerprint`], the same weights in other shards, or in another type
    /// that holds them exactly, have the same.
    ///
    /// # Errors
    ///
    /// As [`ModelFolder::read_weights`]; all of them are read, a tensor at a time.
    pub fn content(&self) -> Result<Fingerprint, TrainError> {
        let mut content = Content::of_weights(&self.shape);
        match &self.origin {
            Origin::Ours { checkpoint, .. } => {
                let path = checkpoint.verified(MODEL)?;
                tensors::each(&path, &self.shape.tensors(), &[""], &mut |_, values| {
                    content.add(values);
                    Ok(())
                })?;
            }
            Origin::Foreign(weights) => weights.each(&mut |values| content.add(values))?,
        }
        Ok(content.fingerprint())
    }

    /// The files the weights are in, by name.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] or [`ModelError::Header`] if one cannot be read.
    pub fn weight_files(&self) -> Result<Vec<WeightFile>, TrainError> {
        match &self.origin {
            Origin::Ours { .. } => {
                let tensors = weights::open(&self.folder.join(MODEL))?.tensors();
                Ok(vec![WeightFile::new(&self.folder, MODEL, &tensors)?])
            }
            Origin::Foreign(weights) => Ok(weights.files()?),
        }
    }

    /// The model as a language model of ours, which reads the weights when they are first needed.
    ///
    /// - `batch`: sequences whose losses are computed at a time, at most.
    pub fn language_model(&self, batch: usize, threads: usize) -> LazyModel<'_> {
        LazyModel::new(self.shape, batch, threads, |weights| self.read_weights(weights))
    }

    /// Reads the weights, whatever they are stored as, into a flat buffer laid out as
    /// [`Shape::tensors`].
    ///
    /// - `weights`: [`Shape::parameters`] of them; nothing else of that size is allocated.
    ///
    /// # Errors
    ///
    /// [`TrainError::Altered`] if they are ours and not as they were written;
    /// [`ModelError::NotFinite`], and [`ModelError::Tensor`] for a head that is not the embedding,
    /// if they are not; [`TrainError::File`] if they cannot be read.
    ///
    /// # Panics
    ///
    /// If the buffer is of another length.
    pub fn read_weights(&self, weights: &mut [f32]) -> Result<(), TrainError> {
        assert_eq!(weights.len() as u64, self.shape.parameters(), "space for every parameter");
        match &self.origin {
            Origin::Ours { checkpoint, .. } => {
                let path = checkpoint.verified(MODEL)?;
                tensors::read(&path, tensors::targets(&self.shape.tensors(), "", weights))
            }
            Origin::Foreign(foreign) => foreign.read(weights),
        }
    }
}

//! Which model a run trains: its family, and the shape within it.

use serde::{Deserialize, Serialize};

use crate::{Shape, ShapeError};

/// A model, by its family.
///
/// The JSON of an MPT is that of its [`Shape`], without a tag, because runs had no other family
/// when their identities were fixed. Another family is an object with its name as the only
/// key, so that neither can be read as the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Shape", into = "Shape")]
pub enum Model {
    /// A decoder with ALiBi, without biases, with tied embeddings.
    Mpt(Shape),
}

impl Model {
    /// Refuses what cannot be built.
    ///
    /// # Errors
    ///
    /// [`ShapeError`], the first that applies.
    pub fn check(&self) -> Result<(), ShapeError> {
        let Self::Mpt(shape) = self;
        shape.check()
    }

    /// Tokens per sequence.
    pub fn context(&self) -> usize {
        let Self::Mpt(shape) = self;
        shape.context
    }

    /// Rows of the embedding; token ids are below it.
    pub fn vocab(&self) -> usize {
        let Self::Mpt(shape) = self;
        shape.vocab
    }

    /// Parameters, a tied embedding counted once.
    pub fn parameters(&self) -> u64 {
        let Self::Mpt(shape) = self;
        shape.parameters()
    }

    /// FLOPs of one training step on `sequences` sequences, as [`Shape::flops`] counts them.
    pub fn flops(&self, sequences: u64) -> u128 {
        let Self::Mpt(shape) = self;
        shape.flops(sequences)
    }

    /// Its shape, which is all that our engine computes.
    pub fn shape(&self) -> &Shape {
        let Self::Mpt(shape) = self;
        shape
    }
}

impl From<Shape> for Model {
    fn from(shape: Shape) -> Self {
        Self::Mpt(shape)
    }
}

impl From<Model> for Shape {
    fn from(Model::Mpt(shape): Model) -> Self {
        shape
    }
}

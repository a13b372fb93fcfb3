//! The shape of an MPT decoder, and what follows from it by arithmetic: tensors, parameters, FLOPs.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sparkjoy_base::Hint;

/// A shape that cannot be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// Something that must be at least 1 (2 for the context) is not.
    #[error("{what} is {found}, expected at least {least}")]
    TooSmall {
        /// `layers`, `width`, `heads`, `context`, `vocab`, `batch` or `threads`.
        what: &'static str,
        /// As given.
        found: usize,
        /// The least that works.
        least: usize,
    },
    /// Heads do not divide the width.
    #[error("width {width} is not a multiple of {heads} heads")]
    Heads {
        /// Width.
        width: usize,
        /// Heads.
        heads: usize,
    },
    /// The clamp would leave nothing.
    #[error("clip_qkv is {found}, expected a finite number above 0")]
    Clip {
        /// As given.
        found: f32,
    },
    /// The system does not give the threads.
    #[error("cannot start {threads} threads")]
    Threads {
        /// As asked.
        threads: usize,
    },
}

impl Hint for ShapeError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::TooSmall { what: "threads", .. } => {
                "give `--threads` the number of cores to use".to_owned()
            }
            Self::TooSmall { what, least, .. } => format!("set `{what}` to {least} or more"),
            Self::Heads { width, heads } => {
                let divides = |h: &usize| width % h == 0;
                let below = (1..=*heads).rev().find(divides).unwrap_or(1);
                format!("set `heads = {below}`, or `width = {}`", width.next_multiple_of(*heads))
            }
            Self::Clip { .. } => "remove `clip_qkv`, or set it to 6.0 as MPT-30B does".to_owned(),
            Self::Threads { .. } => "run with fewer `--threads`".to_owned(),
        })
    }
}

/// The shape of an MPT decoder.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Blocks.
    pub layers: usize,
    /// Width of the residual stream, D.
    pub width: usize,
    /// Attention heads, H; divides the width.
    pub heads: usize,
    /// Tokens per sequence, T.
    pub context: usize,
    /// Rows of the embedding, V (padded; ids are below it).
    pub vocab: usize,
    /// Clamp of the fused query-key-value projection.
    pub clip_qkv: Option<f32>,
}

/// One parameter tensor in the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// MPT's name, `transformer.blocks.0.attn.Wqkv.weight`.
    pub name: String,
    /// Rows first.
    pub shape: Vec<usize>,
    /// Where it starts in the flat buffer, in elements.
    pub offset: usize,
}

impl Tensor {
    /// Where it lies in the flat buffer.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.shape.iter().product::<usize>()
    }
}

impl Shape {
    /// Refuses what cannot be built.
    ///
    /// # Errors
    ///
    /// [`ShapeError`], the first that applies.
    pub fn check(&self) -> Result<(), ShapeError> {
        let least = [
            ("layers", self.layers, 1),
            ("width", self.width, 1),
            ("heads", self.heads, 1),
            ("context", self.context, 2),
            ("vocab", self.vocab, 1),
        ];
        for (what, found, least) in least {
            if found < least {
                return Err(ShapeError::TooSmall { what, found, least });
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            return Err(ShapeError::Heads { width: self.width, heads: self.heads });
        }
        match self.clip_qkv {
            Some(found) if !(found.is_finite() && found > 0.0) => Err(ShapeError::Clip { found }),
            _ => Ok(()),
        }
    }

    /// All parameter tensors in the order of the flat buffer, without gaps.
    pub fn tensors(&self) -> Vec<Tensor> {
        let d = self.width;
        let mut tensors = Vec::with_capacity(2 + 6 * self.layers);
        let mut offset = 0;
        let mut push = |name: String, shape: &[usize]| {
            tensors.push(Tensor { name, shape: shape.to_vec(), offset });
            offset += shape.iter().product::<usize>();
        };
        push("transformer.wte.weight".to_owned(), &[self.vocab, d]);
        for i in 0..self.layers {
            let mut push = |name: &str, shape: &[usize]| {
                push(format!("transformer.blocks.{i}.{name}.weight"), shape);
            };
            push("norm_1", &[d]);
            push("attn.Wqkv", &[3 * d, d]);
            push("attn.out_proj", &[d, d]);
            push("norm_2", &[d]);
            push("ffn.up_proj", &[4 * d, d]);
            push("ffn.down_proj", &[d, 4 * d]);
        }
        push("transformer.norm_f.weight".to_owned(), &[d]);
        tensors
    }

    /// Parameters, embedding counted once.
    pub fn parameters(&self) -> u64 {
        let (l, d, v) = (self.layers as u64, self.width as u64, self.vocab as u64);
        v * d + l * (12 * d * d + 2 * d) + d
    }

    /// FLOPs of one training step on `sequences` sequences.
    ///
    /// `3·sequences·(2·N·T + L·2·2·D·T²)`: N counts the embedding, attention is not halved for
    /// being causal, so that shares of a peak compare with published ones.
    ///
    /// # Source
    ///
    /// `MPTModel.flops_per_batch` of llm-foundry.
    pub fn flops(&self, sequences: u64) -> u128 {
        let (l, d, t) = (self.layers as u128, self.width as u128, self.context as u128);
        let products = 2 * u128::from(self.parameters()) * t;
        3 * u128::from(sequences) * (products + l * 4 * d * t * t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape { layers: 3, width: 12, heads: 3, context: 8, vocab: 50, clip_qkv: None }
    }

    #[test]
    fn tensors_fill_the_flat_buffer_without_gaps() {
        let shape = shape();
        let mut end = 0;
        for tensor in shape.tensors() {
            assert_eq!(tensor.offset, end, "{}", tensor.name);
            end = tensor.range().end;
        }
        assert_eq!(end as u64, shape.parameters());
    }

    #[test]
    fn the_papers_model_has_its_parameters_and_flops() {
        // MPT-7B: 32 blocks of 4,096 with 50,432 rows: 6.65 billion.
        let shape = Shape {
            layers: 32,
            width: 4096,
            heads: 32,
            context: 2048,
            vocab: 50_432,
            clip_qkv: None,
        };
        assert_eq!(shape.parameters(), 6_649_286_656);
        let by_hand = 3 * 2 * (2 * 6_649_286_656 * 2048 + 32 * 2 * 2 * 4096 * 2048 * 2048);
        assert_eq!(shape.flops(2), by_hand);
    }

    #[test]
    fn what_cannot_be_built_is_refused_with_a_way_out() {
        let told = |shape: Shape| {
            let error = shape.check().unwrap_err();
            format!("{error}\n{}", error.hint().unwrap())
        };
        insta::assert_snapshot!(told(Shape { heads: 5, ..shape() }), @r"
        width 12 is not a multiple of 5 heads
        set `heads = 4`, or `width = 15`
        ");
        insta::assert_snapshot!(told(Shape { context: 1, ..shape() }), @r"
        context is 1, expected at least 2
        set `context` to 2 or more
        ");
        insta::assert_snapshot!(told(Shape { clip_qkv: Some(-1.0), ..shape() }), @r"
        clip_qkv is -1, expected a finite number above 0
        remove `clip_qkv`, or set it to 6.0 as MPT-30B does
        ");
        for zero in [
            Shape { layers: 0, ..shape() },
            Shape { width: 0, ..shape() },
            Shape { heads: 0, ..shape() },
            Shape { vocab: 0, ..shape() },
            Shape { clip_qkv: Some(f32::NAN), ..shape() },
        ] {
            assert!(zero.check().is_err(), "{zero:?}");
        }
        let error = ShapeError::Threads { threads: 1_000_000 };
        insta::assert_snapshot!(format!("{error}\n{}", error.hint().unwrap()), @r"
        cannot start 1000000 threads
        run with fewer `--threads`
        ");
    }
}

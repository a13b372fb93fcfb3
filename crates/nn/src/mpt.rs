//! Where the tensors of an MPT lie in the flat buffer, and how much of a batch is computed at once.

use std::ops::Range;

use sparkjoy_spec::Shape;

/// Tokens computed at once, about: weights are packed once for all of them, and the arrays of one
/// operation stay in a few tens of MiB.
const MICROBATCH: usize = 4096;

/// Where the tensors of one block lie in the flat buffer.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) norm_1: Range<usize>,
    pub(crate) wqkv: Range<usize>,
    pub(crate) out_proj: Range<usize>,
    pub(crate) norm_2: Range<usize>,
    pub(crate) up_proj: Range<usize>,
    pub(crate) down_proj: Range<usize>,
}

/// What the engine reads off a shape.
pub(crate) trait Mpt {
    /// Where the embedding lies in the flat buffer.
    fn embedding(&self) -> Range<usize>;

    /// Where block `i` lies in the flat buffer.
    fn block(&self, i: usize) -> Block;

    /// Where the last norm lies in the flat buffer.
    fn norm_f(&self) -> Range<usize>;

    /// Sequences computed at once: a function of the shape alone, never of the machine.
    fn microbatch(&self, batch: usize) -> usize;
}

impl Mpt for Shape {
    fn embedding(&self) -> Range<usize> {
        0..self.vocab * self.width
    }

    fn block(&self, i: usize) -> Block {
        let d = self.width;
        let mut end = self.vocab * d + i * (12 * d * d + 2 * d);
        let mut next = |len: usize| {
            end += len;
            end - len..end
        };
        Block {
            norm_1: next(d),
            wqkv: next(3 * d * d),
            out_proj: next(d * d),
            norm_2: next(d),
            up_proj: next(4 * d * d),
            down_proj: next(4 * d * d),
        }
    }

    fn norm_f(&self) -> Range<usize> {
        let start = self.block(self.layers).norm_1.start;
        start..start + self.width
    }

    fn microbatch(&self, batch: usize) -> usize {
        (MICROBATCH / self.context).clamp(1, batch.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape { layers: 3, width: 12, heads: 3, context: 8, vocab: 50, clip_qkv: None }
    }

    #[test]
    fn blocks_lie_where_their_tensors_do() {
        let shape = shape();
        let tensors = shape.tensors();
        let range = |name: &str| tensors.iter().find(|t| t.name == name).unwrap().range();
        assert_eq!(shape.embedding(), range("transformer.wte.weight"));
        assert_eq!(shape.norm_f(), range("transformer.norm_f.weight"));
        for i in 0..shape.layers {
            let range = |name: &str| range(&format!("transformer.blocks.{i}.{name}.weight"));
            let block = shape.block(i);
            assert_eq!(block.norm_1, range("norm_1"));
            assert_eq!(block.wqkv, range("attn.Wqkv"));
            assert_eq!(block.out_proj, range("attn.out_proj"));
            assert_eq!(block.norm_2, range("norm_2"));
            assert_eq!(block.up_proj, range("ffn.up_proj"));
            assert_eq!(block.down_proj, range("ffn.down_proj"));
        }
    }

    #[test]
    fn microbatches_depend_on_the_shape_and_never_exceed_the_batch() {
        let with = |context| Shape { context, ..shape() };
        assert_eq!(with(256).microbatch(64), 16);
        assert_eq!(with(256).microbatch(5), 5);
        assert_eq!(with(10_000).microbatch(64), 1);
    }
}

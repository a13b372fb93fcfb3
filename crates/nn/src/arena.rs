//! Every array of a forward and backward pass, cut from one buffer that is allocated once.
//!
//! The sizes depend on the shape, the microbatch and how it is computed, so that memory is known
//! before a run.

use crate::Shape;
use crate::aligned::{Rest, lines_of};
use crate::element::Element;
use crate::kernel::InstructionSet;
use crate::{gemm, head, norm};

/// What the sizes of arrays are made of.
#[derive(Clone, Copy)]
struct Sizes {
    /// Blocks.
    l: usize,
    /// Blocks whose arrays are kept for the backward pass.
    kept: usize,
    /// Tokens at once.
    n: usize,
    d: usize,
    h: usize,
    v: usize,
    /// Rows of logits at once.
    rows: usize,
    isa: InstructionSet,
}

/// Declares the arrays once: what they are, of which type, and how many values.
macro_rules! arrays {
    ($s:ident: $( $(#[$doc:meta])* $name:ident: [$ty:ident; $len:expr], )*) => {
        /// Values of each array for a microbatch of N tokens.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct Layout {
            $( $name: usize, )*
        }

        /// The arrays themselves. `E` is what factors of products are stored as.
        pub(crate) struct Views<'a, E> {
            $( $(#[$doc])* pub(crate) $name: &'a mut [$ty], )*
        }

        impl Layout {
            fn of<E: Element>($s: Sizes) -> Self {
                Self { $( $name: $len, )* }
            }

            /// Values of f32 that all arrays take together.
            pub(crate) fn total<E: Element>(&self) -> usize {
                0 $( + lines_of::<$ty>(self.$name) )*
            }

            /// Cuts the arrays from a buffer of [`Layout::total`] values.
            pub(crate) fn cut<'a, E: Element>(&self, buffer: &'a mut [f32]) -> Views<'a, E> {
                let mut rest = Rest(buffer);
                Views { $( $name: rest.take(self.$name), )* }
            }
        }
    };
}

arrays! { s:
    /// `[L + 1, N × D]`: the stream before each block and after the last.
    residual: [f32; (s.l + 1) * s.n * s.d],
    /// `[kept, N × D]`: the stream between attention and feed-forward.
    middle: [f32; s.kept * s.n * s.d],
    /// `[kept, N × D]`: after the first norm.
    normal_1: [E; s.kept * s.n * s.d],
    /// `[kept, N × D]`: after the second norm.
    normal_2: [E; s.kept * s.n * s.d],
    /// `[N × D]`: after the last norm.
    normal_f: [E; s.n * s.d],
    /// `[kept, N × 2]`: mean and inverse deviation of the first norm.
    stats_1: [f32; s.kept * s.n * 2],
    /// `[kept, N × 2]`: of the second norm.
    stats_2: [f32; s.kept * s.n * 2],
    /// `[N × 2]`: of the last norm.
    stats_f: [f32; s.n * 2],
    /// `[kept, N × 3D]`: queries, keys, values, clamped.
    qkv: [E; s.kept * s.n * 3 * s.d],
    /// `[kept, N × D]`: attention's result before its projection.
    attended: [E; s.kept * s.n * s.d],
    /// `[kept, B × H × T]`: logarithms of attention's sums.
    log_sums: [f32; s.kept * s.n * s.h],
    /// `[kept, N × 4D]`: after GELU.
    hidden: [E; s.kept * s.n * 4 * s.d],
    /// `[kept, N × 4D]`: GELU's derivative.
    slope: [E; s.kept * s.n * 4 * s.d],
    /// `[N × D]`: the gradient of the stream.
    stream: [f32; s.n * s.d],
    /// `[N × D]`: the same, as a factor.
    stream_factor: [E; s.n * s.d],
    /// `[N × D]`: the gradient of a norm's result.
    narrow: [f32; s.n * s.d],
    /// `[N × D]`: the gradient of `attended`.
    dattended: [E; s.n * s.d],
    /// `[N × 4D]`: the gradient of the up-projection's result, or of `qkv`.
    wide: [E; s.n * 4 * s.d],
    /// Partial sums of a norm's weight.
    partial: [f32; norm::partial_len(s.n, s.d)],
    /// The right factor of a weight's gradient, packed: inputs of a block of tokens.
    pack_right: [E; gemm::right_buffer_len(s.n, 4 * s.d)],
    /// The left factor, packed: gradients of the outputs.
    pack_left: [u32; pack_left_len::<E>(s)],
    /// `[rows × V]`: the logits of a chunk.
    logits: [f32; s.rows * s.v],
    /// `[rows × V]`: their gradient.
    dlogits: [E; s.rows * s.v],
    /// `[N]`: loss of each row.
    nats: [f32; s.n],
}

/// Length of `pack_left`: the larger one of the blocks' matrices and the head.
fn pack_left_len<E: Element>(s: Sizes) -> usize {
    let block = gemm::left_buffer_len::<E>(s.isa, s.n, 4 * s.d);
    block.max(gemm::left_buffer_len::<E>(s.isa, s.rows, s.v))
}

impl Layout {
    /// Sizes for `sequences` at once; with `recompute` one block's arrays are kept instead of all.
    pub(crate) fn new<E: Element>(
        isa: InstructionSet,
        shape: &Shape,
        sequences: usize,
        recompute: bool,
    ) -> Self {
        let &Shape { layers: l, width: d, heads: h, context, vocab: v, .. } = shape;
        let n = sequences * context;
        let kept = if recompute { 1 } else { l };
        Self::of::<E>(Sizes { l, kept, n, d, h, v, rows: head::rows(n, v), isa })
    }
}

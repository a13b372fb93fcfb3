//! Every array of a forward and backward pass, cut from one buffer that is allocated once.
//!
//! The sizes depend on the shape and the microbatch alone, so that memory is known before a run.

use crate::attention::{self, Heads};
use crate::shape::Shape;
use crate::{gemm, head, norm};

/// Values of each array for a microbatch of N tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    residual: usize,
    normal: usize,
    stats: usize,
    qkv: usize,
    attended: usize,
    log_sums: usize,
    up: usize,
    hidden: usize,
    stream: usize,
    narrow: usize,
    wide: usize,
    partial: usize,
    pack: usize,
    heads: usize,
    logits: usize,
    across: usize,
    back: usize,
    nats: usize,
}

/// The arrays themselves; L blocks where the first letter is L.
pub(crate) struct Views<'a> {
    /// `[2L + 1, N × D]`: the stream before each norm.
    pub(crate) residual: &'a mut [f32],
    /// `[2L + 1, N × D]`: after each norm.
    pub(crate) normal: &'a mut [f32],
    /// `[2L + 1, N × 2]`: mean and inverse deviation of each norm.
    pub(crate) stats: &'a mut [f32],
    /// `[L, N × 3D]`: queries, keys, values, clamped.
    pub(crate) qkv: &'a mut [f32],
    /// `[L, N × D]`: attention's result before its projection.
    pub(crate) attended: &'a mut [f32],
    /// `[L, B × H × T]`: logarithms of attention's sums.
    pub(crate) log_sums: &'a mut [f32],
    /// `[L, N × 4D]`: before GELU.
    pub(crate) up: &'a mut [f32],
    /// `[N × 4D]`: after GELU, of one block at a time.
    pub(crate) hidden: &'a mut [f32],
    /// `[N × D]`: the gradient of the stream.
    pub(crate) stream: &'a mut [f32],
    /// `[N × D]`: the gradient of an operation's input.
    pub(crate) narrow: &'a mut [f32],
    /// `[N × 4D]`: the gradient of `up` or `qkv`.
    pub(crate) wide: &'a mut [f32],
    /// Partial sums of a norm's weight.
    pub(crate) partial: &'a mut [f32],
    /// A packed right factor.
    pub(crate) pack: &'a mut [f32],
    /// Attention's scratch.
    pub(crate) heads: &'a mut [f32],
    /// `[rows × V]`: the logits of a chunk.
    pub(crate) logits: &'a mut [f32],
    /// The embedding packed to compute logits.
    pub(crate) across: &'a mut [f32],
    /// The embedding packed to take gradients back.
    pub(crate) back: &'a mut [f32],
    /// `[N]`: loss of each row.
    pub(crate) nats: &'a mut [f32],
}

impl Layout {
    /// Sizes for `sequences` at once.
    pub(crate) fn new(shape: &Shape, sequences: usize) -> Self {
        let &Shape { layers, width: d, heads: h, context: t, vocab: v, .. } = shape;
        let n = sequences * t;
        let rows = head::rows(n, v);
        let weights = [gemm::room(4 * d, d), gemm::room(d, 4 * d), gemm::room(d, 3 * d)];
        let slabs = [gemm::slab_room(n, 4 * d), gemm::slab_room(rows, d)];
        Self {
            residual: (2 * layers + 1) * n * d,
            normal: (2 * layers + 1) * n * d,
            stats: (2 * layers + 1) * n * 2,
            qkv: layers * n * 3 * d,
            attended: layers * n * d,
            log_sums: layers * n * h,
            up: layers * n * 4 * d,
            hidden: n * 4 * d,
            stream: n * d,
            narrow: n * d,
            wide: n * 4 * d,
            partial: norm::room(n, d),
            pack: weights.into_iter().chain(slabs).max().expect("a list that is not empty"),
            heads: attention::room(Heads { t, h, k: d / h }, sequences),
            logits: rows * v,
            across: gemm::room(d, v),
            back: gemm::room(v, d),
            nats: n,
        }
    }

    /// Values of all arrays together.
    pub(crate) fn total(&self) -> usize {
        let Self {
            residual,
            normal,
            stats,
            qkv,
            attended,
            log_sums,
            up,
            hidden,
            stream,
            narrow,
            wide,
            partial,
            pack,
            heads,
            logits,
            across,
            back,
            nats,
        } = self;
        residual
            + normal
            + stats
            + qkv
            + attended
            + log_sums
            + up
            + hidden
            + stream
            + narrow
            + wide
            + partial
            + pack
            + heads
            + logits
            + across
            + back
            + nats
    }

    /// Cuts the arrays of this layout from a buffer at least as long as [`Layout::total`].
    pub(crate) fn cut<'a>(&self, mut buffer: &'a mut [f32]) -> Views<'a> {
        let mut next = |len: usize| {
            buffer.split_off_mut(..len).expect("the buffer was allocated for this layout")
        };
        Views {
            residual: next(self.residual),
            normal: next(self.normal),
            stats: next(self.stats),
            qkv: next(self.qkv),
            attended: next(self.attended),
            log_sums: next(self.log_sums),
            up: next(self.up),
            hidden: next(self.hidden),
            stream: next(self.stream),
            narrow: next(self.narrow),
            wide: next(self.wide),
            partial: next(self.partial),
            pack: next(self.pack),
            heads: next(self.heads),
            logits: next(self.logits),
            across: next(self.across),
            back: next(self.back),
            nats: next(self.nats),
        }
    }
}

//! Causal attention with ALiBi, in tiles: the T × T matrix never exists.
//!
//! Forward keeps one number per row, the logarithm of its sum; backward computes the tiles again
//! from it. Every pair of sequence and head is one task, so that nothing depends on which thread
//! runs it.

mod back;
mod tile;

use rayon::prelude::*;

use crate::aligned::{Rest, lines_of};
use crate::element::Element;
use crate::gemm;
use crate::kernel::{
    GatherBuffer, InstructionSet, Left, PackedRight, Right, Size, Store, packed_len,
};
use crate::parallel::{Scratch, Shared};

pub(crate) use back::{Saved, backward};
pub(crate) use tile::{Bias, KEYS, QUERIES, normalise, soften};

/// Largest exponent of the slopes, MPT's `alibi_bias_max`.
const BIAS_MAX: f64 = 8.0;

/// The slope of each head's linear bias.
///
/// `2^(−8·m / n)` for m = 1..=n where n is the number of heads rounded up to a power of two; where
/// that is more than `heads`, the odd entries (second, fourth…) come first, then the even ones,
/// and the first `heads` are taken.
///
/// # Source
///
/// Press et al. 2022, arXiv:2108.12409; the rule for other numbers of heads is MPT's.
pub fn alibi_slopes(heads: usize) -> Vec<f32> {
    let n = heads.next_power_of_two();
    let slope = |m: usize| (-BIAS_MAX * m as f64 / n as f64).exp2() as f32;
    if n == heads {
        (1..=n).map(slope).collect()
    } else {
        (2..=n).step_by(2).chain((1..=n).step_by(2)).map(slope).take(heads).collect()
    }
}

/// Sizes of one call: sequences of `t` positions, `h` heads of width `k`.
#[derive(Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) t: usize,
    pub(crate) h: usize,
    pub(crate) k: usize,
}

impl Heads {
    pub(crate) fn width(self) -> usize {
        self.h * self.k
    }
}

/// Scratch a thread needs for either direction.
pub(crate) fn scratch_len<E: Element>(Heads { t, k, .. }: Heads) -> usize {
    let packed = 2 * lines_of::<E>(gemm::packed_len_max(k, t))
        + 3 * lines_of::<E>(gemm::packed_len_max(t, k));
    let tiles = 2 * lines_of::<f32>(QUERIES * KEYS) + 3 * lines_of::<E>(QUERIES * KEYS);
    GatherBuffer::LEN + packed + tiles + lines_of::<f32>(QUERIES * k) + 2 * lines_of::<f32>(t * k)
}

/// One head of one sequence: where its rows lie in arrays of all heads.
struct Head {
    heads: Heads,
    slope: f32,
    scale: f32,
    /// First value of this head in `[N × D]`.
    start: usize,
    /// First value of this head's queries in `[N × 3D]`; keys lie D further, values 2D.
    start_qkv: usize,
}

impl Head {
    /// The `task`-th head, counted through all sequences.
    fn new(heads: Heads, slopes: &[f32], task: usize) -> Self {
        let (sequence, h) = (task / heads.h, task % heads.h);
        let (row, d) = (sequence * heads.t, heads.width());
        Self {
            heads,
            slope: slopes[h],
            scale: 1.0 / (heads.k as f32).sqrt(),
            start: row * d + h * heads.k,
            start_qkv: row * 3 * d + h * heads.k,
        }
    }

    /// Queries, keys and values of this head.
    fn qkv<'a, E>(&self, qkv: &'a [E]) -> [Rows<'a, E>; 3] {
        let d = self.heads.width();
        [0, 1, 2].map(|part| Rows { data: &qkv[self.start_qkv + part * d..], row: 3 * d })
    }

    /// How scores are made in the tile whose first query and key are these.
    fn bias(&self, query: usize, key: usize) -> Bias {
        Bias { scale: self.scale, slope: self.slope, ahead: query as i32 - key as i32, keys: KEYS }
    }
}

/// A `[T × K]` matrix that lies in rows of a wider one.
#[derive(Clone, Copy)]
struct Rows<'a, E> {
    data: &'a [E],
    row: usize,
}

impl<'a, E: Element> Rows<'a, E> {
    fn from(self, first: usize) -> Left<'a, E> {
        Left::Along { data: &self.data[first * self.row..], row: self.row }
    }

    /// Packed with T as columns: the right factor of `x·thisᵀ`.
    fn across<'b>(
        self,
        isa: InstructionSet,
        heads: Heads,
        rest: &mut Rest<'b>,
    ) -> PackedRight<'b, E> {
        let right = Right::Across { data: self.data, column: self.row };
        let buffer = rest.take(packed_len::<E>(isa, heads.k, heads.t));
        gemm::pack_alone(isa, right, (heads.k, heads.t), buffer)
    }

    /// Packed with T as rows: the right factor of `x·this`.
    fn along<'b>(
        self,
        isa: InstructionSet,
        heads: Heads,
        rest: &mut Rest<'b>,
    ) -> PackedRight<'b, E> {
        let right = Right::Along { data: self.data, row: self.row };
        let buffer = rest.take(packed_len::<E>(isa, heads.t, heads.k));
        gemm::pack_alone(isa, right, (heads.t, heads.k), buffer)
    }
}

/// `out = softmax(q·kᵀ/√K − slope·distance)·v`, head by head.
///
/// - `qkv`: `[N × 3D]`; `out`: `[N × D]`; `slopes`: `[H]`.
/// - `log_sums`: `[B × H × T]`, out: logarithm of each row's sum, for the backward pass.
pub(crate) fn forward<E: Element>(
    isa: InstructionSet,
    heads: Heads,
    (qkv, slopes): (&[E], &[f32]),
    (out, log_sums): (&mut [E], &mut [f32]),
    scratch: &Scratch,
) {
    let out = Shared::new(out);
    log_sums.par_chunks_exact_mut(heads.t).enumerate().for_each(|(task, log_sums)| {
        let head = Head::new(heads, slopes, task);
        scratch.with(|scratch| head_forward(isa, &head, qkv, (&out, log_sums), scratch));
    });
}

/// One head: online softmax over the tiles of keys.
#[expect(unsafe_code, reason = "writes its own columns of a result shared by all heads")]
fn head_forward<E: Element>(
    isa: InstructionSet,
    head: &Head,
    qkv: &[E],
    (out, log_sums): (&Shared<'_, E>, &mut [f32]),
    scratch: &mut [f32],
) {
    let Heads { t, k, .. } = head.heads;
    let mut rest = Rest(scratch);
    let gather = &mut GatherBuffer::take(&mut rest);
    let [q, keys, values] = head.qkv(qkv);
    let keys = keys.across(isa, head.heads, &mut rest);
    let values = values.along(isa, head.heads, &mut rest);
    let scores: &mut [f32] = rest.take(QUERIES * KEYS);
    let weights: &mut [E] = rest.take(QUERIES * KEYS);
    let sums_of_values: &mut [f32] = rest.take(QUERIES * k);
    for i0 in (0..t).step_by(QUERIES) {
        let queries = QUERIES.min(t - i0);
        let mixed = &mut sums_of_values[..queries * k];
        let (mut largest, mut sums) = ([f32::NEG_INFINITY; QUERIES], [0.0; QUERIES]);
        for j0 in (0..i0 + queries).step_by(KEYS) {
            let n = KEYS.min(t - j0);
            let size = Size { m: queries, n, k };
            let tile_keys = PackedRight { column: j0, ..keys };
            isa.multiply(size, q.from(i0), tile_keys, (scores, KEYS), Store::Replace, gather);
            let state = (&mut largest[..queries], &mut sums[..], &mut *mixed);
            soften(isa, head.bias(i0, j0), scores, weights, state);
            let size = Size { m: queries, n: k, k: n };
            let left = Left::Along { data: &*weights, row: KEYS };
            let store = if j0 == 0 { Store::Replace } else { Store::Add };
            isa.multiply(
                size,
                left,
                PackedRight { first: j0, ..values },
                (mixed, k),
                store,
                gather,
            );
        }
        for (i, mixed) in mixed.chunks_exact(k).enumerate() {
            let start = head.start + (i0 + i) * head.heads.width();
            // SAFETY: these columns of these rows belong to this head of this sequence alone.
            let out = unsafe { out.part(start, k) };
            normalise(isa, mixed, 1.0 / sums[i], out);
            log_sums[i0 + i] = largest[i] + sums[i].ln();
        }
    }
}

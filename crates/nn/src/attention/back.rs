//! Attention's backward pass.

use rayon::prelude::*;

use super::tile::{KEYS, QUERIES, dot, grouped, harden, rounded, unclamped};
use super::{Head, Heads, Rows};
use crate::aligned::Rest;
use crate::element::Element;
use crate::kernel::{GatherBuffer, InstructionSet, Left, PackedRight, Size, Store};
use crate::parallel::{Scratch, Shared};

/// What [`backward`] reads: `qkv [N × 3D]`, `out` and its gradient `dout [N × D]`, the forward
/// pass's `log_sums`, and the clamp of `qkv`, if any.
#[derive(Clone, Copy)]
pub(crate) struct Saved<'a, E> {
    pub(crate) qkv: &'a [E],
    pub(crate) out: &'a [E],
    pub(crate) dout: &'a [E],
    pub(crate) log_sums: &'a [f32],
    pub(crate) clip: Option<f32>,
}

/// `dqkv [N × 3D]`, replaced; zero where `qkv` was clamped.
pub(crate) fn backward<E: Element>(
    isa: InstructionSet,
    heads: Heads,
    saved: Saved<'_, E>,
    slopes: &[f32],
    dqkv: &mut [E],
    scratch: &Scratch,
) {
    let dqkv = Shared::new(dqkv);
    saved.log_sums.par_chunks_exact(heads.t).enumerate().for_each(|(task, log_sums)| {
        let head = Head::new(heads, slopes, task);
        scratch.with(|scratch| head_backward(isa, &head, saved, log_sums, &dqkv, scratch));
    });
}

/// One head: every tile's weights again from the sums of the forward pass.
#[expect(unsafe_code, reason = "writes its own columns of a result shared by all heads")]
fn head_backward<E: Element>(
    isa: InstructionSet,
    head: &Head,
    saved: Saved<'_, E>,
    log_sums: &[f32],
    dqkv: &Shared<'_, E>,
    scratch: &mut [f32],
) {
    let Heads { t, k, .. } = head.heads;
    let d = head.heads.width();
    let mut rest = Rest(scratch);
    let gather = &mut GatherBuffer::take(&mut rest);
    let [q, keys, values] = head.qkv(saved.qkv);
    let dout = Rows { data: &saved.dout[head.start..], row: d };
    let out = Rows { data: &saved.out[head.start..], row: d };
    let keys_across = keys.across(isa, head.heads, &mut rest);
    let values_across = values.across(isa, head.heads, &mut rest);
    let keys_along = keys.along(isa, head.heads, &mut rest);
    let q_along = q.along(isa, head.heads, &mut rest);
    let dout_along = dout.along(isa, head.heads, &mut rest);
    let weights: &mut [f32] = rest.take(QUERIES * KEYS);
    let gradient: &mut [f32] = rest.take(QUERIES * KEYS);
    let weights_grouped: &mut [E] = rest.take(QUERIES * KEYS);
    let gradient_grouped: &mut [E] = rest.take(QUERIES * KEYS);
    let gradient_rounded: &mut [E] = rest.take(QUERIES * KEYS);
    let dq: &mut [f32] = rest.take(QUERIES * k);
    let [dk, dv] = [(); 2].map(|()| rest.take::<f32>(t * k));
    dk.fill(0.0);
    dv.fill(0.0);
    let clip = saved.clip.unwrap_or(f32::INFINITY);
    // Part 0 of a row of `dqkv` is the gradient of its queries, 1 of its keys, 2 of its values.
    let put = |part: usize, first: usize, rows: &[f32]| {
        for (i, gradient) in rows.chunks_exact(k).enumerate() {
            let start = head.start_qkv + part * d + (first + i) * 3 * d;
            // SAFETY: these columns of these rows belong to this head of this sequence alone.
            let out = unsafe { dqkv.part(start, k) };
            unclamped(isa, gradient, &saved.qkv[start..][..k], clip, out);
        }
    };
    for i0 in (0..t).step_by(QUERIES) {
        let queries = QUERIES.min(t - i0);
        let mut deltas = [0.0; QUERIES];
        for (i, delta) in deltas[..queries].iter_mut().enumerate() {
            let row = (i0 + i) * d;
            *delta = dot(isa, &out.data[row..][..k], &dout.data[row..][..k]);
        }
        let dq = &mut dq[..queries * k];
        for j0 in (0..i0 + queries).step_by(KEYS) {
            let n = KEYS.min(t - j0);
            let size = Size { m: queries, n, k };
            let tile = PackedRight { column: j0, ..keys_across };
            isa.multiply(size, q.from(i0), tile, (weights, KEYS), Store::Replace, gather);
            let tile = PackedRight { column: j0, ..values_across };
            isa.multiply(size, dout.from(i0), tile, (gradient, KEYS), Store::Replace, gather);
            let log_sums = &log_sums[i0..i0 + queries];
            harden(isa, head.bias(i0, j0), weights, gradient, log_sums, &deltas);
            rounded(isa, &gradient[..queries * KEYS], gradient_rounded);
            grouped(isa, gradient, queries, gradient_grouped);
            grouped(isa, weights, queries, weights_grouped);

            let size = Size { m: queries, n: k, k: n };
            let left = Left::Along { data: &*gradient_rounded, row: KEYS };
            let right = PackedRight { first: j0, ..keys_along };
            let store = if j0 == 0 { Store::Replace } else { Store::Add };
            isa.multiply(size, left, right, (dq, k), store, gather);
            let size = Size { m: n, n: k, k: queries };
            let left = Left::Grouped { data: &*gradient_grouped, column: KEYS };
            let right = PackedRight { first: i0, ..q_along };
            isa.multiply(size, left, right, (&mut dk[j0 * k..], k), Store::Add, gather);
            let left = Left::Grouped { data: &*weights_grouped, column: KEYS };
            let right = PackedRight { first: i0, ..dout_along };
            isa.multiply(size, left, right, (&mut dv[j0 * k..], k), Store::Add, gather);
        }
        put(0, i0, dq);
    }
    put(1, 0, dk);
    put(2, 0, dv);
}

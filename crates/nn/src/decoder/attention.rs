//! Attention of new rows to the cached tokens before them and to their own tree.

use std::ops::Range;

use rayon::prelude::*;

use super::cache::Cache;
use super::forest::Node;
use crate::aligned::{Rest, lines_of};
use crate::attention::{Bias, Heads, QUERIES, normalise, soften};
use crate::gemm;
use crate::kernel::{GatherBuffer, InstructionSet, Left, Right, Size, Store, packed_len, versions};
use crate::math::{self, fma};
use crate::parallel::{Scratch, Shared};

pub(super) use crate::attention::KEYS;

/// Trees of at most this many rows are computed row by row: packing the keys would cost more.
const FEW: usize = 4;

#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    /// Its nodes, depth first.
    pub(super) nodes: &'a [Node],
    pub(super) rows: Range<usize>,
    /// The caches before it, first to last.
    pub(super) past: &'a [usize],
}

impl View<'_> {
    /// Tokens before the tree.
    fn before(&self, caches: &[Cache]) -> usize {
        self.past.iter().map(|&cache| caches[cache].len()).sum()
    }

    /// The position of a row of the tree, counted from the tree's beginning.
    fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.rows.len()];
        for node in self.nodes {
            for row in node.rows.clone() {
                positions[row] = node.position + row - node.rows.start;
            }
        }
        positions
    }
}

/// Scratch a thread needs for trees of up to `rows` rows.
pub(super) fn scratch_len(rows: usize, k: usize) -> usize {
    let packed = lines_of::<f32>(gemm::packed_len_max(k, KEYS))
        + lines_of::<f32>(gemm::packed_len_max(KEYS, k));
    let tiles = 2 * lines_of::<f32>(QUERIES * KEYS);
    let states = 2 * lines_of::<f32>(rows.max(FEW)) + lines_of::<f32>(rows.max(FEW) * k);
    GatherBuffer::LEN + packed + tiles + states
}

/// Arguments that are the same for all trees of a layer.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a> {
    pub(super) isa: InstructionSet,
    pub(super) heads: Heads,
    pub(super) slopes: &'a [f32],
    pub(super) caches: &'a [Cache],
    pub(super) index: usize,
    /// `[N × 3D]`.
    pub(super) qkv: &'a [f32],
}

/// `out = softmax(q·kᵀ/√K − slope·distance)·v` over the tokens that each row attends to: the cached
/// tokens before its tree, its ancestor nodes, and its own node up to itself.
///
/// - `out`: `[N × D]`.
///
/// # Guarantees
///
/// The bits of a row depend on its tree and on the caches before it, not on the other trees.
pub(super) fn forward(layer: Layer<'_>, views: &[View<'_>], out: &mut [f32], scratch: &Scratch) {
    let out = Shared::new(out);
    let h = layer.heads.h;
    // Head by head, so that keys and values shared by many trees stay in the CPU cache.
    (0..h * views.len()).into_par_iter().for_each(|task| {
        let (head, view) = (task / views.len(), &views[task % views.len()]);
        scratch.with(|scratch| Head { layer, head }.forward(view, &out, scratch));
    });
}

struct Head<'a> {
    layer: Layer<'a>,
    head: usize,
}

/// The states of some rows: largest score, sum of weights, weighted values.
struct States<'a> {
    largest: &'a mut [f32],
    sums: &'a mut [f32],
    mixed: &'a mut [f32],
}

impl Head<'_> {
    #[expect(unsafe_code, reason = "writes its own columns of a result shared by all heads")]
    fn forward(&self, view: &View<'_>, out: &Shared<'_, f32>, scratch: &mut [f32]) {
        let Heads { k, h, .. } = self.layer.heads;
        let rows = view.rows.len();
        let mut rest = Rest(scratch);
        let states =
            States { largest: rest.take(rows), sums: rest.take(rows), mixed: rest.take(rows * k) };
        states.largest.fill(f32::NEG_INFINITY);
        states.sums.fill(0.0);
        states.mixed.fill(0.0);
        let States { sums, mixed, .. } = if rows <= FEW {
            self.row_by_row(view, states, &mut rest)
        } else {
            self.tile_by_tile(view, states, &mut rest)
        };
        for (i, (mixed, sum)) in mixed.chunks_exact(k).zip(sums).enumerate() {
            let start = (view.rows.start + i) * h * k + self.head * k;
            // SAFETY: these columns of these rows belong to this head of this tree alone.
            let out = unsafe { out.part(start, k) };
            normalise(self.layer.isa, mixed, 1.0 / *sum, out);
        }
    }

    /// Loops over tiles of keys: each is packed once for all rows that attend to it.
    fn tile_by_tile<'a>(
        &self,
        view: &View<'_>,
        mut states: States<'a>,
        rest: &mut Rest<'_>,
    ) -> States<'a> {
        let Layer { isa, heads, caches, index, .. } = self.layer;
        let k = heads.k;
        let positions = view.positions();
        let before = view.before(caches);
        let mut tile = Tile {
            gather: GatherBuffer::take(rest),
            keys: rest.take(packed_len::<f32>(isa, k, KEYS)),
            values: rest.take(packed_len::<f32>(isa, KEYS, k)),
            scores: rest.take(QUERIES * KEYS),
            weights: rest.take(QUERIES * KEYS),
        };
        let rows = view.rows.len();
        let mut first = 0;
        for &cache in view.past {
            let kept = caches[cache].kept(index, self.head);
            for j0 in (0..kept.len).step_by(KEYS) {
                let n = KEYS.min(kept.len - j0);
                let keys = Right::Along { data: &kept.keys[j0 * k..][..KEYS * k], row: KEYS };
                let values = Right::Along { data: &kept.values[j0 * k..], row: k };
                let seen = &Seen { rows: 0..rows, first: first + j0, keys: n };
                self.tile(view, (keys, values), seen, (&positions, before), &mut tile, &mut states);
            }
            first += kept.len;
        }
        for node in view.nodes {
            for j0 in (0..node.rows.len()).step_by(KEYS) {
                let n = KEYS.min(node.rows.len() - j0);
                let row = view.rows.start + node.rows.start + j0;
                let keys = Right::Across { data: self.part(1, row), column: 3 * heads.width() };
                let values = Right::Along { data: self.part(2, row), row: 3 * heads.width() };
                let seen = &Seen {
                    rows: node.rows.start + j0..node.end,
                    first: before + node.position + j0,
                    keys: n,
                };
                self.tile(view, (keys, values), seen, (&positions, before), &mut tile, &mut states);
            }
        }
        states
    }

    /// One tile of keys, and all rows that attend to it.
    fn tile(
        &self,
        view: &View<'_>,
        (keys, values): (Right<'_, f32>, Right<'_, f32>),
        seen: &Seen,
        (positions, before): (&[usize], usize),
        tile: &mut Tile<'_>,
        states: &mut States<'_>,
    ) {
        let Layer { isa, heads, .. } = self.layer;
        let (k, n) = (heads.k, seen.keys);
        let keys = gemm::pack_alone(isa, keys, (k, n), tile.keys);
        let values = gemm::pack_alone(isa, values, (n, k), tile.values);
        for q0 in seen.rows.clone().step_by(QUERIES) {
            let m = QUERIES.min(seen.rows.end - q0);
            let queries = self.part(0, view.rows.start + q0);
            let left = Left::Along { data: queries, row: 3 * heads.width() };
            let result = (&mut *tile.scores, KEYS);
            isa.multiply(Size { m, n, k }, left, keys, result, Store::Replace, &mut tile.gather);
            // Neighbouring rows of a tree need not be neighbours in the text.
            let mut run = q0;
            while run < q0 + m {
                let follows = |&row: &usize| positions[row] == positions[run] + row - run;
                let end = (run..q0 + m).take_while(follows).count() + run;
                let bias = Bias {
                    keys: n,
                    ..self.bias((before + positions[run]) as i32 - seen.first as i32)
                };
                let (tiles, rows) = ((run - q0) * KEYS..(end - q0) * KEYS, run..end);
                let state = (
                    &mut states.largest[rows.clone()],
                    &mut states.sums[rows.clone()],
                    &mut states.mixed[rows.start * k..rows.end * k],
                );
                let weights = &mut tile.weights[tiles.clone()];
                soften(isa, bias, &mut tile.scores[tiles], weights, state);
                run = end;
            }
            let left = Left::Along { data: &*tile.weights, row: KEYS };
            let result = (&mut states.mixed[q0 * k..], k);
            let size = Size { m, n: k, k: n };
            isa.multiply(size, left, values, result, Store::Add, &mut tile.gather);
        }
    }

    /// Loops over rows: products with one key at a time.
    fn row_by_row<'a>(
        &self,
        view: &View<'_>,
        states: States<'a>,
        rest: &mut Rest<'_>,
    ) -> States<'a> {
        let Layer { isa, heads, caches, index, .. } = self.layer;
        let Heads { k, .. } = heads;
        let positions = view.positions();
        let before = view.before(caches);
        let scores: &mut [f32] = rest.take(KEYS);
        let weights: &mut [f32] = rest.take(KEYS);
        for (row, position) in positions.iter().enumerate() {
            let query = &self.part(0, view.rows.start + row)[..k];
            let mut meet = |first: usize, keys: Keys<'_>, (values, step): (&[f32], usize), n| {
                products(isa, query, keys, &mut scores[..n]);
                let ahead = (before + position) as i32 - first as i32;
                let mixed = &mut states.mixed[row * k..][..k];
                let state =
                    (&mut states.largest[row..=row], &mut states.sums[row..=row], &mut *mixed);
                soften(isa, Bias { keys: n, ..self.bias(ahead) }, scores, weights, state);
                mix(isa, &weights[..n], (values, step), mixed);
            };
            let mut first = 0;
            for &cache in view.past {
                let kept = caches[cache].kept(index, self.head);
                for j0 in (0..kept.len).step_by(KEYS) {
                    let n = KEYS.min(kept.len - j0);
                    let keys = Keys::Block(&kept.keys[j0 * k..][..KEYS * k]);
                    meet(first + j0, keys, (&kept.values[j0 * k..], k), n);
                }
                first += kept.len;
            }
            for node in view.nodes.iter().filter(|n| (n.rows.start..n.end).contains(&row)) {
                // Trees this small have no node of more than one tile.
                let n = node.rows.len().min(row - node.rows.start + 1);
                let start = view.rows.start + node.rows.start;
                let step = 3 * heads.width();
                let keys = Keys::Rows(self.part(1, start), step);
                meet(before + node.position, keys, (self.part(2, start), step), n);
            }
        }
        states
    }

    /// Queries (0), keys (1) or values (2) of this head from `row` on.
    fn part(&self, part: usize, row: usize) -> &[f32] {
        let Heads { k, h, .. } = self.layer.heads;
        &self.layer.qkv[(row * 3 + part) * h * k + self.head * k..]
    }

    fn bias(&self, ahead: i32) -> Bias {
        let scale = 1.0 / (self.layer.heads.k as f32).sqrt();
        Bias { scale, slope: self.layer.slopes[self.head], ahead, keys: KEYS }
    }
}

/// The rows of the tree that attend to a tile of keys. The first row attends to at least one key.
struct Seen {
    rows: Range<usize>,
    /// Position of the first key.
    first: usize,
    keys: usize,
}

/// Buffers for one tile.
struct Tile<'a> {
    gather: GatherBuffer<'a>,
    keys: &'a mut [f32],
    values: &'a mut [f32],
    scores: &'a mut [f32],
    weights: &'a mut [f32],
}

/// Memory layout of keys.
#[derive(Clone, Copy)]
enum Keys<'a> {
    /// A block of a cache, `[K × KEYS]`.
    Block(&'a [f32]),
    /// Rows with this distance.
    Rows(&'a [f32], usize),
}

versions! {
    /// `out[j] = query·key_j`.
    fn products(query: &[f32], keys: Keys<'_>, out: &mut [f32]) = products_body, fused;
    /// `mixed += Σ weights[j]·value_j`; `values`: data and the distance between rows.
    fn mix(weights: &[f32], values: (&[f32], usize), mixed: &mut [f32]) = mix_body, fused;
}

#[inline(always)]
fn products_body(query: &[f32], keys: Keys<'_>, out: &mut [f32], fused: bool) {
    match keys {
        Keys::Block(block) => {
            let mut sums = [0.0; KEYS];
            for (query, column) in query.iter().zip(block.as_chunks::<KEYS>().0) {
                for (sum, key) in sums.iter_mut().zip(column) {
                    *sum = fma(*query, *key, *sum, fused);
                }
            }
            out.copy_from_slice(&sums[..out.len()]);
        }
        Keys::Rows(rows, step) => {
            for (out, key) in out.iter_mut().zip(rows.chunks(step)) {
                *out = math::sum(query.len(), |i| query[i] * key[i]);
            }
        }
    }
}

#[inline(always)]
fn mix_body(weights: &[f32], (values, step): (&[f32], usize), mixed: &mut [f32], fused: bool) {
    const LANES: usize = 32;
    let (whole, rest) = mixed.as_chunks_mut::<LANES>();
    let done = whole.len() * LANES;
    for (c, mixed) in whole.iter_mut().enumerate() {
        let mut sums = *mixed;
        for (weight, value) in weights.iter().zip(values.chunks(step)) {
            for (sum, value) in sums.iter_mut().zip(&value[c * LANES..][..LANES]) {
                *sum = fma(*weight, *value, *sum, fused);
            }
        }
        *mixed = sums;
    }
    for (weight, value) in weights.iter().zip(values.chunks(step)) {
        for (sum, value) in rest.iter_mut().zip(&value[done..]) {
            *sum = fma(*weight, *value, *sum, fused);
        }
    }
}

//! The key-value cache.

use super::attention::KEYS;
use crate::Shape;

/// Keys and values of every layer and head, for up to a fixed number of tokens.
///
/// For each layer and head: keys in blocks of [`KEYS`] tokens, `[K × KEYS]` each, so that the
/// products of a query with a whole block are vectorised; then values, `[capacity × K]`.
#[derive(Debug)]
pub(super) struct Cache {
    values: Vec<f32>,
    /// The most tokens it can hold, a multiple of [`KEYS`].
    capacity: usize,
    len: usize,
    heads: usize,
    /// Values of a key of one head, K.
    width: usize,
}

/// The content of a cache for one layer and head.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    /// Blocks of `[K × KEYS]`.
    pub(super) keys: &'a [f32],
    /// `[len × K]`.
    pub(super) values: &'a [f32],
    pub(super) len: usize,
}

impl Cache {
    pub(super) fn new(shape: &Shape, tokens: usize) -> Self {
        let capacity = tokens.next_multiple_of(KEYS);
        Self {
            values: vec![0.0; shape.layers * 2 * capacity * shape.width],
            capacity,
            len: 0,
            heads: shape.heads,
            width: shape.width / shape.heads,
        }
    }

    pub(super) fn bytes(shape: &Shape, tokens: usize) -> usize {
        shape.layers * 2 * tokens.next_multiple_of(KEYS) * shape.width * size_of::<f32>()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn kept(&self, layer: usize, head: usize) -> Kept<'_> {
        let start = self.start(layer, head);
        let (keys, values) = self.values[start..][..2 * self.head_len()].split_at(self.head_len());
        Kept { keys, values: &values[..self.len * self.width], len: self.len }
    }

    /// Appends the keys and values of new tokens for one layer; [`Cache::grow`] then counts them.
    ///
    /// - `qkv`: `[tokens × 3D]`.
    pub(super) fn put(&mut self, layer: usize, qkv: &[f32]) {
        let (width, d) = (self.width, self.heads * self.width);
        for head in 0..self.heads {
            let (start, len) = (self.start(layer, head), self.head_len());
            let (keys, values) = self.values[start..][..2 * len].split_at_mut(len);
            for (token, row) in (self.len..).zip(qkv.chunks_exact(3 * d)) {
                let key = &row[d + head * width..][..width];
                let block = &mut keys[token / KEYS * KEYS * width..][..KEYS * width];
                for (column, value) in block.chunks_exact_mut(KEYS).zip(key) {
                    column[token % KEYS] = *value;
                }
                let value = &row[2 * d + head * width..][..width];
                values[token * width..][..width].copy_from_slice(value);
            }
        }
    }

    /// Counts `tokens` new tokens, after [`Cache::put`] for every layer.
    pub(super) fn grow(&mut self, tokens: usize) {
        self.len += tokens;
        assert!(self.len <= self.capacity, "{} tokens in a cache for {}", self.len, self.capacity);
    }

    /// Forgets all tokens.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Length of the keys, or of the values, of one layer and head.
    fn head_len(&self) -> usize {
        self.capacity * self.width
    }

    fn start(&self, layer: usize, head: usize) -> usize {
        (layer * self.heads + head) * 2 * self.head_len()
    }
}

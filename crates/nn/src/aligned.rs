//! Buffers aligned to cache lines, so that no vector crosses a line.

use bytemuck::{Pod, Zeroable};

/// Values of f32 in a cache line.
const VALUES: usize = 16;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; VALUES]);

/// A fixed number of f32, zero at first.
#[derive(Debug, Clone)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Aligned {
    pub(crate) fn new(len: usize) -> Self {
        Self { lines: bytemuck::allocation::zeroed_vec(len.div_ceil(VALUES)), len }
    }

    /// Bytes that `len` values take.
    pub(crate) fn bytes(len: usize) -> u64 {
        (len.div_ceil(VALUES) * size_of::<Line>()) as u64
    }

    pub(crate) fn values(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}

/// Values of f32 that `n` values of `E` take in whole cache lines.
pub(crate) fn lines_of<E: Pod>(n: usize) -> usize {
    (n * size_of::<E>()).div_ceil(size_of::<Line>()) * VALUES
}

/// The part of a buffer that is still free.
pub(crate) struct Rest<'a>(pub(crate) &'a mut [f32]);

impl<'a> Rest<'a> {
    /// A slice for `n` values of `E`; the content is arbitrary.
    ///
    /// # Panics
    ///
    /// If the buffer is too short.
    pub(crate) fn take<E: Pod>(&mut self, n: usize) -> &'a mut [E] {
        let part = self.0.split_off_mut(..lines_of::<E>(n)).expect("a buffer sized for its arrays");
        &mut bytemuck::cast_slice_mut(part)[..n]
    }
}

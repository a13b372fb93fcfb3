//! How an engine computes: what changes its numbers, what only its time and memory.

use sparkjoy_spec::Precision;

/// How an [`Engine`](crate::Engine) computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compute {
    /// What products are made of.
    pub precision: Precision,
    /// Keeps only the input of each block for the backward pass and computes the rest again: less
    /// memory, about a third more time, the same bits.
    pub recompute: bool,
    /// Threads; any number gives the same bits.
    pub threads: usize,
}

impl Compute {
    /// In fp32 on `threads` threads.
    pub fn exact(threads: usize) -> Self {
        Self { precision: Precision::Fp32, recompute: false, threads }
    }
}

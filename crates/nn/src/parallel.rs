//! Work shared between threads: cut by index, so that the result does not depend on timing.

use std::marker::PhantomData;
use std::sync::Mutex;

use bytemuck::Pod;

use crate::aligned::Aligned;

/// Rows an elementwise pass takes at a time.
pub(crate) const ROWS: usize = 64;
/// Values an elementwise pass over flat buffers takes at a time.
pub(crate) const VALUES: usize = 16_384;

/// Scratch for each thread of a pool: it stays in that thread's cache and is allocated once.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Each is locked by its own thread only, for as long as one piece of work lasts.
    threads: Vec<Mutex<Aligned>>,
}

impl Scratch {
    /// `len` values for each of `threads`.
    pub(crate) fn new(threads: usize, len: usize) -> Self {
        Self { threads: (0..threads).map(|_| Mutex::new(Aligned::new(len))).collect() }
    }

    /// Runs `work`, which must start no parallel work of its own, on this thread's scratch: what is
    /// in it is what was left there.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut [f32]) -> R) -> R {
        let index = rayon::current_thread_index().unwrap_or(0);
        let mut scratch = self.threads[index].lock().expect("a panic ends the run");
        work(scratch.values_mut())
    }
}

/// An array whose parts belong to different tasks though no slice holds such a part alone:
/// attention's heads own columns, packing owns groups of every column block.
pub(crate) struct Shared<'a, E> {
    start: *mut E,
    len: usize,
    whole: PhantomData<&'a mut [E]>,
}

#[expect(unsafe_code, reason = "strided parts of one slice, written by different threads")]
// SAFETY: it is a mutable slice, and plain numbers may be written by any thread.
unsafe impl<E: Send> Sync for Shared<'_, E> {}

impl<'a, E: Pod> Shared<'a, E> {
    pub(crate) fn new(whole: &'a mut [E]) -> Self {
        Self { start: whole.as_mut_ptr(), len: whole.len(), whole: PhantomData }
    }

    /// `len` values from `start` on.
    ///
    /// # Safety
    ///
    /// No two parts that are alive at the same time may overlap.
    #[expect(unsafe_code, clippy::mut_from_ref, reason = "tasks own parts, none owns the whole")]
    pub(crate) unsafe fn part(&self, start: usize, len: usize) -> &mut [E] {
        assert!(start + len <= self.len, "a part outside of the whole");
        // SAFETY: inside the slice, as just checked; alone, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

/// `Σ leaf(part)` over parts of [`VALUES`] values, added in a tree that depends on the length
/// alone.
pub(crate) fn tree_sum(values: &[f32], leaf: &(impl Fn(&[f32]) -> f64 + Sync)) -> f64 {
    if values.len() <= VALUES {
        return leaf(values);
    }
    let half = values.len().div_ceil(VALUES).div_ceil(2) * VALUES;
    let (left, right) = values.split_at(half);
    let (left, right) = rayon::join(|| tree_sum(left, leaf), || tree_sum(right, leaf));
    left + right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_adds_every_value_once() {
        for n in [0, 1, VALUES, VALUES + 1, 5 * VALUES + 3] {
            let values = vec![1.0; n];
            let sum = tree_sum(&values, &|part| part.iter().map(|&v| f64::from(v)).sum());
            assert_eq!(sum, n as f64);
        }
    }
}

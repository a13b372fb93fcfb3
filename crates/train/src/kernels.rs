//! Which instructions computed which steps.
//!
//! Two kernels round differently, so a run that moves from one to another is sound, but it does not
//! end in the bits it would have had on either. That cannot be part of a run's identity, which is
//! fixed before the machine is known; it is written down instead.

use serde::{Deserialize, Serialize};

/// Where a kernel took over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelSince {
    /// Steps done before its first, counted from the trunk's start.
    pub since: u64,
    /// Its name, as the engine tells it: `avx512`, `avx2`, `portable`.
    pub kernel: String,
}

/// The kernels that computed a model so far, its trunk's steps included, first to last.
///
/// # Invariants
///
/// Steps ascend, and neighbours differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kernels(Vec<KernelSince>);

impl Kernels {
    /// The steps after `since` are computed on `kernel`.
    pub(crate) fn take_over(&mut self, since: u64, kernel: &str) {
        if self.last() != Some(kernel) {
            self.0.push(KernelSince { since, kernel: kernel.to_owned() });
        }
    }

    /// The kernel of the last step; none before the first.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(|last| last.kernel.as_str())
    }

    /// Each takeover, first to last.
    pub fn iter(&self) -> impl Iterator<Item = &KernelSince> {
        self.0.iter()
    }
}

/// A run goes on elsewhere than where it was computed so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelChange {
    /// Steps done.
    pub step: u64,
    /// The kernel of the steps so far.
    pub found: String,
    /// The kernel of the steps to come.
    pub now: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_stays_is_told_once() {
        let mut kernels = Kernels::default();
        for (since, kernel) in [(0, "avx512"), (4, "avx512"), (6, "avx2"), (9, "avx512")] {
            kernels.take_over(since, kernel);
        }
        insta::assert_snapshot!(
            serde_json::to_string(&kernels).unwrap(),
            @r#"[{"since":0,"kernel":"avx512"},{"since":6,"kernel":"avx2"},{"since":9,"kernel":"avx512"}]"#
        );
        assert_eq!(kernels.last(), Some("avx512"));
    }
}

//! Which instructions computed which steps.
//!
//! Two kernels round differently, so a run that moves from one to another is sound, but it does not
//! end in the bits it would have had on either. That cannot be part of a run's identity, which is
//! fixed before the machine is known; it is written down instead.

use serde::{Deserialize, Serialize};
use sparkjoy_spec::{KernelChange, OUR_KERNELS, Promise};

/// Where a kernel took over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelSince {
    /// Steps done before its first, counted from the trunk's start.
    pub since: u64,
    /// Its name, as the engine tells it: `avx512`, `avx2`, `portable`, `torch-2.15.0-cpu-x1`.
    pub kernel: String,
    /// What the engine promised about its steps; said only where it is not the same bits.
    #[serde(default, skip_serializing_if = "Promise::is_same_bits")]
    pub promise: Promise,
}

impl KernelSince {
    /// Whether it is an instruction set of our own engine.
    pub fn is_ours(&self) -> bool {
        OUR_KERNELS.contains(&self.kernel.as_str())
    }
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
    /// Notes that the steps after `since` are computed on `kernel`; returns what that changes.
    pub(crate) fn take_over(
        &mut self,
        since: u64,
        kernel: &str,
        promise: Promise,
    ) -> Option<KernelChange> {
        let found = self.last().map(str::to_owned);
        if self.0.last().is_none_or(|last| last.kernel != kernel || last.promise != promise) {
            self.0.push(KernelSince { since, kernel: kernel.to_owned(), promise });
        }
        let found = found.filter(|found| found != kernel)?;
        Some(KernelChange { step: since, found, now: kernel.to_owned() })
    }

    /// What was promised about the step that brought the run to `step`.
    pub(crate) fn promise_of(&self, step: u64) -> Promise {
        let computed = self.0.iter().rfind(|kernel| kernel.since < step);
        computed.map_or(Promise::SameBits, |kernel| kernel.promise)
    }

    /// The instruction set of the last step; none before the first.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(|last| last.kernel.as_str())
    }

    /// Each takeover, first to last.
    pub fn iter(&self) -> impl Iterator<Item = &KernelSince> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_stays_is_told_once() {
        let mut kernels = Kernels::default();
        for (since, kernel) in [(0, "avx512"), (4, "avx512"), (6, "avx2"), (9, "avx512")] {
            kernels.take_over(since, kernel, Promise::SameBits);
        }
        insta::assert_snapshot!(
            serde_json::to_string(&kernels).unwrap(),
            @r#"[{"since":0,"kernel":"avx512"},{"since":6,"kernel":"avx2"},{"since":9,"kernel":"avx512"}]"#
        );
        assert_eq!(kernels.last(), Some("avx512"));
    }

    #[test]
    fn a_promise_of_noise_is_written_and_holds_for_its_steps() {
        let mut kernels = Kernels::default();
        kernels.take_over(0, "avx2", Promise::SameBits);
        let change = kernels.take_over(4, "torch-2.15.0-cpu-x1", Promise::WithinNoise).unwrap();
        assert_eq!((change.step, change.found.as_str()), (4, "avx2"));
        assert_eq!(kernels.take_over(6, "torch-2.15.0-cpu-x1", Promise::WithinNoise), None);
        insta::assert_snapshot!(
            serde_json::to_string(&kernels).unwrap(),
            @r#"[{"since":0,"kernel":"avx2"},{"since":4,"kernel":"torch-2.15.0-cpu-x1","promise":"within-noise"}]"#
        );
        let are_bits = [1, 4, 5, 9].map(|step| kernels.promise_of(step).is_same_bits());
        assert_eq!(are_bits, [true, true, false, false]);
    }
}

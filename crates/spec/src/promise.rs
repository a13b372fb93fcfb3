//! How far numbers can be had a second time.

use serde::{Deserialize, Serialize};

/// What an engine or a language model promises of numbers that it computes a second time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// The same bits on the same instruction set: however often a run was interrupted, whatever
    /// else a model is asked in the same call, on any number of threads.
    #[default]
    SameBits,
    /// The same but for rounding: the order of sums differs from time to time, as on a GPU.
    WithinNoise,
}

impl Promise {
    /// Whether it is [`Promise::SameBits`], which is what a file says that says nothing.
    pub fn is_same_bits(&self) -> bool {
        *self == Self::SameBits
    }

    /// What holds for a step that one engine recorded and another computes again.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.is_same_bits() { other } else { self }
    }
}

//! The phase: a part of training with one mixture.

use serde::{Deserialize, Serialize};

use crate::Mixture;

/// A part of training with one mixture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its mixture.
    pub mixture: Mixture,
    /// Number of sequences.
    pub slots: u64,
}

//! The phase: a stretch of training under one mixture.

use serde::{Deserialize, Serialize};

use crate::Mixture;

/// A stretch of training under one mixture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Who is drawn how often.
    pub mixture: Mixture,
    /// How many sequences.
    pub slots: u64,
}

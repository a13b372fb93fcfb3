//! Which instruction sets computed what is compared.

use serde::{Deserialize, Serialize};

/// Branches that the same kernels computed in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computed {
    /// The kernels, that of the trunk's first step first.
    pub kernels: Vec<String>,
    /// The branches, in the plan's order.
    pub branches: Vec<String>,
}

/// Whether rounding is part of some difference: not one instruction set computed everything.
pub fn is_mixed(computed: &[Computed]) -> bool {
    computed.len() > 1 || computed.iter().any(|group| group.kernels.len() != 1)
}

//! Which instruction sets computed what is compared.

use serde::{Deserialize, Serialize};

/// Branches that the same kernels computed in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computed {
    /// The kernels, that of the trunk's first step first. None where the checkpoints that knew are
    /// gone.
    pub kernels: Vec<String>,
    /// The branches, in the plan's order.
    pub branches: Vec<String>,
}

/// Whether rounding is part of some difference: not one instruction set computed everything that is
/// known of.
pub fn is_mixed(computed: &[Computed]) -> bool {
    let known = || computed.iter().filter(|group| !group.kernels.is_empty());
    known().count() > 1 || known().any(|group| group.kernels.len() > 1)
}

//! What the factors of products are rounded to.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// What the factors of products are rounded to. Part of a run's identity.
///
/// Weights, gradients, moments, the residual stream and all sums are fp32 either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Activations and weights are rounded to bfloat16 (8 bits of significand) as they enter a
    /// product; sums are fp32.
    #[default]
    Bf16,
    /// Nothing is rounded to less than fp32.
    Fp32,
}

impl Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bf16 => "bf16",
            Self::Fp32 => "fp32",
        })
    }
}

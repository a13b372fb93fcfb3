//! Which optimizer takes the steps, with its constants.

use serde::{Deserialize, Serialize};

/// Which optimizer, with its constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OptimizerKind {
    /// Lion with decay decoupled from the rate.
    LionW {
        /// Peak rate η₀.
        lr: f64,
        /// β₁, β₂.
        betas: [f64; 2],
        /// λ; a weight shrinks by (η/η₀)·λ a step.
        weight_decay: f64,
    },
    /// Adam with decoupled decay.
    AdamW {
        /// Peak rate.
        lr: f64,
        /// β₁, β₂.
        betas: [f64; 2],
        /// Added to the root of the second moment.
        eps: f64,
        /// λ; a weight shrinks by η·λ a step.
        weight_decay: f64,
    },
}

impl OptimizerKind {
    /// Peak rate η₀.
    pub fn lr(&self) -> f64 {
        match self {
            Self::LionW { lr, .. } | Self::AdamW { lr, .. } => *lr,
        }
    }

    /// The names of the moments it keeps, in the order of `optimizer.safetensors`; each is as
    /// large as the weights.
    pub fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::LionW { .. } => &["exp_avg"],
            Self::AdamW { .. } => &["exp_avg", "exp_avg_sq"],
        }
    }
}

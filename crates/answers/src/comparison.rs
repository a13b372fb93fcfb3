//! Branches beside their controls in one number.

use serde::{Deserialize, Serialize};
use sparkjoy_stats::Effect;

use crate::{Spread, Verdict};

/// A branch against its control in one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Bits per byte of the branch.
    pub branch: Spread,
    /// Bits per byte of the control.
    pub control: Spread,
    /// Branch − control of the same replicate.
    pub difference: Spread,
    /// The same over replicates and items, with intervals; none with a single replicate.
    pub effect: Option<Effect>,
    /// p after Holm's correction over the question; none where the comparison is not among those
    /// that are tested together.
    pub adjusted_p: Option<f64>,
    /// The minimum detectable effect: the least true difference, either way, that is significant
    /// with 80 % power.
    pub detectable: Option<f64>,
    /// What the difference says.
    pub verdict: Verdict,
}

//! One comparison: values for people, items for statistics.

use sparkjoy_stats::{Effect, Resampling, Stratum};

use super::{Comparison, Spread, Verdict};
use sparkjoy_study::Plan;

/// What all comparisons of a study share.
pub(super) struct Scale {
    resampling: Resampling,
    pub(super) confidence: f64,
}

impl Scale {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { resampling: Resampling::new(plan.seed.0), confidence: plan.evaluation.confidence }
    }

    /// A comparison without a verdict.
    ///
    /// - `branch`, `control`: one value per replicate; `strata`: the same by items.
    pub(super) fn compare(
        &mut self,
        branch: Vec<f64>,
        control: Vec<f64>,
        strata: &[Stratum],
    ) -> Comparison {
        let difference = branch.iter().zip(&control).map(|(b, c)| b - c).collect();
        let effect = self.effect(strata);
        let verdict = match effect {
            Some(_) => Verdict::NotTested,
            None => Verdict::NotSignificant,
        };
        Comparison {
            branch: Spread::of(branch),
            control: Spread::of(control),
            difference: Spread::of(difference),
            effect,
            adjusted_p: None,
            detectable: None,
            verdict,
        }
    }

    /// What all statistics are drawn with.
    pub(super) fn resampling(&mut self) -> &mut Resampling {
        &mut self.resampling
    }

    /// An effect by itself; none with a single replicate.
    pub(super) fn effect(&mut self, strata: &[Stratum]) -> Option<Effect> {
        self.resampling.effect(strata, self.confidence)
    }
}

/// Strata with each difference times a factor.
pub(super) fn scaled(strata: &mut [Stratum], factor: f64) {
    for item in strata.iter_mut().flat_map(|stratum| stratum.differences.iter_mut().flatten()) {
        *item *= factor;
    }
}

/// A weighted sum of differences on the same items; none where they are not the same.
///
/// - `parts`: a weight, and differences by stratum.
pub(super) fn mix(parts: Vec<(f64, Vec<Stratum>)>) -> Option<Vec<Stratum>> {
    let mut parts = parts.into_iter();
    let (weight, mut sum) = parts.next()?;
    for item in sum.iter_mut().flat_map(|stratum| stratum.differences.iter_mut().flatten()) {
        *item *= weight;
    }
    for (weight, strata) in parts {
        if strata.len() != sum.len() {
            return None;
        }
        for (stratum, other) in sum.iter_mut().zip(&strata) {
            for (items, others) in stratum.differences.iter_mut().zip(&other.differences) {
                if items.len() != others.len() {
                    return None;
                }
                for (item, other) in items.iter_mut().zip(others) {
                    *item += weight * other;
                }
            }
        }
    }
    Some(sum)
}

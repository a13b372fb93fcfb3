//! The Pareto front of targeted gain and general cost, as far as it is tested.

use sparkjoy_stats::holm;
use sparkjoy_study::Role;

use super::Inference;
use crate::{Finding, What};

impl Inference<'_> {
    /// Arms that no other significantly beats in both what they gain and what they cost.
    ///
    /// # Source
    ///
    /// Both must be significant, so p is the larger of the two: Berger, Multiparameter hypothesis
    /// testing and acceptance sampling, Technometrics 24 (1982). Holm over the pairs of which one
    /// is better in both.
    pub(super) fn front(&mut self) {
        let arms = self.arms(Role::Answer);
        let mut pairs = Vec::new();
        for &arm in &arms {
            for &rival in &arms {
                pairs.extend(self.p_beaten(arm, rival).map(|p| (arm, p)));
            }
        }
        let adjusted = holm(&pairs.iter().map(|(_, p)| *p).collect::<Vec<_>>());
        let significant = pairs.iter().zip(adjusted).filter(|(_, p)| self.is_significant(*p));
        let beaten: Vec<usize> = significant.map(|((arm, _), _)| *arm).collect();
        let front = arms.iter().copied().filter(|arm| !beaten.contains(arm)).collect::<Vec<_>>();
        if !beaten.is_empty() {
            self.find(Finding::Front { arms: front.clone(), of: arms.len() });
        }
        self.answer.front = front;
    }

    /// p that `rival` gains more and costs less than `arm`; none where it does not in these runs.
    fn p_beaten(&mut self, arm: usize, rival: usize) -> Option<f64> {
        let mut largest: f64 = 0.0;
        for what in [What::Targeted, What::General] {
            let (one, other) = (self.effect(arm, &what)?, self.effect(rival, &what)?);
            if other.mean >= one.mean {
                return None;
            }
            let apart = one.p_against(other);
            // Where both are about the same sources they are paired.
            let p = self.contrast(arm, rival, &what).map_or(apart, |contrast| contrast.p);
            largest = largest.max(p);
        }
        Some(largest)
    }
}

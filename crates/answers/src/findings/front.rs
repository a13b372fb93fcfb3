//! The Pareto front of targeted gain and general cost.

use sparkjoy_study::Role;

use super::Inference;
use crate::{Finding, What};

impl Inference<'_> {
    /// Arms that no other beats in both what they gain and what they cost.
    pub(super) fn front(&mut self) {
        let both = |arm: usize| {
            let [targeted, general] = [What::Targeted, What::General]
                .map(|what| self.effect(arm, &what).map(|effect| effect.mean));
            Some((arm, targeted?, general?))
        };
        let points: Vec<(usize, f64, f64)> =
            self.arms(Role::Answer).into_iter().filter_map(both).collect();
        let is_beaten = |&(_, gain, cost): &(usize, f64, f64)| {
            let is_better =
                |&(_, g, c): &(usize, f64, f64)| g <= gain && c <= cost && (g < gain || c < cost);
            points.iter().any(is_better)
        };
        let front = points.iter().filter(|point| !is_beaten(point)).map(|(arm, ..)| *arm);
        let front: Vec<usize> = front.collect();
        if points.len() > 1 {
            self.find(Finding::Front { arms: front.clone(), of: points.len() });
        }
        self.answer.front = front;
    }
}

//! The surface over the mixtures of a simplex, and the mixture it says to train next.

use sparkjoy_stats::{Candidate as Judge, Lattice, Spot, SurfaceOptimum, surface};
use sparkjoy_study::{blended, simplex_lattice};

use super::Inference;
use crate::{PredictedMixture, Surface};

/// Compositions at which a surface is looked at, at most.
const COMPOSITIONS: u64 = 2_010;

impl Inference<'_> {
    /// The surface over the candidates of the question's simplex; none where it has none, or too
    /// few of its mixtures are scored.
    ///
    /// - `judged`: the candidates; `arms`: the same as arms.
    pub(super) fn surface(&self, judged: &[Judge], arms: &[usize]) -> Option<Surface> {
        let simplex = self.question.simplex.as_ref()?;
        let compositions: Vec<Vec<f64>> =
            arms.iter().map(|&arm| self.question.arms[arm].composition.clone()).collect();
        let corners = simplex.corners.len();
        // The measured compositions are among them.
        let finer = (1..).map(|times| times * simplex.parts);
        let parts = finer.take_while(|parts| count(corners, *parts) <= COMPOSITIONS).last();
        let parts = parts.unwrap_or(simplex.parts);
        let points = simplex_lattice(corners, parts);
        let share = |part: &u32| f64::from(*part) / f64::from(parts);
        let fine: Vec<Vec<f64>> =
            points.iter().map(|point| point.iter().map(share).collect()).collect();
        let unchanged = &simplex.unchanged[..];
        let lattice = Lattice { compositions: &compositions, unchanged, fine: &fine };
        let fitted = surface(judged, lattice, self.scale.confidence, self.text.plan.seed.0)?;
        let is_new = |top: &&SurfaceOptimum| top.spot == Spot::New && top.is_determined();
        let new = fitted.optimum.as_ref().filter(is_new);
        let place = new.and_then(|new| fine.iter().position(|point| *point == new.composition));
        let mixtures = &self.text.plan.mixtures;
        let next = place.map(|place| {
            let corners = simplex.corners.iter().map(|name| &mixtures[name]);
            let weighed: Vec<_> = corners
                .zip(&points[place])
                .map(|(mixture, part)| (mixture, (*part).into()))
                .collect();
            let mixture = blended(&weighed);
            let same =
                mixtures.iter().find(|(_, other)| other.proportions() == mixture.proportions());
            let numbered = (2..).map(|n| format!("predicted-{n}"));
            let mut names = std::iter::once("predicted".to_owned()).chain(numbered);
            PredictedMixture {
                name: match same {
                    Some((name, _)) => name.clone(),
                    None => names.find(|it| !mixtures.contains_key(it)).expect("they do not end"),
                },
                is_in_study: same.is_some(),
                mixture,
            }
        });
        let corners = simplex.corners.clone();
        Some(Surface { corners, compositions, unchanged: unchanged.to_vec(), fitted, next })
    }
}

/// In how many ways parts can be shared among corners.
fn count(corners: usize, parts: u32) -> u64 {
    (1..corners as u64).fold(1, |all, i| all * (u64::from(parts) + i) / i)
}

//! What follows for a question from the objective of the study.

use serde::{Deserialize, Serialize};
use sparkjoy_mix::Mixture;
use sparkjoy_stats::{Effect, Judged, Optimum};
use sparkjoy_study::{Measured, Unit};

/// Which arm to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The arms that may be chosen, in the order of the question's axis.
    pub candidates: Vec<Candidate>,
    /// What is guarded, in the order of the guards of each candidate.
    pub guards: Vec<GuardedMeasure>,
    /// The probability that the trunk's own mixture is better than all candidates whose guards
    /// hold.
    pub base: f64,
    /// The one to choose; none where no candidate whose guards hold has a significant gain.
    pub chosen: Option<usize>,
    /// Other candidates whose guards hold and whose gain is not significantly less.
    pub alike: Vec<usize>,
    /// Where along the axis the objective is highest; none for fewer than four candidates, and
    /// where arms lie on no axis.
    pub optimum: Option<Optimum>,
    /// Where the arms are mixtures of a simplex: what lies between them, by a fitted surface. It
    /// predicts; nothing is chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// Places of the axis to try next.
    pub next: Vec<f64>,
    /// What the objective is in words: `math (weight 2), code`.
    pub objective: String,
    /// The unit of gains.
    pub unit: GainUnit,
}

/// The surface over the mixtures of a simplex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// The mixtures at the corners.
    pub corners: Vec<String>,
    /// The share of each corner in each candidate of the decision.
    pub compositions: Vec<Vec<f64>>,
    /// Compositions that are the trunk's mixture, whose gain is 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<Vec<f64>>,
    /// What is fitted to them.
    #[serde(flatten)]
    pub fitted: sparkjoy_stats::Surface,
    /// The mixture with the highest predicted gain, where none was trained there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PredictedMixture>,
}

/// A mixture to train next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedMixture {
    /// Its name in the study, or one that the study does not use.
    pub name: String,
    /// Whether the study has it.
    pub is_in_study: bool,
    /// Its proportions.
    pub mixture: Mixture,
}

/// What a guard is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardedMeasure {
    /// Its name.
    pub name: String,
    /// The unit of its losses.
    pub unit: GainUnit,
}

/// An arm under the objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The arm.
    pub arm: usize,
    /// What is known of it. Gains above 0 are better.
    #[serde(flatten)]
    pub judged: Judged,
    /// What its data costs, in the unit of the objective; it is taken off the gain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cost: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(cost: &f64) -> bool {
    *cost == 0.0
}

/// The unit of a gain in the objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GainUnit {
    /// Hundredths of the control's bits per byte.
    Percent,
    /// Hundredths of all items.
    Points,
    /// A mean of both: one percent counts as one point.
    Mixed,
}

impl GainUnit {
    /// The unit of a mean of measures.
    pub(crate) fn of<'a>(mut measured: impl Iterator<Item = &'a Measured>) -> Self {
        let first = measured.next().map(Measured::unit);
        match first {
            Some(first) if measured.any(|of| of.unit() != first) => Self::Mixed,
            Some(Unit::Points) => Self::Points,
            _ => Self::Percent,
        }
    }
}

impl GuardedMeasure {
    pub(crate) fn of(measured: &Measured) -> Self {
        Self { name: measured.to_string(), unit: GainUnit::of(std::iter::once(measured)) }
    }
}

/// What to do with what a removal takes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The objective or a guard gets worse without it.
    Keep,
    /// The objective gets better without it, by more than is shown to be not needed, and all
    /// guards hold.
    Drop,
    /// Without it the objective changes by less than the margin, and all guards hold.
    NotNeeded,
    /// None of these is shown.
    NotDecided,
}

/// A removal under the objective, without its own text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemovalDecision {
    /// The arm.
    pub arm: usize,
    /// What follows.
    pub fate: Fate,
    /// What is known of it. The gain is that of being without it.
    #[serde(flatten)]
    pub judged: Judged,
    /// What is guarded, in the order of its guards.
    pub guarded: Vec<GuardedMeasure>,
    /// p that the objective changes by less than the margin, corrected over the removals; none
    /// without a margin.
    pub equivalence: Option<f64>,
    /// The change of its own text, in percent; above 0 is better.
    pub own: Option<Effect>,
    /// The unit of the gain.
    pub unit: GainUnit,
    /// The margin of the objective.
    pub margin: Option<f64>,
}

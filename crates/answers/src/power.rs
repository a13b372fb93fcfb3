//! Power analysis: the effects a study can detect, before it is run.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sparkjoy_stats::detectable;

use super::spread::Spread;
use crate::HeldOut;
use sparkjoy_study::{Ask, Plan, QuestionPlan, Role};

/// Standard deviation of branch − control of one replicate, as a share of bits per byte, on the
/// mean of all sources.
///
/// # Source
///
/// The 29 comparisons on 25 sources of `docs/results/real-text.md`: 0.01 to 0.11 %.
const NOISE: f64 = 0.0007;

/// The minimum detectable effects of a study at 80 % power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Data orders.
    pub replicates: u32,
    /// Confidence of its tests.
    pub confidence: f64,
    /// Standard deviation of branch − control of one replicate, as a share of bits per byte.
    pub noise: f64,
    /// Scored controls it was measured on; 0 where no two replicates are scored yet, and it is that
    /// of the study in `docs/results/real-text.md`.
    pub controls: usize,
    /// One per question.
    pub questions: Vec<DetectableIn>,
}

/// The minimum detectable effect of one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectableIn {
    /// Which question.
    pub ask: Ask,
    /// Comparisons that are tested together.
    pub comparisons: usize,
    /// As a share of bits per byte, all of them corrected for.
    pub least: f64,
    /// The same of a comparison by itself.
    pub alone: f64,
}

/// The minimum detectable effects of a study at 80 % power; none with a single replicate.
///
/// Student's t on replicates alone: items make it less sure, means of fewer sources too.
///
/// - `held_out`: scores, one element per branch of the plan.
pub fn power(plan: &Plan, held_out: &[Option<HeldOut>]) -> Option<Power> {
    if plan.replicates < 2 {
        return None;
    }
    let (mut variances, mut scored) = (Vec::new(), 0);
    let arms = plan.questions.iter().flat_map(|question| &question.arms);
    let controls: BTreeSet<&Vec<usize>> = arms.map(|arm| &arm.controls).collect();
    for group in controls {
        let mut values = Vec::new();
        for scores in group.iter().filter_map(|&index| held_out[index].as_ref()) {
            let bits = scores.values().map(sparkjoy_eval::HeldOutScore::bits_per_byte);
            values.push(bits.sum::<f64>() / scores.len() as f64);
        }
        // Replicates that were added later are not scored yet; two tell a deviation.
        if values.len() > 1 {
            scored += values.len();
            let Spread { mean, deviation, .. } = Spread::of(values);
            variances.extend(deviation.map(|deviation| (deviation / mean).powi(2)));
        }
    }
    let noise = match variances.len() {
        0 => NOISE,
        // Branch and control as if they had nothing in common, which is on the safe side.
        n => (2.0 * variances.iter().sum::<f64>() / n as f64).sqrt(),
    };
    let questions =
        plan.questions.iter().map(|question| detectable_in(plan, question, noise)).collect();
    Some(Power {
        replicates: plan.replicates,
        confidence: plan.evaluation.confidence,
        noise,
        controls: scored,
        questions,
    })
}

fn detectable_in(plan: &Plan, question: &QuestionPlan, noise: f64) -> DetectableIn {
    let tested = question.arms.iter().filter(|arm| arm.role != Role::AgainstBase);
    let scopes =
        |targets: usize| usize::from(targets > 0) + usize::from(targets < plan.sources.len());
    let comparisons = tested.map(|arm| scopes(arm.targets.len())).sum();
    let least = |comparisons| {
        let freedom = f64::from(plan.replicates) - 1.0;
        let errors = detectable(freedom, plan.evaluation.confidence, comparisons);
        errors * noise / f64::from(plan.replicates).sqrt()
    };
    DetectableIn { ask: question.ask, comparisons, least: least(comparisons), alone: least(1) }
}

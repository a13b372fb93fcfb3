//! Power analysis: the effects a study can detect, before it is run.

use serde::{Deserialize, Serialize};
use sparkjoy_stats::detectable;

use super::decidable::{Decidable, decidable};
use super::held_out::{Text, members};
use super::noise::{Noise, more, noise, tested};
use crate::{HeldOut, What};
use sparkjoy_study::{Arm, Ask, Plan, QuestionPlan};

/// The minimum detectable effects of a study at 80 % power, and what an objective can decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Data orders.
    pub replicates: u32,
    /// More data orders, for which the same is said.
    pub more_replicates: u32,
    /// Confidence of its tests.
    pub confidence: f64,
    /// Pairs of a branch and its control that noise was measured on; 0 where too few are scored,
    /// and its range is what other studies have shown.
    pub pairs: usize,
    /// One per question.
    pub questions: Vec<DetectableIn>,
}

/// The minimum detectable effects of one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectableIn {
    /// Which question.
    pub ask: Ask,
    /// Comparisons that are tested together.
    pub comparisons: usize,
    /// One per scope that is tested.
    pub scopes: Vec<DetectableScope>,
    /// What it can decide; none where the study has no objective, or the question no choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decidable>,
}

/// The minimum detectable effect in a scope. Lower and upper end are the same where noise was
/// measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectableScope {
    /// What is tested.
    #[serde(flatten)]
    pub what: What,
    /// Standard deviation of branch − control of one replicate, as a share of bits per byte.
    pub noise: [f64; 2],
    /// As a share of bits per byte, all comparisons corrected for.
    pub least: [f64; 2],
    /// The same of a comparison by itself.
    pub alone: [f64; 2],
    /// Part of `least` that is still detectable with more replicates.
    pub with_more_replicates: f64,
    /// Part of `least` that is still detectable with half the comparisons; none of a single one.
    pub with_half_the_arms: Option<f64>,
}

/// The minimum detectable effects of a study at 80 % power; none with a single replicate.
///
/// Student's t on replicates alone: items make it less sure.
///
/// - `held_out`: scores, one element per branch of the plan.
pub fn power(plan: &Plan, held_out: &[Option<HeldOut>]) -> Option<Power> {
    if plan.replicates < 2 {
        return None;
    }
    let text = Text { plan, scores: held_out };
    let scopes = [What::Targeted, What::General];
    let noise = scopes.map(|what| (noise_in(text, &what), what));
    let questions = plan.questions.iter().map(|question| DetectableIn {
        decision: decidable(text, question),
        ..detectable_in(plan, question, &noise)
    });
    Some(Power {
        replicates: plan.replicates,
        more_replicates: more(plan.replicates),
        confidence: plan.evaluation.confidence,
        pairs: noise.iter().map(|(noise, _)| noise.pairs).max().unwrap_or(0),
        questions: questions.collect(),
    })
}

/// The noise of a scope.
fn noise_in(text: Text<'_>, what: &What) -> Noise {
    noise(text.plan, |arm, branch, control| {
        let members = members(text.plan, what, &arm.targets);
        let of = text.values(&members, &[branch, control])?;
        Some((of[0] - of[1]) / of[1])
    })
}

fn detectable_in(plan: &Plan, question: &QuestionPlan, noise: &[(Noise, What)]) -> DetectableIn {
    let has = |what: &What, arm: &Arm| !members(plan, what, &arm.targets).is_empty();
    let count = |what: &What| tested(question).filter(|arm| has(what, arm)).count();
    let comparisons = noise.iter().map(|(_, what)| count(what)).sum();
    // In standard deviations of one replicate.
    let least = |replicates: u32, comparisons| {
        let replicates = f64::from(replicates);
        detectable(replicates - 1.0, plan.evaluation.confidence, comparisons) / replicates.sqrt()
    };
    let planned = least(plan.replicates, comparisons);
    let half = (comparisons > 1).then(|| comparisons.div_ceil(2));
    let scopes = noise.iter().filter(|(_, what)| count(what) > 0);
    let scopes = scopes.map(|(noise, what)| DetectableScope {
        what: what.clone(),
        noise: noise.deviation,
        least: noise.deviation.map(|noise| planned * noise),
        alone: noise.deviation.map(|noise| least(plan.replicates, 1) * noise),
        with_more_replicates: least(more(plan.replicates), comparisons) / planned,
        with_half_the_arms: half.map(|half| least(plan.replicates, half) / planned),
    });
    DetectableIn { ask: question.ask, comparisons, scopes: scopes.collect(), decision: None }
}

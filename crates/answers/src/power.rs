//! Power analysis: the effects a study can detect, before it is run.

use serde::{Deserialize, Serialize};
use sparkjoy_stats::detectable;

use super::held_out::{Text, members};
use super::spread::Spread;
use crate::{HeldOut, What};
use sparkjoy_study::{Arm, Ask, Plan, QuestionPlan, Role};

/// Standard deviations of branch − control of one replicate, as a share of bits per byte, that
/// studies have shown: the least and the largest.
///
/// # Source
///
/// 29 comparisons on 25 sources of `docs/results/real-text.md`, 0.01 to 0.11 %; the largest of
/// studies of other sizes, 0.28 %.
const SEEN: [f64; 2] = [0.0001, 0.0028];

/// The minimum detectable effects of a study at 80 % power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Data orders.
    pub replicates: u32,
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
    let noise = [What::Targeted, What::General].map(|what| noise(text, what));
    let questions = plan.questions.iter().map(|question| detectable_in(plan, question, &noise));
    Some(Power {
        replicates: plan.replicates,
        confidence: plan.evaluation.confidence,
        pairs: noise.iter().map(|noise| noise.pairs).max().unwrap_or(0),
        questions: questions.collect(),
    })
}

/// Arms whose comparison is tested.
fn tested(question: &QuestionPlan) -> impl Iterator<Item = &Arm> {
    question.arms.iter().filter(|arm| arm.role != Role::AgainstBase)
}

/// Noise in a scope.
struct Noise {
    what: What,
    /// The lower and the upper end of its standard deviation.
    deviation: [f64; 2],
    /// Pairs it was measured on; 0 where it was not.
    pairs: usize,
}

/// The noise of a scope: two pairs tell a deviation.
fn noise(text: Text<'_>, what: What) -> Noise {
    let (mut variances, mut scored) = (Vec::new(), 0);
    for arm in text.plan.questions.iter().flat_map(tested) {
        let members = members(text.plan, &what, &arm.targets);
        let pair = |(branch, control): (&usize, &usize)| {
            let of = text.values(&members, &[*branch, *control])?;
            Some((of[0] - of[1]) / of[1])
        };
        let values: Vec<f64> = arm.branches.iter().zip(&arm.controls).filter_map(pair).collect();
        if values.len() > 1 {
            scored += values.len();
            variances.extend(Spread::of(values).deviation.map(|deviation| deviation.powi(2)));
        }
    }
    if variances.is_empty() {
        return Noise { what, deviation: SEEN, pairs: 0 };
    }
    let mean = variances.iter().sum::<f64>() / variances.len() as f64;
    Noise { what, deviation: [mean.sqrt(); 2], pairs: scored }
}

fn detectable_in(plan: &Plan, question: &QuestionPlan, noise: &[Noise]) -> DetectableIn {
    let has = |what: &What, arm: &Arm| !members(plan, what, &arm.targets).is_empty();
    let count = |what: &What| tested(question).filter(|arm| has(what, arm)).count();
    let comparisons = noise.iter().map(|noise| count(&noise.what)).sum();
    let least = |noise: [f64; 2], comparisons| {
        let replicates = f64::from(plan.replicates);
        let errors = detectable(replicates - 1.0, plan.evaluation.confidence, comparisons);
        noise.map(|noise| errors * noise / replicates.sqrt())
    };
    let scopes = noise.iter().filter(|noise| count(&noise.what) > 0);
    let scopes = scopes.map(|noise| DetectableScope {
        what: noise.what.clone(),
        noise: noise.deviation,
        least: least(noise.deviation, comparisons),
        alone: least(noise.deviation, 1),
    });
    DetectableIn { ask: question.ask, comparisons, scopes: scopes.collect() }
}

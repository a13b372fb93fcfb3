//! What a study can see, before it is run.

use std::collections::BTreeSet;
use std::fmt;

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

/// The least differences a study can see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// Data orders.
    pub replicates: u32,
    /// How sure.
    pub confidence: f64,
    /// Standard deviation of branch − control of one replicate, as a share of bits per byte.
    pub noise: f64,
    /// Scored groups of controls it was measured on; 0 where there are none yet, and it is that of
    /// the study in `docs/results/real-text.md`.
    pub controls: usize,
    /// One per question.
    pub questions: Vec<Seen>,
}

/// The least difference one question can see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Which question.
    pub ask: Ask,
    /// Comparisons that are tested together.
    pub comparisons: usize,
    /// As a share of bits per byte, all of them corrected for.
    pub least: f64,
    /// The same of a comparison by itself.
    pub alone: f64,
}

/// What a study can see in four of five studies like it; nothing with a single replicate.
///
/// Student's t on replicates alone: items make it less sure, means of fewer sources too.
///
/// - `held_out`: scores, one element per branch of the plan.
pub fn sight(plan: &Plan, held_out: &[Option<HeldOut>]) -> Option<Sight> {
    if plan.replicates < 2 {
        return None;
    }
    let mut variances = Vec::new();
    let arms = plan.questions.iter().flat_map(|question| &question.arms);
    let controls: BTreeSet<&Vec<usize>> = arms.map(|arm| &arm.controls).collect();
    for group in controls {
        let mut values = Vec::new();
        for scores in group.iter().map_while(|&index| held_out[index].as_ref()) {
            let bits = scores.values().map(sparkjoy_eval::HeldOutScore::bits_per_byte);
            values.push(bits.sum::<f64>() / scores.len() as f64);
        }
        if values.len() == group.len() {
            let Spread { mean, deviation, .. } = Spread::of(values);
            variances.extend(deviation.map(|deviation| (deviation / mean).powi(2)));
        }
    }
    let noise = match variances.len() {
        0 => NOISE,
        // Branch and control as if they had nothing in common, which is on the safe side.
        n => (2.0 * variances.iter().sum::<f64>() / n as f64).sqrt(),
    };
    let questions = plan.questions.iter().map(|question| seen(plan, question, noise)).collect();
    Some(Sight {
        replicates: plan.replicates,
        confidence: plan.evaluation.confidence,
        noise,
        controls: variances.len(),
        questions,
    })
}

fn seen(plan: &Plan, question: &QuestionPlan, noise: f64) -> Seen {
    let tested = question.arms.iter().filter(|arm| arm.role != Role::AgainstBase);
    let scopes =
        |targets: usize| usize::from(targets > 0) + usize::from(targets < plan.sources.len());
    let comparisons = tested.map(|arm| scopes(arm.targets.len())).sum();
    let least = |comparisons| {
        let freedom = f64::from(plan.replicates) - 1.0;
        let errors = detectable(freedom, plan.evaluation.confidence, comparisons);
        errors * noise / f64::from(plan.replicates).sqrt()
    };
    Seen { ask: question.ask, comparisons, least: least(comparisons), alone: least(1) }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {} replicates this study can see", self.replicates)?;
        for (place, seen) in self.questions.iter().enumerate() {
            write!(
                f,
                "{} a difference of {:.2} % bits per byte in `{}` ({} comparisons together; \
                 {:.2} % in one alone)",
                if place == 0 { "" } else { "," },
                100.0 * seen.least,
                format!("{:?}", seen.ask).to_lowercase(),
                seen.comparisons,
                100.0 * seen.alone
            )?;
        }
        let source = match self.controls {
            0 => "as in docs/results/real-text.md, since no control is scored yet".to_owned(),
            n => format!("by {n} scored controls of this study"),
        };
        write!(
            f,
            ": in four of five studies, on the mean of all sources, at {} % confidence; the \
             noise of a difference is {:.3} %, {source}",
            (1e6 * self.confidence).round() / 1e4,
            100.0 * self.noise
        )
    }
}

//! What a study with an objective can decide, before it is run: the gains and the margins of guards
//! that its replicates and arms can show.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sparkjoy_base::SourceName;
use sparkjoy_stats::{detectable, showable};
use sparkjoy_study::{Arm, Ask, Measured, Plan, QuestionPlan, Role};

use super::held_out::Text;
use super::measured::text_of;
use super::noise::{more, noise};
use crate::{GainUnit, GuardedMeasure};

/// What a question can decide at 80 % power, in the units of its measures. The noise of replicates
/// alone is in it, that of items makes it less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decidable {
    /// Arms to choose from.
    pub arms: usize,
    /// What the objective is in words: `math (weight 2), code`.
    pub objective: String,
    /// The unit of its gains.
    pub unit: GainUnit,
    /// The smallest gain that is significant; none where it is about tasks, of whose noise nothing
    /// is known before they are scored.
    pub gain: Option<Needed>,
    /// Its guards.
    pub guards: Vec<DecidableGuard>,
}

/// What it takes to show that a guard holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecidableGuard {
    /// What is guarded.
    #[serde(flatten)]
    pub of: GuardedMeasure,
    /// The loss it may have.
    pub margin: f64,
    /// The smallest margin at which it is shown to hold if nothing is lost in truth; none where it
    /// is about tasks.
    pub needs: Option<Needed>,
}

/// What is needed of a gain or a margin. Lower and upper end are the same where noise was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Needed {
    /// As planned.
    pub planned: [f64; 2],
    /// With more replicates, see [`Power`](crate::Power).
    pub with_more_replicates: [f64; 2],
    /// With half the arms; none where there is one arm.
    pub with_half_the_arms: Option<[f64; 2]>,
}

/// What a question of a study with an objective can decide; none where there is nothing to choose.
pub(super) fn decidable(text: Text<'_>, question: &QuestionPlan) -> Option<Decidable> {
    let plan = text.plan;
    let objective = plan.objective.as_ref()?;
    let mut arms = question.arms.iter().filter(|arm| arm.role == Role::Answer).collect::<Vec<_>>();
    match question.ask {
        Ask::Stability | Ask::Transfer => return None,
        Ask::Removal => arms.retain(|arm| {
            let is_left = |of| text_of(plan, of, &arm.targets).is_none_or(|it| !it.is_empty());
            !arm.removes.is_empty() && objective.targets.iter().any(|it| is_left(&it.of))
        }),
        Ask::Duration | Ask::Addition | Ask::Proportion | Ask::Timing => {}
    }
    if arms.is_empty() {
        return None;
    }
    let mut places: Vec<f64> = arms.iter().filter_map(|arm| arm.at).collect();
    places.sort_by(f64::total_cmp);
    let in_order = question.ask != Ask::Timing && is_axis(&places, arms.len());
    // A removal's own text does not count.
    let without = |arm: &Arm| match question.ask {
        Ask::Removal => arm.targets.clone(),
        _ => BTreeSet::new(),
    };
    let needed = |of: &[(f64, &Measured)], test: Test| {
        of.iter().all(|(_, of)| text_of(plan, of, &BTreeSet::new()).is_some()).then(|| {
            let percent = noise(plan, |arm, branch, control| {
                gain(text, of, &without(arm), [branch, control])
            });
            needed(plan, percent.deviation.map(|it| 100.0 * it), arms.len(), test)
        })
    };
    let targets: Vec<_> = objective.targets.iter().map(|it| (it.weight, &it.of)).collect();
    let of_guard = if in_order { Test::GuardInOrder } else { Test::Guard };
    let guards = objective.guards.iter().map(|guard| DecidableGuard {
        of: GuardedMeasure::of(&guard.of),
        margin: guard.margin,
        needs: needed(&[(1.0, &guard.of)], of_guard),
    });
    Some(Decidable {
        arms: arms.len(),
        objective: objective.targets_in_words(),
        unit: GainUnit::of(objective.targets.iter().map(|target| &target.of)),
        gain: needed(&targets, Test::Gain),
        guards: guards.collect(),
    })
}

/// Whether arms lie along an axis, so that their guards are tested in its order, uncorrected.
///
/// - `places`: of the arms that have one, ascending.
pub(super) fn is_axis(places: &[f64], arms: usize) -> bool {
    places.len() == arms
        && places.windows(2).all(|pair| pair[0] < pair[1])
        && places.first().is_some_and(|first| *first > 0.0)
}

/// How something is tested, as in [`Resampling::decide`](sparkjoy_stats::Resampling::decide).
#[derive(Clone, Copy)]
enum Test {
    /// From two sides, corrected over the arms.
    Gain,
    /// From one side, corrected over the arms.
    Guard,
    /// From one side, arm by arm.
    GuardInOrder,
}

fn needed(plan: &Plan, noise: [f64; 2], arms: usize, test: Test) -> Needed {
    let confidence = plan.evaluation.confidence;
    let with = |replicates: u32, arms: usize| {
        let replicates = f64::from(replicates);
        let errors = match test {
            Test::Gain => detectable(replicates - 1.0, confidence, arms),
            Test::Guard => showable(replicates - 1.0, confidence, arms),
            Test::GuardInOrder => showable(replicates - 1.0, confidence, 1),
        };
        noise.map(|noise| errors * noise / replicates.sqrt())
    };
    Needed {
        planned: with(plan.replicates, arms),
        with_more_replicates: with(more(plan.replicates), arms),
        with_half_the_arms: (arms > 1).then(|| with(plan.replicates, arms.div_ceil(2))),
    }
}

/// The mean gain of a branch over its control in measures of text, as a share of bits per byte;
/// none where one is not scored or nothing is left.
fn gain(
    text: Text<'_>,
    of: &[(f64, &Measured)],
    without: &BTreeSet<SourceName>,
    pair: [usize; 2],
) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (weight, of) in of {
        let sources = text_of(text.plan, of, without)?;
        let all: f64 = sources.iter().map(|(_, share)| share).sum();
        for (name, share) in &sources {
            let bits = text.values(&[name], &pair)?;
            sum += weight * share / all * (bits[1] - bits[0]) / bits[1];
        }
        weights += if sources.is_empty() { 0.0 } else { *weight };
    }
    (weights > 0.0).then(|| sum / weights)
}

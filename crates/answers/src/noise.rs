//! How much branch − control of one replicate varies: measured, or as other studies have shown.

use sparkjoy_study::{Arm, Plan, QuestionPlan, Role};

use super::spread::Spread;

/// Standard deviations of branch − control of one replicate, as a share of bits per byte, that
/// studies have shown: the least and the largest.
///
/// # Source
///
/// 29 comparisons on 25 sources of `docs/results/real-text.md`, 0.01 to 0.11 %; the largest of
/// studies of other sizes, 0.28 %.
const SEEN: [f64; 2] = [0.0001, 0.0028];

/// What more replicates would be: five decide most of what there is to decide (see
/// `docs/results/decisions.md`), else twice as many.
pub(super) fn more(replicates: u32) -> u32 {
    if replicates < 5 { 5 } else { 2 * replicates }
}

/// Arms whose comparison is tested.
pub(super) fn tested(question: &QuestionPlan) -> impl Iterator<Item = &Arm> {
    question.arms.iter().filter(|arm| arm.role != Role::AgainstBase)
}

/// Noise of a measure.
pub(super) struct Noise {
    /// The lower and the upper end of its standard deviation.
    pub(super) deviation: [f64; 2],
    /// Pairs it was measured on; 0 where it was not.
    pub(super) pairs: usize,
}

/// The noise of a measure: two pairs tell a deviation.
///
/// - `difference`: of branch and control of one replicate of an arm, as a share; none where one of
///   them is not scored.
pub(super) fn noise(plan: &Plan, difference: impl Fn(&Arm, usize, usize) -> Option<f64>) -> Noise {
    let (mut variances, mut scored) = (Vec::new(), 0);
    for arm in plan.questions.iter().flat_map(tested) {
        let pairs = arm.branches.iter().zip(&arm.controls);
        let values: Vec<f64> =
            pairs.filter_map(|(branch, control)| difference(arm, *branch, *control)).collect();
        if values.len() > 1 {
            scored += values.len();
            variances.extend(Spread::of(values).deviation.map(|deviation| deviation.powi(2)));
        }
    }
    if variances.is_empty() {
        return Noise { deviation: SEEN, pairs: 0 };
    }
    let mean = variances.iter().sum::<f64>() / variances.len() as f64;
    Noise { deviation: [mean.sqrt(); 2], pairs: scored }
}

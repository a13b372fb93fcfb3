//! Comparisons without a significant difference, with what they would have detected.

use sparkjoy_answers::{Answer, Measure, ScopeEffect, TaskNulls, What};

use super::amounts::{bits_alone, correction, detectable};
use super::arms::{against, label};

/// Of held-out text.
pub(super) fn on_text(answer: &Answer, comparisons: &[ScopeEffect]) -> String {
    let one = |ScopeEffect { arm, scope, tested }: &ScopeEffect| {
        let what = if *scope == What::Targeted { "targeted" } else { "general" };
        let least = tested.detectable.map_or_else(String::new, |least| format!(" ({least:.4})"));
        format!(
            "{}{} {what} {}{least}",
            label(answer, *arm),
            against(answer, *arm),
            bits_alone(tested.effect.mean)
        )
    };
    let correction = comparisons.first().map(|of| correction(of.tested.family));
    format!(
        "Not significant ({}), in bits per byte, each with its minimum detectable effect at 80 % \
         power: {}.",
        correction.unwrap_or_default(),
        comparisons.iter().map(one).collect::<Vec<_>>().join("; ")
    )
}

pub(super) fn on_tasks(by_measure: &[TaskNulls]) -> String {
    let one = |nulls: &TaskNulls| {
        let what = match nulls.measure {
            Measure::Average => "averages of categories",
            Measure::Accuracy => "accuracies",
            Measure::GoldBitsPerByte => "bits per byte of correct answers",
        };
        let least = nulls.detectable.as_ref().map(detectable);
        let least = least.map_or_else(String::new, |least| format!(" ({least})"));
        format!("{} of {} {what}{least}", nulls.not_significant, nulls.tested)
    };
    format!(
        "Not significant on tasks (after Holm), with the minimum detectable effects at 80 % power: \
         {}.",
        by_measure.iter().map(one).collect::<Vec<_>>().join("; ")
    )
}

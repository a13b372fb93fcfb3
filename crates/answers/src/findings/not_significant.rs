//! Comparisons without a significant difference, with what they would have detected.

use super::Inference;
use super::on_tasks::detectable;
use crate::{Comparison, Finding, Measure, ScopeEffect, TaskNulls, Verdict, What};

/// Of held-out text.
pub(super) fn on_text(inference: &mut Inference<'_>) {
    let mut comparisons = Vec::new();
    for arm in 0..inference.answer.arms.len() {
        for scope in [What::Targeted, What::General] {
            let Some(tested) = inference.tested(arm, &scope) else { continue };
            // The sentence about the largest gain has it.
            if scope == What::General && inference.is_largest_gain(arm) {
                continue;
            }
            if tested.verdict == Verdict::NotSignificant && tested.detectable.is_some() {
                comparisons.push(ScopeEffect { arm, scope, tested });
            }
        }
    }
    if !comparisons.is_empty() {
        inference.find(Finding::NotSignificant { comparisons });
    }
}

/// On tasks, counted by measure.
pub(super) fn on_tasks(inference: &mut Inference<'_>) {
    let mut by_measure = Vec::new();
    for measure in [Measure::Average, Measure::Accuracy, Measure::GoldBitsPerByte] {
        let tasks = inference.answer.tasks.iter().filter(|task| task.measure == measure);
        let cells = tasks.flat_map(|task| task.cells.iter().flatten());
        let tested: Vec<&Comparison> = cells.filter(|cell| cell.adjusted_p.is_some()).collect();
        let is_null = |cell: &&&Comparison| cell.verdict == Verdict::NotSignificant;
        let nulls: Vec<&Comparison> = tested.iter().filter(is_null).copied().collect();
        if !nulls.is_empty() {
            by_measure.push(TaskNulls {
                measure,
                not_significant: nulls.len(),
                tested: tested.len(),
                detectable: detectable(Some(measure), &nulls),
            });
        }
    }
    if !by_measure.is_empty() {
        inference.find(Finding::NotSignificantOnTasks { by_measure });
    }
}

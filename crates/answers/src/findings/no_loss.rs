//! Removals without a measurable loss.

use sparkjoy_study::Role;

use super::Inference;
use super::on_tasks::detectable;
use crate::{Comparison, Detectable, Finding, Measure, NoLoss, Verdict, What};

/// Finds removals after which nothing else is significantly worse, in a question in which
/// something is.
///
/// - `redundant`: arms about which more is known.
pub(super) fn no_loss(inference: &mut Inference<'_>, redundant: &[usize]) {
    let arms = inference.arms(Role::Answer);
    let is_worse =
        |arm: usize| inference.beyond(arm).iter().any(|(_, cell)| cell.verdict == Verdict::Worse);
    if !arms.iter().any(|&arm| is_worse(arm)) {
        return;
    }
    let is_without_loss = |&arm: &usize| {
        let is_whole = inference.cell(arm, &What::General).is_some()
            && inference.answer.tasks.iter().all(|task| task.cells[arm].is_some());
        let better = !inference.changed(arm, Verdict::Better).is_empty();
        is_whole && !better && !is_worse(arm) && !redundant.contains(&arm)
    };
    let arms: Vec<usize> = arms.into_iter().filter(is_without_loss).collect();
    if arms.is_empty() {
        return;
    }
    let cells: Vec<(Option<Measure>, &Comparison)> =
        arms.iter().flat_map(|&arm| inference.beyond(arm)).collect();
    let of = |measure: Option<Measure>| {
        let cells = cells.iter().filter(|(other, _)| *other == measure).map(|(_, cell)| *cell);
        detectable(measure, &cells.collect::<Vec<_>>())
    };
    let measures =
        [Some(Measure::Average), Some(Measure::Accuracy), Some(Measure::GoldBitsPerByte), None];
    let detectable: Vec<Detectable> = measures.into_iter().filter_map(of).collect();
    let tasks = !inference.answer.tasks.is_empty();
    inference.find(Finding::NoLoss(NoLoss { arms, tasks, detectable }));
}

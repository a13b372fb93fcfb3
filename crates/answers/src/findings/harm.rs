//! Sources without which a task is better.
//!
//! A removal frees a share, and the sources that get it may be what helps. So a source is only
//! called harmful where the freed share does not explain the gain: among the other removals that
//! free no less, under the same refill rule, and without which the task is not worse, even the one
//! it gains most from gains significantly less. Where there is none, or where it gains as much,
//! the two explanations are not told apart. A source without which another task is worse is a
//! trade.

use sparkjoy_study::Role;

use super::Inference;
use crate::{FamilyKind, Finding, Harm, TaskContrast, Verdict};

pub(super) fn harm(inference: &mut Inference<'_>) {
    let arms = inference.arms(Role::Answer);
    let is_better = |arm: &usize| !inference.changed(*arm, Verdict::Better).is_empty();
    let better: Vec<usize> = arms.iter().copied().filter(is_better).collect();
    let targets = |arm: usize| &inference.answer.arms[arm].targets;
    // What a source does by itself it also does together with others.
    let is_explained = |&arm: &usize| {
        let is_part = |&part: &usize| {
            targets(part).len() < targets(arm).len()
                && targets(part).is_subset(targets(arm))
                && inference.same_refill(part, arm)
        };
        better.iter().any(is_part)
    };
    let alone: Vec<usize> = better.iter().copied().filter(|arm| !is_explained(arm)).collect();
    let mut harms: Vec<Harm> = alone.iter().map(|&arm| inference.improves(arm, &arms)).collect();
    let rivals = harms.iter_mut().filter_map(|harm| harm.rival.as_mut());
    inference.together(FamilyKind::Harm, rivals.map(|rival| &mut rival.contrast));
    for harm in harms {
        let is_harmful = harm.worse.is_empty()
            && harm.rival.as_ref().is_some_and(|TaskContrast { measure, contrast, .. }| {
                contrast.significant && measure.is_gain(contrast.difference)
            });
        inference.find(if is_harmful { Finding::Harmful(harm) } else { Finding::Trade(harm) });
    }
}

impl Inference<'_> {
    /// A removal that improves tasks, with its rival before correction.
    fn improves(&mut self, arm: usize, arms: &[usize]) -> Harm {
        let [better, worse] =
            [Verdict::Better, Verdict::Worse].map(|verdict| self.changes(arm, verdict));
        let sureness = |&task: &usize| {
            let effect = self.on_task(task, arm).and_then(|cell| cell.effect.as_ref());
            effect.map_or(0.0, |effect| effect.mean.abs() / effect.standard_error)
        };
        let tasks = self.changed(arm, Verdict::Better);
        let surest = tasks.into_iter().max_by(|a, b| sureness(a).total_cmp(&sureness(b)));
        let rival = surest.and_then(|task| self.rival(arm, task, arms));
        Harm { arm, better, worse, rival }
    }

    /// The removal that tells harm from freed share.
    fn rival(&mut self, arm: usize, task: usize, arms: &[usize]) -> Option<TaskContrast> {
        let freed = self.freed(arm);
        let measure = self.answer.tasks[task].measure;
        let is_rival = |&other: &usize| {
            let [one, two] = [arm, other].map(|arm| &self.answer.arms[arm].targets);
            one.is_disjoint(two)
                && self.same_refill(arm, other)
                && self.freed(other) >= freed
                // A source the task needs is more than its share.
                && self.verdict_on(task, other) != Some(Verdict::Worse)
        };
        let gain = |other: usize| {
            let mean = self.on_task(task, other)?.effect.as_ref()?.mean;
            Some((if measure.lower_is_better() { -mean } else { mean }, other))
        };
        let rivals = arms.iter().copied().filter(is_rival).filter_map(gain);
        let (_, rival) = rivals.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let contrast = self.contrast_on(task, arm, rival)?;
        Some(self.named(task, contrast))
    }
}

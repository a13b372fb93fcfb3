//! The arms of a question on held-out text, and contrasts between them.

use sparkjoy_stats::Effect;
use sparkjoy_study::Role;

use super::Inference;
use crate::{Comparison, Contrast, Family, FamilyKind, Measure, Tested, Verdict, What};

impl Inference<'_> {
    pub(super) fn cell(&self, arm: usize, what: &What) -> Option<&Comparison> {
        let scope = self.answer.scopes.iter().position(|scope| scope.what == *what)?;
        self.answer.arms[arm].cells[scope].as_ref()
    }

    pub(super) fn effect(&self, arm: usize, what: &What) -> Option<&Effect> {
        self.cell(arm, what)?.effect.as_ref()
    }

    /// The same with its test; none where there is none.
    pub(super) fn tested(&self, arm: usize, what: &What) -> Option<Tested> {
        let of = if *what == What::Unseen { FamilyKind::Unseen } else { FamilyKind::HeldOut };
        tested(self.cell(arm, what)?, self.family(of))
    }

    /// Arms of a role whose targeted effect is there, as they are asked.
    pub(super) fn arms(&self, role: Role) -> Vec<usize> {
        let arms = (0..self.answer.arms.len()).filter(|&arm| self.answer.arms[arm].role == role);
        arms.filter(|&arm| self.effect(arm, &What::Targeted).is_some()).collect()
    }

    /// The same in the order of the question's axis.
    pub(super) fn arms_along_axis(&self) -> Vec<usize> {
        let mut arms = self.arms(Role::Answer);
        let at = |arm: &usize| self.answer.arms[*arm].at.unwrap_or(0.0);
        arms.sort_by(|a, b| at(a).total_cmp(&at(b)));
        arms
    }

    pub(super) fn is_better(&self, arm: usize) -> bool {
        self.cell(arm, &What::Targeted).is_some_and(|cell| cell.verdict == Verdict::Better)
    }

    /// Whether all arms are about the same sources, and there is something to choose.
    pub(super) fn is_about_one_set(&self) -> bool {
        let arms = self.arms(Role::Answer);
        let targets = |arm: usize| &self.answer.arms[arm].targets;
        arms.len() > 1 && arms.iter().all(|&arm| targets(arm) == targets(arms[0]))
    }

    /// The effect of one arm minus that of another in a scope, by itself; none where the scope is
    /// another one for each of them.
    pub(super) fn contrast(&mut self, arm: usize, rival: usize, what: &What) -> Option<Contrast> {
        let arms = [&self.question.arms[arm], &self.question.arms[rival]];
        let effect = self.text.contrast(what, arms, self.scale)?;
        Some(self.alone(arm, rival, effect))
    }

    /// The targeted effect of one arm minus that of another, each on its own sources.
    pub(super) fn difference(&mut self, arm: usize, rival: usize) -> Option<Contrast> {
        if let Some(contrast) = self.contrast(arm, rival, &What::Targeted) {
            return Some(contrast);
        }
        // About different sources nothing is shared but the noise of their controls. Without
        // pairing, the test is conservative where they have that in common.
        let (one, other) =
            (self.effect(arm, &What::Targeted)?, self.effect(rival, &What::Targeted)?);
        let p = one.p_against(other);
        Some(Contrast {
            arm,
            rival,
            difference: one.mean - other.mean,
            effect: None,
            p,
            adjusted_p: p,
            family: self.family(FamilyKind::Single),
            significant: self.is_significant(p),
        })
    }

    /// Whether two removals leave the share of what they remove to the same sources.
    pub(super) fn same_refill(&self, one: usize, other: usize) -> bool {
        self.answer.arms[one].refill == self.answer.arms[other].refill
    }

    /// The share of the mixture that a removal frees, in parts per million.
    pub(super) fn freed(&self, arm: usize) -> u32 {
        let mixture = self.answer.mixture.as_ref().and_then(|m| self.text.plan.mixtures.get(m));
        let shares = mixture.iter().flat_map(|mixture| mixture.proportions());
        let targets = &self.answer.arms[arm].targets;
        shares.filter(|(name, _)| targets.contains(*name)).map(|(_, share)| share.0).sum()
    }

    /// What is tested of an arm besides its own text: tasks, and all other text (no measure).
    pub(super) fn beyond(&self, arm: usize) -> Vec<(Option<Measure>, &Comparison)> {
        let tasks = (0..self.answer.tasks.len()).filter_map(|task| {
            Some((Some(self.answer.tasks[task].measure), self.on_task(task, arm)?))
        });
        tasks.chain(self.cell(arm, &What::General).map(|cell| (None, cell))).collect()
    }
}

/// A comparison with its test; none where it was not tested.
pub(super) fn tested(cell: &Comparison, family: Family) -> Option<Tested> {
    Some(Tested {
        effect: cell.effect.clone()?,
        adjusted_p: cell.adjusted_p?,
        family,
        detectable: cell.detectable,
        verdict: cell.verdict,
    })
}

//! Sources that stand in for each other.
//!
//! Sources are redundant where each of them may go and all of them may not. That no loss is
//! significant without one of them is not enough, since a study without power shows no loss
//! either. What is tested instead, of a removal of n and the removals of each of the n under the
//! same refill rule, on a task:
//!
//! - without all of them the task is significantly worse;
//! - without any one of them it is not;
//! - and the loss without each one alone is significantly less than 1/n of the loss without all.
//!   If losses added up, at least one of them would be 1/n or more.
//!
//! Their own text shows the same where, in place of the last two, the own text of each loses
//! significantly less without it alone than 1/n of what it loses without all. If each taught that
//! text as much as each other and losses added up, it would be exactly 1/n; a source teaches its
//! own text most, so partial overlap does not count as redundancy.
//!
//! All n tests of a piece of evidence must pass (intersection-union test: its p is the largest of
//! them); over the evidence of all groups p is corrected by Holm.
//!
//! With three or more, one source of no use passes these tests beside two that stand in for each
//! other. Where a smaller group within a group is redundant by itself, the larger one is therefore
//! not reported; where no removal of some but not all of them exists, the finding says so.

use sparkjoy_stats::{Effect, holm};
use sparkjoy_study::{Arm, Role};

use super::Inference;
use crate::{Family, FamilyKind, Finding, Redundancy, SharedLoss, TaskAnswer, Verdict, What};

/// Several sources removed together, and each of them alone.
struct Group {
    all: usize,
    each: Vec<usize>,
}

impl Group {
    fn part(&self) -> f64 {
        1.0 / self.each.len() as f64
    }
}

/// Finds which sources stand in for each other, and returns the arms that remove one of them.
pub(super) fn redundancy(inference: &mut Inference<'_>) -> Vec<usize> {
    let groups = inference.groups();
    let mut evidence: Vec<(usize, SharedLoss)> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        for task in inference.changed(group.all, Verdict::Worse) {
            evidence.extend(inference.loss_on_task(group, task).map(|loss| (index, loss)));
        }
        evidence.extend(inference.loss_of_own_text(group).map(|loss| (index, loss)));
    }
    let p: Vec<f64> = evidence.iter().map(|(_, loss)| loss.p).collect();
    let family = Family { of: FamilyKind::Redundancy, comparisons: p.len() };
    for ((_, loss), adjusted_p) in evidence.iter_mut().zip(holm(&p)) {
        (loss.adjusted_p, loss.family) = (adjusted_p, family);
    }
    evidence.retain(|(_, loss)| inference.is_significant(loss.adjusted_p));
    let is_redundant = |index: usize| evidence.iter().any(|(of, _)| *of == index);
    let targets = |index: usize| &inference.answer.arms[groups[index].all].targets;
    let is_explained = |index: usize| {
        (0..groups.len()).any(|other| {
            is_redundant(other)
                && targets(other).len() < targets(index).len()
                && targets(other).is_subset(targets(index))
                && inference.same_refill(groups[other].all, groups[index].all)
        })
    };
    let reported: Vec<usize> =
        (0..groups.len()).filter(|&index| is_redundant(index) && !is_explained(index)).collect();
    let mut redundant = Vec::new();
    for index in reported {
        let group = &groups[index];
        let has_no_loss = |&arm: &usize| {
            inference.beyond(arm).iter().all(|(_, cell)| cell.verdict != Verdict::Worse)
        };
        let losses = evidence.iter().filter(|(of, _)| *of == index).map(|(_, loss)| loss.clone());
        let finding = Redundancy {
            all: group.all,
            each: group.each.clone(),
            part: group.part(),
            subsets: inference.has_subsets(group),
            evidence: losses.collect(),
            no_loss_alone: group.each.iter().all(has_no_loss),
        };
        inference.find(Finding::Redundant(finding));
        redundant.extend(&group.each);
    }
    redundant
}

impl Inference<'_> {
    /// Removals of several with the removals that make them up, the smallest of these.
    fn groups(&self) -> Vec<Group> {
        let arms = self.arms(Role::Answer);
        let targets = |arm: usize| &self.answer.arms[arm].targets;
        let group = |&all: &usize| {
            let is_part = |&arm: &usize| {
                targets(arm).len() < targets(all).len()
                    && targets(arm).is_subset(targets(all))
                    && self.same_refill(arm, all)
            };
            let mut parts: Vec<usize> = arms.iter().copied().filter(is_part).collect();
            parts.sort_by_key(|&arm| targets(arm).len());
            let mut each: Vec<usize> = Vec::new();
            for arm in parts {
                if each.iter().all(|&other| targets(other).is_disjoint(targets(arm))) {
                    each.push(arm);
                }
            }
            let covered: usize = each.iter().map(|&arm| targets(arm).len()).sum();
            (each.len() > 1 && covered == targets(all).len()).then_some(Group { all, each })
        };
        arms.iter().filter_map(group).collect()
    }

    /// Whether some but not all of a group were removed together, besides each alone.
    fn has_subsets(&self, group: &Group) -> bool {
        let targets = |arm: usize| &self.answer.arms[arm].targets;
        self.arms(Role::Answer).into_iter().any(|arm| {
            !group.each.contains(&arm)
                && targets(arm).len() < targets(group.all).len()
                && targets(arm).is_subset(targets(group.all))
                && self.same_refill(arm, group.all)
        })
    }

    /// The losses on a task that is worse without all of a group, and not without one of them.
    fn loss_on_task(&mut self, group: &Group, task: usize) -> Option<SharedLoss> {
        let measure = self.answer.tasks[task].measure;
        let effect = |arm: usize| self.on_task(task, arm)?.effect.clone();
        let all = vec![effect(group.all)?];
        let alone = group.each.iter().map(|&arm| effect(arm)).collect::<Option<Vec<Effect>>>()?;
        let (mut p, mut less) = (0.0_f64, Vec::new());
        for &arm in &group.each {
            if self.verdict_on(task, arm)? == Verdict::Worse {
                return None;
            }
            let effect = self.combined_on(task, &[(1.0, arm), (-group.part(), group.all)])?;
            p = p.max(if measure.is_gain(effect.mean) { effect.p } else { 1.0 });
            less.push(effect);
        }
        let TaskAnswer { task, measure, .. } = &self.answer.tasks[task];
        let (task, measure) = (Some(task.clone()), Some(*measure));
        let family = self.family(FamilyKind::Single);
        Some(SharedLoss { task, measure, all, alone, less, p, adjusted_p: p, family })
    }

    /// The losses of each one's own text.
    fn loss_of_own_text(&mut self, group: &Group) -> Option<SharedLoss> {
        if self.cell(group.all, &What::Targeted)?.verdict != Verdict::Worse {
            return None;
        }
        let (mut p, mut all, mut alone, mut less) = (0.0_f64, vec![], vec![], vec![]);
        for &arm in &group.each {
            let [one, together] = [arm, group.all].map(|arm| &self.question.arms[arm]);
            let mut of = |arms: &[(f64, &Arm)]| -> Option<Effect> {
                self.text.combination(&one.targets, arms, self.scale)
            };
            all.push(of(&[(1.0, together)])?);
            let effect = of(&[(1.0, one), (-group.part(), together)])?;
            p = p.max(if effect.mean < 0.0 { effect.p } else { 1.0 });
            less.push(effect);
            alone.push(self.effect(arm, &What::Targeted)?.clone());
        }
        let family = self.family(FamilyKind::Single);
        let (task, measure) = (None, None);
        Some(SharedLoss { task, measure, all, alone, less, p, adjusted_p: p, family })
    }
}

//! The arms of a question on tasks.

use sparkjoy_stats::Effect;
use sparkjoy_study::Arm;

use super::Inference;
use super::arms::tested;
use crate::{
    Comparison, Contrast, Detectable, FamilyKind, Measure, TaskAnswer, TaskContrast, TaskEffect,
    Verdict,
};

impl Inference<'_> {
    /// How an arm compares on a task, where it is tested.
    pub(super) fn on_task(&self, task: usize, arm: usize) -> Option<&Comparison> {
        let cell = self.answer.tasks[task].cells[arm].as_ref()?;
        cell.adjusted_p.is_some().then_some(cell)
    }

    pub(super) fn task_effect(&self, task: usize, arm: usize) -> Option<TaskEffect> {
        let TaskAnswer { task: name, measure, .. } = &self.answer.tasks[task];
        let family = self.family(match measure {
            Measure::Average | Measure::Accuracy => FamilyKind::Accuracy,
            Measure::GoldBitsPerByte => FamilyKind::GoldBitsPerByte,
        });
        let tested = tested(self.on_task(task, arm)?, family)?;
        Some(TaskEffect { task: name.clone(), measure: *measure, tested })
    }

    pub(super) fn verdict_on(&self, task: usize, arm: usize) -> Option<Verdict> {
        self.on_task(task, arm).map(|cell| cell.verdict)
    }

    /// A weighted sum of the effects of some arms on a task.
    pub(super) fn combined_on(&mut self, task: usize, arms: &[(f64, usize)]) -> Option<Effect> {
        let TaskAnswer { measure, task, .. } = &self.answer.tasks[task];
        let of = |&(weight, arm): &(f64, usize)| (weight, &self.question.arms[arm]);
        let arms: Vec<(f64, &Arm)> = arms.iter().map(of).collect();
        self.tasks.combination((*measure, task), &arms, self.scale)
    }

    /// The effect of one arm on a task minus that of another, by itself.
    pub(super) fn contrast_on(
        &mut self,
        task: usize,
        arm: usize,
        rival: usize,
    ) -> Option<Contrast> {
        let effect = self.combined_on(task, &[(1.0, arm), (-1.0, rival)])?;
        Some(self.alone(arm, rival, effect))
    }

    pub(super) fn named(&self, task: usize, contrast: Contrast) -> TaskContrast {
        let TaskAnswer { task, measure, .. } = &self.answer.tasks[task];
        TaskContrast { task: task.clone(), measure: *measure, contrast }
    }

    /// Places of the tasks an arm changes in one direction: accuracy first, bits per byte of the
    /// correct answers where accuracy does not show it.
    pub(super) fn changed(&self, arm: usize, verdict: Verdict) -> Vec<usize> {
        let tasks = &self.answer.tasks;
        let is_it = |&task: &usize| self.verdict_on(task, arm) == Some(verdict);
        let all: Vec<usize> = (0..tasks.len()).filter(is_it).collect();
        let is_shown = |&task: &usize| {
            let same = |&other: &usize| {
                tasks[other].task == tasks[task].task && tasks[other].measure == Measure::Accuracy
            };
            tasks[task].measure == Measure::GoldBitsPerByte && all.iter().any(same)
        };
        all.iter().copied().filter(|task| !is_shown(task)).collect()
    }

    /// The same with their effects.
    pub(super) fn changes(&self, arm: usize, verdict: Verdict) -> Vec<TaskEffect> {
        let changed = self.changed(arm, verdict);
        changed.into_iter().filter_map(|task| self.task_effect(task, arm)).collect()
    }
}

/// The range of minimum detectable effects of comparisons; none where they are unknown.
pub(super) fn detectable(measure: Option<Measure>, cells: &[&Comparison]) -> Option<Detectable> {
    let least =
        |fold: fn(f64, f64) -> f64| cells.iter().filter_map(|cell| cell.detectable).reduce(fold);
    Some(Detectable { measure, low: least(f64::min)?, high: least(f64::max)? })
}

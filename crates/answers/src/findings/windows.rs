//! Tasks over windows: which length is best for each, whether more still helps, and what falls.

use super::Inference;
use crate::{
    Contrast, FamilyKind, Finding, LongerWindows, Measure, TaskContrast, TaskOverWindows, Verdict,
    What,
};

pub(super) fn on_tasks(inference: &mut Inference<'_>) {
    let arms = inference.arms_along_axis();
    for task in 0..inference.answer.tasks.len() {
        // Bits per byte of correct answers where accuracy shows nothing.
        if !inference.is_shown_by_accuracy(task, &arms) {
            for verdict in [Verdict::Better, Verdict::Worse] {
                inference.task_over_windows(task, verdict, &arms);
            }
        }
    }
    if let [shortest, .., longest] = arms[..] {
        inference.longer_windows(shortest, longest);
    }
}

impl Inference<'_> {
    fn is_shown_by_accuracy(&self, task: usize, arms: &[usize]) -> bool {
        let tasks = &self.answer.tasks;
        if tasks[task].measure != Measure::GoldBitsPerByte {
            return false;
        }
        let is_it = |other: &usize| {
            tasks[*other].measure == Measure::Accuracy && tasks[*other].task == tasks[task].task
        };
        let accuracy = (0..tasks.len()).find(is_it);
        accuracy.is_some_and(|other| {
            arms.iter().any(|&arm| {
                matches!(self.verdict_on(other, arm), Some(Verdict::Better | Verdict::Worse))
            })
        })
    }

    /// The windows that change a task in one direction, and which most.
    fn task_over_windows(&mut self, task: usize, verdict: Verdict, arms: &[usize]) {
        let is_it = |&arm: &usize| self.verdict_on(task, arm) == Some(verdict);
        let marked: Vec<usize> = arms.iter().copied().filter(is_it).collect();
        let effects = marked.iter().filter_map(|&arm| Some((arm, self.task_effect(task, arm)?)));
        let largest = effects.max_by(|(_, a), (_, b)| {
            a.tested.effect.mean.abs().total_cmp(&b.tested.effect.mean.abs())
        });
        let Some((most, effect)) = largest else { return };
        let shorter =
            (verdict == Verdict::Better).then(|| self.shorter(task, most, &marked, arms)).flatten();
        let finding = TaskOverWindows { arms: marked, most, task: effect, shorter };
        self.find(Finding::TaskOverWindows(finding));
    }

    /// The shortest window whose gain is not significantly below that of the best, else the
    /// longest one whose gain is.
    fn shorter(
        &mut self,
        task: usize,
        best: usize,
        marked: &[usize],
        arms: &[usize],
    ) -> Option<Contrast> {
        let measure = self.answer.tasks[task].measure;
        let (mut lacking, mut enough) = (None, None);
        for arm in arms.iter().copied().take_while(|&arm| arm != best) {
            let Some(more) = self.contrast_on(task, best, arm) else { continue };
            if more.significant && measure.is_gain(more.difference) {
                lacking = Some(more);
            } else if marked.contains(&arm) && enough.is_none() {
                enough = Some(more);
            }
        }
        enough.or(lacking)
    }

    /// What the longest window does that the shortest does not.
    fn longer_windows(&mut self, shortest: usize, longest: usize) {
        let (mut better, mut worse) = (Vec::new(), Vec::new());
        for (kind, measures) in [
            (FamilyKind::WindowAccuracy, &[Measure::Average, Measure::Accuracy][..]),
            (FamilyKind::WindowGoldBitsPerByte, &[Measure::GoldBitsPerByte]),
        ] {
            let is_it = |task: &usize| {
                let answer = &self.answer.tasks[*task];
                answer.tested && measures.contains(&answer.measure)
            };
            let tasks: Vec<usize> = (0..self.answer.tasks.len()).filter(is_it).collect();
            let mut contrasts: Vec<TaskContrast> = Vec::new();
            for task in tasks {
                let contrast = self.contrast_on(task, longest, shortest);
                contrasts.extend(contrast.map(|contrast| self.named(task, contrast)));
            }
            self.together(kind, contrasts.iter_mut().map(|on_task| &mut on_task.contrast));
            for on_task in contrasts {
                let is_named = |all: &[TaskContrast]| all.iter().any(|t| t.task == on_task.task);
                if !on_task.contrast.significant || is_named(&better) || is_named(&worse) {
                    continue;
                }
                let gain = on_task.measure.is_gain(on_task.contrast.difference);
                if gain { &mut better } else { &mut worse }.push(on_task);
            }
        }
        if better.is_empty() && worse.is_empty() {
            return;
        }
        let general = self.contrast(longest, shortest, &What::General);
        let general = general.filter(|contrast| contrast.significant);
        let finding = LongerWindows { shortest, longest, better, worse, general };
        self.find(Finding::LongerWindows(finding));
    }
}

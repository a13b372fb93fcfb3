//! What each arm changes: its own text, all other text, tasks.

use sparkjoy_study::Role;

use super::Inference;
use crate::{ArmEffect, Finding, ScopeEffect, Verdict, What};

impl Inference<'_> {
    /// Each arm that answers the question, on text; with what it does to tasks, see
    /// [`Self::effects_on_tasks`].
    pub(super) fn effects_of_answers(&mut self) {
        for arm in self.arms(Role::Answer) {
            self.effect_on_text(arm);
        }
    }

    pub(super) fn effect_on_text(&mut self, arm: usize) {
        let (targeted, general) =
            (self.tested(arm, &What::Targeted), self.tested(arm, &What::General));
        let (better, worse) = (Vec::new(), Vec::new());
        self.find(Finding::Effect(ArmEffect { arm, targeted, general, better, worse }));
    }

    /// Every arm that changes a task, on tasks.
    pub(super) fn effects_on_tasks(&mut self) {
        for arm in 0..self.answer.arms.len() {
            self.effect_on_tasks(arm);
        }
    }

    /// Every arm that is compared on unseen text, on it.
    pub(super) fn effects_on_unseen(&mut self) {
        let scope = What::Unseen;
        let effect = |arm: usize| {
            Some(ScopeEffect { arm, tested: self.tested(arm, &scope)?, scope: scope.clone() })
        };
        let effects: Vec<ScopeEffect> = (0..self.answer.arms.len()).filter_map(effect).collect();
        if !effects.is_empty() {
            self.find(Finding::Unseen { effects });
        }
    }

    fn effect_on_tasks(&mut self, arm: usize) {
        let [better, worse] =
            [Verdict::Better, Verdict::Worse].map(|verdict| self.changes(arm, verdict));
        if !(better.is_empty() && worse.is_empty()) {
            let (targeted, general) = (None, None);
            self.find(Finding::Effect(ArmEffect { arm, targeted, general, better, worse }));
        }
    }

    /// Each removal and each refill on text and tasks, the whole mixture on tasks.
    pub(super) fn effects_of_removals(&mut self) {
        for role in [Role::Answer, Role::Refill] {
            for arm in self.arms(role) {
                let (targeted, general) =
                    (self.tested(arm, &What::Targeted), self.tested(arm, &What::General));
                let [better, worse] =
                    [Verdict::Better, Verdict::Worse].map(|verdict| self.changes(arm, verdict));
                self.find(Finding::Effect(ArmEffect { arm, targeted, general, better, worse }));
            }
        }
        for arm in 0..self.answer.arms.len() {
            if self.answer.arms[arm].role == Role::Whole {
                self.effect_on_tasks(arm);
            }
        }
    }
}

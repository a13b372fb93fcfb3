//! A question with its answer, and the ways figures and tables look at it.

use sparkjoy_answers::{Answer, ArmAnswer, TaskAnswer, What};
use sparkjoy_study::{Plan, QuestionPlan, Role};

use crate::estimate::{Estimate, Unit};

#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) plan: &'a Plan,
    pub(crate) question: &'a QuestionPlan,
    pub(crate) answer: &'a Answer,
}

/// What a column measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// What the arm is about.
    Targeted,
    General,
    /// Text that nothing trains on.
    Unseen,
    All,
}

impl Aim {
    /// All of them, in the order of columns.
    pub(crate) const EACH: [Self; 4] = [Self::Targeted, Self::General, Self::Unseen, Self::All];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Targeted => "targeted",
            Self::General => "general",
            Self::Unseen => "unseen",
            Self::All => "all sources",
        }
    }
}

impl<'a> View<'a> {
    /// The arms of some role, with their indices.
    pub(crate) fn arms(&self, roles: &'a [Role]) -> impl Iterator<Item = usize> + 'a {
        let arms = self.question.arms.iter().enumerate();
        arms.filter(|(_, arm)| roles.contains(&arm.role)).map(|(index, _)| index)
    }

    pub(crate) fn arm(&self, arm: usize) -> &'a ArmAnswer {
        &self.answer.arms[arm]
    }

    pub(crate) fn cell(&self, arm: usize, scope: usize) -> Option<Estimate> {
        self.arm(arm).cells[scope].as_ref().map(|cell| Estimate::of(cell, Unit::Bits))
    }

    /// An arm where it aims, elsewhere, or everywhere.
    pub(crate) fn aimed(&self, arm: usize, aim: Aim) -> Option<Estimate> {
        self.cell(arm, self.scope(aim)?)
    }

    pub(crate) fn task(task: &TaskAnswer, arm: usize) -> Option<Estimate> {
        let cell = task.cells.get(arm)?.as_ref();
        cell.map(|cell| Estimate::of(cell, Unit::of(task.measure)))
    }

    pub(crate) fn scope(&self, aim: Aim) -> Option<usize> {
        self.answer.scopes.iter().position(|scope| match scope.what {
            What::Targeted => aim == Aim::Targeted,
            What::General => aim == Aim::General,
            What::Unseen => aim == Aim::Unseen,
            What::All => aim == Aim::All,
            What::Domain { .. } | What::Source { .. } => false,
        })
    }

    /// Where arms aim, and elsewhere: what is tested of this study's text.
    pub(crate) fn tested(&self) -> Vec<Aim> {
        let tested = Aim::EACH.into_iter().filter(|&aim| aim != Aim::All);
        tested.filter(|&aim| self.scope(aim).is_some()).collect()
    }

    /// The scopes that are domains, or sources, with their names.
    pub(crate) fn named(&self, sources: bool) -> Vec<(usize, String)> {
        let scopes = self.answer.scopes.iter().enumerate();
        let name = |(index, scope): (usize, &sparkjoy_answers::Scope)| match &scope.what {
            What::Domain { name } if !sources => Some((index, name.to_string())),
            What::Source { domain, name } if sources => Some((index, format!("{domain} / {name}"))),
            _ => None,
        };
        scopes.filter_map(name).collect()
    }

    pub(crate) fn control(&self, arm: usize) -> &'a str {
        &self.answer.controls[self.arm(arm).control].label
    }

    /// Arms in the order they may be shown in: those that are ranked by their rank, then those that
    /// are not significant as the study has them, then those that are missing.
    pub(crate) fn ordered(&self, arms: &[usize]) -> [Vec<usize>; 3] {
        let rank = |arm: &usize| self.answer.ranking.iter().position(|ranked| ranked == arm);
        let mut ranked: Vec<usize> =
            arms.iter().copied().filter(|arm| rank(arm).is_some()).collect();
        ranked.sort_by_key(rank);
        let (missing, noise) = arms
            .iter()
            .copied()
            .filter(|arm| rank(arm).is_none())
            .partition(|&arm| Aim::EACH.iter().all(|&aim| self.aimed(arm, aim).is_none()));
        [ranked, noise, missing]
    }
}

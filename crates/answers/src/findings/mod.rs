//! Typed findings from the comparisons of a question, and no more than these say.
//!
//! Every further question is asked of differences between differences, item by item and replicate
//! by replicate, so that a shared control cancels.

mod arms;
mod decision;
mod effects;
mod front;
mod harm;
mod largest_gain;
mod no_loss;
mod not_significant;
mod on_tasks;
mod persistence;
mod place;
mod ranking;
mod redundancy;
mod surface;
mod transfer;
mod windows;

use sparkjoy_stats::{Effect, holm};
use sparkjoy_study::{Ask, QuestionPlan};

use crate::compare::Scale;
use crate::held_out::Text;
use crate::judge::Families;
use crate::tasks::Tasks;
use crate::{Answer, ArmAnswer, Contrast, Family, FamilyKind, Finding};

/// What the findings of one question are made from.
struct Inference<'a> {
    answer: &'a mut Answer,
    question: &'a QuestionPlan,
    families: Families,
    text: Text<'a>,
    tasks: &'a Tasks,
    scale: &'a mut Scale,
}

/// Adds findings, front, the largest gain and ranking.
pub(super) fn conclude<'a>(
    answer: &'a mut Answer,
    question: &'a QuestionPlan,
    families: Families,
    (text, tasks): (Text<'a>, &'a Tasks),
    scale: &'a mut Scale,
) {
    let mut inference = Inference { answer, question, families, text, tasks, scale };
    inference.incomplete();
    if inference.answer.replicates > 1 {
        inference.rank();
        let decides = inference.decide();
        match question.ask {
            Ask::Duration => {
                if !decides {
                    largest_gain::largest_gain(&mut inference);
                }
                inference.ranking();
                windows::on_tasks(&mut inference);
                inference.front();
            }
            Ask::Addition => {
                inference.effects_of_answers();
                if !decides && inference.is_about_one_set() {
                    largest_gain::largest_gain(&mut inference);
                }
                inference.ranking();
                inference.front();
            }
            Ask::Proportion => {
                // The blends of a simplex upsample different sources, so their targeted gains are
                // not of one thing: tables and the surface show them.
                if question.simplex.is_none() {
                    inference.effects_of_answers();
                    inference.ranking();
                    inference.front();
                }
            }
            Ask::Timing => place::place(&mut inference),
            Ask::Stability => persistence::persistence(&mut inference),
            Ask::Removal => {
                harm::harm(&mut inference);
                let redundant = redundancy::redundancy(&mut inference);
                no_loss::no_loss(&mut inference, &redundant);
                inference.effects_of_removals();
                inference.ranking();
            }
            Ask::Transfer => transfer::transfer(&mut inference),
        }
        if !matches!(question.ask, Ask::Duration | Ask::Removal) {
            inference.effects_on_tasks();
        }
        inference.effects_on_unseen();
        not_significant::on_text(&mut inference);
        not_significant::on_tasks(&mut inference);
    }
    inference.cost();
}

impl Inference<'_> {
    fn find(&mut self, finding: Finding) {
        self.answer.findings.push(finding);
    }

    /// What is missing comes first, so that nothing is read as if it were all.
    fn incomplete(&mut self) {
        let is_there = |arm: &ArmAnswer| arm.cells.first().is_some_and(Option::is_some);
        let there = self.answer.arms.iter().filter(|arm| is_there(arm)).count();
        let of = self.answer.arms.len();
        if there < of {
            self.find(Finding::Incomplete { missing: of - there, of });
        }
        if self.answer.replicates == 1 {
            self.find(Finding::SingleReplicate);
        }
        for gap in 0..self.answer.gaps.len() {
            self.find(Finding::NotCompared { gap });
        }
    }

    /// Whether an effect is significant by itself.
    fn is_significant(&self, p: f64) -> bool {
        p <= 1.0 - self.scale.confidence
    }

    fn family(&self, of: FamilyKind) -> Family {
        let comparisons = match of {
            FamilyKind::HeldOut => self.families.held_out,
            FamilyKind::Unseen => self.families.unseen,
            FamilyKind::Accuracy => self.families.accuracy,
            FamilyKind::GoldBitsPerByte => self.families.gold_bits,
            _ => 1,
        };
        Family { of, comparisons }
    }

    /// A contrast that is not corrected.
    fn alone(&self, arm: usize, rival: usize, effect: Effect) -> Contrast {
        Contrast {
            arm,
            rival,
            difference: effect.mean,
            p: effect.p,
            adjusted_p: effect.p,
            family: self.family(FamilyKind::Single),
            significant: self.is_significant(effect.p),
            effect: Some(effect),
        }
    }

    /// Corrects contrasts together.
    fn together<'c>(&self, of: FamilyKind, contrasts: impl Iterator<Item = &'c mut Contrast>) {
        let contrasts: Vec<&mut Contrast> = contrasts.collect();
        let p: Vec<f64> = contrasts.iter().map(|contrast| contrast.p).collect();
        let family = Family { of, comparisons: p.len() };
        for (contrast, adjusted_p) in contrasts.into_iter().zip(holm(&p)) {
            contrast.adjusted_p = adjusted_p;
            contrast.family = family;
            contrast.significant = self.is_significant(adjusted_p);
        }
    }

    fn cost(&mut self) {
        let (tree, full) = (self.answer.cost.tree, self.answer.cost.in_full);
        self.find(Finding::Cost { times: full.flops as f64 / tree.flops as f64 });
    }
}

//! Whether the order of arms holds in other settings.
//!
//! An order is only compared over arms whose targeted effect is significant in the first setting,
//! after the correction of the question: the order of differences that may all be 0 is noise. With
//! three or more such arms it is tested by Kendall's τ, with two by the difference between them,
//! which must be significant in both settings; with fewer there is no ranking to compare. p is
//! corrected by Holm over the settings the first one is compared with.

use sparkjoy_stats::{Agreement, Effect, agreement, holm};

use super::Inference;
use crate::{Contrast, Family, FamilyKind, Finding, Held, Holds, Order, Transfer, Verdict, What};

/// What was tested in one setting, before correction.
enum Test {
    Pair(Box<Contrast>, Box<Contrast>),
    Ranks(Agreement, Vec<[usize; 2]>),
}

impl Test {
    /// p, and 1 if the order is the same, −1 if it is the opposite.
    fn result(&self) -> (f64, f64) {
        match self {
            Self::Pair(first, other) => {
                let same = first.difference.signum() * other.difference.signum();
                (first.p.max(other.p), same)
            }
            Self::Ranks(agreement, _) => (agreement.p, agreement.tau.signum()),
        }
    }
}

pub(super) fn transfer(inference: &mut Inference<'_>) {
    let settings = inference.answer.settings.clone();
    let Some((first, elsewhere)) = settings.split_first() else { return };
    let is_significant = |&arm: &usize| {
        let cell = inference.cell(arm, &What::Targeted);
        cell.is_some_and(|cell| matches!(cell.verdict, Verdict::Better | Verdict::Worse))
    };
    let arms: Vec<usize> =
        (0..first.arms.len()).filter(|&place| is_significant(&first.arms[place])).collect();
    let labels: Vec<String> =
        arms.iter().map(|&place| inference.first_label(first.arms[place])).collect();

    let tests: Vec<Option<Test>> =
        elsewhere.iter().map(|other| inference.test(&arms, &first.arms, &other.arms)).collect();
    // A setting that is not scored yet counts with p = 1, so that nothing is taken back when it is.
    let p = tests.iter().map(|test| test.as_ref().map_or(1.0, |test| test.result().0));
    let adjusted = holm(&p.collect::<Vec<f64>>());
    let family = Family { of: FamilyKind::Settings, comparisons: elsewhere.len() };
    for (place, (test, adjusted_p)) in tests.into_iter().zip(adjusted).enumerate() {
        let setting = place + 1;
        let outcome = |test: &Test| match test.result() {
            _ if !inference.is_significant(adjusted_p) => Held::NotSignificant,
            (_, same) if same > 0.0 => Held::Holds,
            _ => Held::Reversed,
        };
        let order = match test {
            None if arms.len() > 1 => continue,
            None => Order::NoRanking,
            Some(test) => {
                let outcome = outcome(&test);
                match test {
                    Test::Pair(first, other) => {
                        Order::Pair { first, other, adjusted_p, family, outcome }
                    }
                    Test::Ranks(agreement, changed) => {
                        let (arms, changed) = (arms.clone(), changed);
                        let holds = Holds {
                            setting,
                            arms,
                            agreement,
                            adjusted_p,
                            changed: changed.clone(),
                        };
                        inference.answer.holds.push(holds);
                        Order::Ranks { agreement, changed, adjusted_p, family, outcome }
                    }
                }
            }
        };
        let (arms, labels) = (arms.clone(), labels.clone());
        inference.find(Finding::Transfer(Transfer { setting, arms, labels, order }));
    }
}

impl Inference<'_> {
    /// What an arm is called in the question that is transferred.
    fn first_label(&self, arm: usize) -> String {
        let arm = &self.question.arms[arm];
        let of = self.question.of.and_then(|of| self.text.plan.questions.get(of - 1));
        let is_it = |first: &&sparkjoy_study::Arm| {
            first.branches == arm.branches && first.controls == arm.controls
        };
        let first = of.and_then(|question| question.arms.iter().find(is_it));
        first.unwrap_or(arm).label.clone()
    }

    /// - `arms`: places in a setting; `here`, `there`: the arms of the settings.
    fn test(&mut self, arms: &[usize], here: &[usize], there: &[usize]) -> Option<Test> {
        if let [one, other] = arms[..] {
            return Some(Test::Pair(
                Box::new(self.difference(here[one], here[other])?),
                Box::new(self.difference(there[one], there[other])?),
            ));
        }
        let effects = |setting: &[usize]| {
            let of = |&place: &usize| self.effect(setting[place], &What::Targeted).cloned();
            arms.iter().map(of).collect::<Option<Vec<Effect>>>()
        };
        let (first, other) = (effects(here)?, effects(there)?);
        let (confidence, seed) = (self.scale.confidence, self.text.plan.seed.0);
        let agreement = agreement(&first, &other, confidence, seed)?;
        let mut changed = Vec::new();
        for i in 0..arms.len() {
            for j in i + 1..arms.len() {
                let order = |effects: &[Effect]| effects[i].mean.total_cmp(&effects[j].mean);
                if order(&first) != order(&other) {
                    changed.push([arms[i], arms[j]]);
                }
            }
        }
        Some(Test::Ranks(agreement, changed))
    }
}

//! Says in sentences what the numbers of an answer say, and no more than they say.

mod curve;
mod harm;
mod removal;
mod tasks;
mod transfer;
mod twins;
mod windows;

use sparkjoy_stats::{Effect, holm};

use super::compare::Scale;
use super::held_out::Text;
use super::tasks::Tasks;
use super::{Answer, ArmAnswer, Comparison, Finding, FindingKind, Verdict, What};
use sparkjoy_study::{Ask, QuestionPlan, Role};

/// What the sentences of one question are made from.
pub(super) struct Speaker<'a> {
    answer: &'a mut Answer,
    question: &'a QuestionPlan,
    text: Text<'a>,
    tasks: &'a Tasks,
    scale: &'a mut Scale,
}

/// Adds findings, front, recommendation and ranking.
pub(super) fn conclude<'a>(
    answer: &'a mut Answer,
    question: &'a QuestionPlan,
    (text, tasks): (Text<'a>, &'a Tasks),
    scale: &'a mut Scale,
) {
    let mut speaker = Speaker { answer, question, text, tasks, scale };
    speaker.incomplete();
    if speaker.answer.replicates > 1 {
        speaker.rank();
        match question.ask {
            Ask::Duration => curve::duration(&mut speaker),
            Ask::Addition => curve::addition(&mut speaker),
            Ask::Proportion => curve::proportion(&mut speaker),
            Ask::Timing => curve::timing(&mut speaker),
            Ask::Stability => curve::stability(&mut speaker),
            Ask::Removal => removal::removal(&mut speaker),
            Ask::Transfer => transfer::transfer(&mut speaker),
        }
        if !matches!(question.ask, Ask::Duration | Ask::Removal) {
            speaker.each_on_tasks();
        }
        speaker.nulls();
        speaker.nulls_of_tasks();
    }
    speaker.cost();
}

impl Speaker<'_> {
    fn say(&mut self, kind: FindingKind, text: String) {
        self.answer.findings.push(Finding { kind, text });
    }

    /// What is missing comes first, so that nothing is read as if it were all.
    fn incomplete(&mut self) {
        let cells = |arm: &ArmAnswer| arm.cells.first().is_some_and(Option::is_some);
        let there = self.answer.arms.iter().filter(|arm| cells(arm)).count();
        let all = self.answer.arms.len();
        if there < all {
            let text = format!(
                "{} of {all} comparisons are missing; what follows is about the others.",
                all - there
            );
            self.say(FindingKind::Caution, text);
        }
        if self.answer.replicates == 1 {
            let text = "With a single replicate nothing is known about noise: no difference can \
                        be told from chance, and nothing is ranked.";
            self.say(FindingKind::Caution, text.to_owned());
        }
        let gaps: Vec<String> = self.answer.gaps.iter().map(|gap| gap.why.clone()).collect();
        for why in gaps {
            self.say(FindingKind::Caution, format!("Not compared: {why}."));
        }
    }

    /// The comparison of an arm in a scope.
    fn cell(&self, arm: usize, what: &What) -> Option<&Comparison> {
        let scope = self.answer.scopes.iter().position(|scope| scope.what == *what)?;
        self.answer.arms[arm].cells[scope].as_ref()
    }

    fn effect(&self, arm: usize, what: &What) -> Option<&Effect> {
        self.cell(arm, what)?.effect.as_ref()
    }

    /// Arms of a role whose targeted effect is there, as they are asked.
    fn arms(&self, role: Role) -> Vec<usize> {
        let arms = (0..self.answer.arms.len()).filter(|&arm| self.answer.arms[arm].role == role);
        arms.filter(|&arm| self.effect(arm, &What::Targeted).is_some()).collect()
    }

    fn label(&self, arm: usize) -> String {
        self.answer.arms[arm].label.clone()
    }

    fn is_better(&self, arm: usize) -> bool {
        self.cell(arm, &What::Targeted).is_some_and(|cell| cell.verdict == Verdict::Better)
    }

    /// How much the targeted effect of one arm differs from that of another, if both are about
    /// the same sources.
    fn contrast(&mut self, one: usize, other: usize, what: &What) -> Option<Effect> {
        let arms = [&self.question.arms[one], &self.question.arms[other]];
        self.text.contrast(what, arms, self.scale)
    }

    fn is_sure(&self, effect: &Effect) -> bool {
        effect.p <= 1.0 - self.scale.confidence
    }

    /// `−0.0483 bits per byte (95 % interval −0.0520 to −0.0446)`.
    fn bits(&self, effect: &Effect) -> String {
        format!(
            "{} bits per byte ({} interval {} to {})",
            signed(effect.mean),
            self.percent(),
            signed(effect.low),
            signed(effect.high)
        )
    }

    fn percent(&self) -> String {
        let percent = format!("{:.1}", 100.0 * self.scale.confidence);
        format!("{} %", percent.trim_end_matches(".0"))
    }

    /// What an arm does to all sources it is not about.
    fn price(&self, arm: usize) -> Option<String> {
        let cell = self.cell(arm, &What::General)?;
        let effect = cell.effect.as_ref()?;
        Some(match cell.verdict {
            Verdict::Worse => format!("It costs all other sources {}.", self.bits(effect)),
            Verdict::Better => format!("All other sources gain too: {}.", self.bits(effect)),
            _ => {
                let seen = cell.detectable.map_or_else(String::new, |least| {
                    format!("; a change of {least:.4} would have been seen in four of five studies")
                });
                format!(
                    "What it does to all other sources is not distinguishable from nothing: \
                     {}{seen}.",
                    self.bits(effect)
                )
            }
        })
    }

    /// Arms that no other beats in both what they gain and what they cost.
    fn front(&mut self) {
        let arms = self.arms(Role::Answer);
        let both = |arm: &usize| {
            Some((
                self.effect(*arm, &What::Targeted)?.mean,
                self.effect(*arm, &What::General)?.mean,
            ))
        };
        let points: Vec<(usize, (f64, f64))> =
            arms.iter().filter_map(|arm| Some((*arm, both(arm)?))).collect();
        let beaten = |(gain, price): (f64, f64)| {
            let better = |&(_, (g, p)): &(usize, (f64, f64))| {
                g <= gain && p <= price && (g < gain || p < price)
            };
            points.iter().any(better)
        };
        let front: Vec<usize> =
            points.iter().filter(|(_, point)| !beaten(*point)).map(|(arm, _)| *arm).collect();
        if points.len() > 1 {
            let names: Vec<String> =
                front.iter().map(|&arm| format!("`{}`", self.label(arm))).collect();
            let text = if front.len() == points.len() {
                "No arm is beaten by another in both targeted gain and general price: all are on \
                 the Pareto front."
                    .to_owned()
            } else {
                format!(
                    "On the Pareto front of targeted gain against general price: {}; every other \
                     arm is beaten in both.",
                    names.join(", ")
                )
            };
            self.say(FindingKind::Front, text);
        }
        self.answer.front = front;
    }

    /// Distinguishable arms, those with the lowest targeted loss first; for a removal, the largest
    /// loss first, since what is dearest is what is missed most.
    fn rank(&mut self) {
        let mut ranked: Vec<(f64, usize)> = Vec::new();
        for arm in self.arms(Role::Answer) {
            let cell = self.cell(arm, &What::Targeted);
            if let Some(Comparison { verdict: Verdict::Better | Verdict::Worse, effect, .. }) = cell
            {
                let mean = effect.as_ref().map_or(0.0, |effect| effect.mean);
                let removal = self.answer.ask == Ask::Removal;
                ranked.push((if removal { -mean } else { mean }, arm));
            }
        }
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.answer.ranking = ranked.into_iter().map(|(_, arm)| arm).collect();
    }

    /// Neighbours of the ranking that cannot be told apart, by their targeted effects.
    fn ranking(&mut self, better: &str) {
        let ranking = self.answer.ranking.clone();
        if ranking.len() < 2 {
            return;
        }
        let pairs: Vec<Option<f64>> =
            ranking.windows(2).map(|pair| self.difference(pair[0], pair[1])).collect();
        let known: Vec<f64> = pairs.iter().flatten().copied().collect();
        let mut adjusted = holm(&known).into_iter();
        let mut text = format!("By {better}: `{}`", self.label(ranking[0]));
        for (pair, &arm) in pairs.iter().zip(&ranking[1..]) {
            let sure =
                pair.is_some() && adjusted.next().is_some_and(|p| p <= 1.0 - self.scale.confidence);
            let between = if sure { ", then" } else { ", not distinguishable from" };
            text = format!("{text}{between} `{}`", self.label(arm));
        }
        self.say(FindingKind::Ranking, format!("{text}."));
    }

    /// p of the difference between the targeted effects of two arms, each on its own sources.
    fn difference(&mut self, one: usize, other: usize) -> Option<f64> {
        if let Some(effect) = self.contrast(one, other, &What::Targeted) {
            return Some(effect.p);
        }
        // About different sources: nothing is shared but the noise of their controls, and without
        // pairing what is left is on the safe side where they have it in common.
        let (one, other) =
            (self.effect(one, &What::Targeted)?, self.effect(other, &What::Targeted)?);
        Some(one.p_against(other))
    }

    /// Every tested comparison that saw nothing, with what it could have seen.
    fn nulls(&mut self) {
        let mut nulls = Vec::new();
        for arm in 0..self.answer.arms.len() {
            for (what, words) in [(What::Targeted, "its own text"), (What::General, "all else")] {
                let Some(cell) = self.cell(arm, &what) else { continue };
                let (Some(effect), Some(least)) = (&cell.effect, cell.detectable) else { continue };
                // The recommendation has said it.
                if what == What::General && self.answer.recommended == Some(arm) {
                    continue;
                }
                if cell.verdict == Verdict::NotDistinguishable {
                    let ArmAnswer { control, .. } = self.answer.arms[arm];
                    let against = match self.answer.arms[arm].role {
                        Role::Answer => String::new(),
                        _ => format!(" against {}", self.answer.controls[control].label),
                    };
                    nulls.push(format!(
                        "{words} of `{}`{against} {} ({least:.4})",
                        self.label(arm),
                        signed(effect.mean),
                    ));
                }
            }
        }
        if !nulls.is_empty() {
            let text = format!(
                "Not distinguishable from nothing, in bits per byte, each with what would have been \
                 seen in four of five studies: {}.",
                nulls.join("; ")
            );
            self.say(FindingKind::Null, text);
        }
    }

    fn cost(&mut self) {
        let (tree, full) = (self.answer.cost.tree, self.answer.cost.in_full);
        let text = format!(
            "By itself the question takes {} tokens and {:.2e} FLOPs of training; every run in \
             full would take {} tokens and {:.2e} FLOPs, {:.1} times as much.",
            tree.tokens,
            tree.flops as f64,
            full.tokens,
            full.flops as f64,
            full.flops as f64 / tree.flops as f64
        );
        self.say(FindingKind::Cost, text);
    }
}

/// Four places and a sign.
fn signed(value: f64) -> String {
    let text = format!("{value:+.4}").replace('-', "−");
    if matches!(text.as_str(), "+0.0000" | "−0.0000") { "0.0000".to_owned() } else { text }
}

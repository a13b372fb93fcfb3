//! Which arm to choose, and which source to keep, under the objective of the study.

use std::collections::BTreeSet;

use sparkjoy_base::SourceName;
use sparkjoy_stats::{Candidate as Judge, GuardState, Numbered, Order, Stratum, holm, optimum};
use sparkjoy_study::{Arm, Ask, Measured, Objective, Role};

use super::Inference;
use super::largest_gain::next;
use crate::decidable::is_axis;
use crate::measured::{Numbers, gains};
use crate::{Candidate, Decision, Fate, Finding, GainUnit, GuardedMeasure, RemovalDecision};

impl Inference<'_> {
    /// Decides where the study has an objective and the question offers something to choose.
    /// Returns whether it has and does.
    pub(super) fn decide(&mut self) -> bool {
        let Some(objective) = self.text.plan.objective.clone() else { return false };
        match self.question.ask {
            Ask::Duration | Ask::Addition | Ask::Proportion | Ask::Timing => {
                self.choose(&objective);
            }
            Ask::Removal => self.judge_removals(&objective),
            Ask::Stability | Ask::Transfer => return false,
        }
        true
    }

    fn choose(&mut self, objective: &Objective) {
        let arms = match self.arms_along_axis() {
            arms if arms.is_empty() => return,
            arms => arms,
        };
        let (mut numbers, mut judged, mut costs) = (Numbers::default(), Vec::new(), Vec::new());
        for &arm in &arms {
            let of = &self.question.arms[arm];
            let cost = self.cost_of(objective, of);
            match self.candidate(objective, of, &BTreeSet::new(), cost, &mut numbers) {
                Ok((candidate, _)) => judged.push(candidate),
                Err(what) => return self.find(Finding::NotMeasured { what }),
            }
            costs.push(cost);
        }
        let shares: Vec<f64> = arms.iter().filter_map(|&arm| self.answer.arms[arm].at).collect();
        let is_axis = is_axis(&shares, arms.len());
        let (confidence, seed) = (self.scale.confidence, self.text.plan.seed.0);
        // A later place reads no more than an earlier one.
        let grows = is_axis && self.question.ask != Ask::Timing;
        let order = if grows { Order::Ascending } else { Order::None };
        let decision = self.scale.resampling().decide(&judged, order, confidence, seed);
        let Some(decision) = decision else { return };
        let optimum = is_axis.then(|| optimum(&judged, &shares, confidence, seed)).flatten();
        let surface = self.surface(&judged, &arms);
        let chosen = decision.chosen;
        let next = match chosen {
            Some(place) if grows => next(self, &arms, arms[place]),
            _ => Vec::new(),
        };
        let candidates = arms.iter().zip(decision.candidates).zip(costs);
        let finding = Decision {
            candidates: candidates
                .map(|((&arm, judged), cost)| Candidate { arm, judged, cost })
                .collect(),
            guards: objective.guards.iter().map(|guard| GuardedMeasure::of(&guard.of)).collect(),
            base: decision.base,
            chosen: chosen.map(|place| arms[place]),
            alike: decision.alike.iter().map(|&place| arms[place]).collect(),
            optimum,
            surface,
            next,
            objective: objective.targets_in_words(),
            unit: GainUnit::of(objective.targets.iter().map(|target| &target.of)),
        };
        self.find(Finding::Decision(Box::new(finding)));
    }

    fn judge_removals(&mut self, objective: &Objective) {
        let removes = |arm: &usize| !self.question.arms[*arm].removes.is_empty();
        let arms: Vec<usize> = self.arms(Role::Answer).into_iter().filter(removes).collect();
        let (mut numbers, mut judged) = (Numbers::default(), Vec::new());
        for arm in arms {
            let of = &self.question.arms[arm];
            match self.candidate(objective, of, &of.targets, 0.0, &mut numbers) {
                Ok((candidate, guarded)) if !candidate.objective.is_empty() => {
                    judged.push((arm, candidate, guarded));
                }
                Ok(_) => self.find(Finding::OwnTextAlone { arm }),
                Err(what) => return self.find(Finding::NotMeasured { what }),
            }
        }
        let (confidence, seed) = (self.scale.confidence, self.text.plan.seed.0);
        let all: Vec<Judge> = judged.iter().map(|(_, candidate, _)| candidate.clone()).collect();
        if all.is_empty() {
            return;
        }
        let decision = self.scale.resampling().decide(&all, Order::None, confidence, seed);
        let Some(decision) = decision else { return };
        let equivalent = objective.margin.and_then(|margin| self.equivalent(&all, margin));
        let unit = GainUnit::of(objective.targets.iter().map(|target| &target.of));
        for (place, (arm, _, guarded)) in judged.into_iter().enumerate() {
            let of = &self.question.arms[arm];
            let own: Vec<(&SourceName, f64)> = of.targets.iter().map(|name| (name, 1.0)).collect();
            let own = self.text.percent(&own, of).and_then(|strata| self.scale.effect(&strata));
            let judged = decision.candidates[place].clone();
            let equivalence = equivalent.as_ref().map(|p| p[place]);
            let alpha = 1.0 - confidence;
            let broken = judged.guards.iter().any(|guard| guard.state == GuardState::Broken);
            let significant = judged.adjusted_p <= alpha;
            let fate = if broken {
                Fate::Keep
            } else if equivalence.is_some_and(|p| p <= alpha) && judged.allowed {
                Fate::NotNeeded
            } else if judged.improves && judged.allowed {
                Fate::Drop
            } else if significant && judged.gain.mean < 0.0 {
                Fate::Keep
            } else {
                Fate::NotDecided
            };
            let margin = objective.margin;
            let finding =
                RemovalDecision { arm, fate, judged, guarded, equivalence, own, unit, margin };
            self.find(Finding::RemovalDecision(Box::new(finding)));
        }
    }

    /// Per candidate, p that its objective changes by less than `margin` in both directions,
    /// corrected over the candidates.
    ///
    /// # Source
    ///
    /// Two one-sided tests: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987).
    fn equivalent(&mut self, candidates: &[Judge], margin: f64) -> Option<Vec<f64>> {
        let confidence = self.scale.confidence;
        let mut one = |candidate: &Judge| {
            let strata: Vec<Stratum> =
                candidate.objective.iter().map(|(_, stratum)| stratum.clone()).collect();
            self.scale.resampling().p_within(&strata, margin, confidence)
        };
        let p: Vec<f64> = candidates.iter().map(&mut one).collect::<Option<_>>()?;
        Some(holm(&p))
    }

    /// An arm as a candidate, with what is guarded: without the text of some sources.
    ///
    /// # Errors
    ///
    /// What is not scored.
    fn candidate(
        &self,
        objective: &Objective,
        arm: &Arm,
        without: &BTreeSet<SourceName>,
        cost: f64,
        numbers: &mut Numbers,
    ) -> Result<(Judge, Vec<GuardedMeasure>), String> {
        let mut gains_of =
            |of: &Measured| match gains((self.text, self.tasks), of, arm, without, numbers) {
                Some(strata) => Ok(strata),
                // Its own text is left out of a removal, so of this nothing may be left.
                None if self.is_within(of, without) => Ok(Vec::new()),
                None => Err(of.to_string()),
            };
        let mut parts: Vec<(f64, Vec<Numbered>)> = Vec::new();
        for target in &objective.targets {
            parts.push((target.weight, gains_of(&target.of)?));
        }
        parts.retain(|(_, strata)| !strata.is_empty());
        let all: f64 = parts.iter().map(|(weight, _)| weight).sum();
        let mut gain = Vec::new();
        for (weight, strata) in parts {
            for (number, mut stratum) in strata {
                stratum.weight *= weight / all;
                for item in stratum.differences.iter_mut().flatten() {
                    *item -= cost;
                }
                gain.push((number, stratum));
            }
        }
        let (mut guards, mut names) = (Vec::new(), Vec::new());
        for guard in &objective.guards {
            let mut loss = gains_of(&guard.of)?;
            for item in loss.iter_mut().flat_map(|(_, s)| s.differences.iter_mut().flatten()) {
                *item = -*item;
            }
            if !loss.is_empty() {
                guards.push((loss, guard.margin));
                names.push(GuardedMeasure::of(&guard.of));
            }
        }
        Ok((Judge { objective: gain, guards }, names))
    }

    /// Whether a measure is about text of these sources alone.
    fn is_within(&self, of: &Measured, sources: &BTreeSet<SourceName>) -> bool {
        let plan = self.text.plan;
        match of {
            Measured::Source { name } => sources.contains(name),
            Measured::Domain { name } => {
                let mut of_domain =
                    plan.sources.iter().filter(|(_, source)| source.domain == *name);
                of_domain.all(|(name, _)| sources.contains(name))
            }
            Measured::Mixture { name } => {
                let mixture = plan.mixtures.get(name);
                let mut names = mixture.iter().flat_map(|mixture| mixture.proportions().keys());
                names.all(|name| sources.contains(name))
            }
            _ => false,
        }
    }

    /// What the data of an arm costs more than that of its control.
    fn cost_of(&self, objective: &Objective, arm: &Arm) -> f64 {
        let plan = self.text.plan;
        let epochs = |branch: usize, source: &SourceName| {
            let read = plan.branches[branch].accounts.get(source).map_or(0, |it| it.branch.0);
            read as f64 / plan.sources[source].tokens.0 as f64
        };
        let (branch, control) = (arm.branches[0], arm.controls[0]);
        let costs = objective.costs.iter();
        costs.map(|(name, cost)| cost * (epochs(branch, name) - epochs(control, name))).sum()
    }
}

//! Sources a task is better off without.
//!
//! A removal frees a share, and whoever gets it may be what helps. So a source is only said to do
//! harm where the room it takes does not explain it: among the other removals that free no less,
//! under the same refill rule, and that the task does not miss, even the one it gains most from
//! gains distinguishably less.
//! Where there is none, or where it gains as much, the task is better off without it all the same,
//! and the sentence says that why is not told. A source that another task misses is no harm at all.

use sparkjoy_stats::{Effect, holm};

use super::Speaker;
use super::tasks::is_gain;
use crate::{FindingKind, Verdict};
use sparkjoy_study::Role;

/// A removal that makes a task better.
struct Harm {
    arm: usize,
    /// The tasks.
    better: Vec<usize>,
    /// The task whose gain is surest.
    task: usize,
    /// The removal that frees no less and gains most, and how much more than that this one gains.
    rival: Option<(usize, Effect)>,
}

pub(super) fn harm(speaker: &mut Speaker<'_>) {
    let arms = speaker.arms(Role::Answer);
    let better: Vec<(usize, Vec<usize>)> = arms
        .iter()
        .map(|&arm| (arm, speaker.changed(arm, Verdict::Better)))
        .filter(|(_, tasks)| !tasks.is_empty())
        .collect();
    let targets = |arm: usize| &speaker.answer.arms[arm].targets;
    // What a source does by itself it does in company too.
    let is_company = |&(arm, _): &(usize, Vec<usize>)| {
        let within = |&(part, _): &(usize, Vec<usize>)| {
            targets(part).len() < targets(arm).len()
                && targets(part).is_subset(targets(arm))
                && speaker.same_refill(part, arm)
        };
        better.iter().any(within)
    };
    let alone: Vec<(usize, Vec<usize>)> =
        better.iter().filter(|one| !is_company(one)).cloned().collect();
    let mut harms = Vec::new();
    for (arm, better) in alone {
        let sureness = |&task: &usize| {
            let effect = speaker.on_task(task, arm).and_then(|cell| cell.effect.as_ref());
            effect.map_or(0.0, |effect| effect.mean.abs() / effect.standard_error)
        };
        let surest = better.iter().max_by(|a, b| sureness(a).total_cmp(&sureness(b)));
        let Some(&task) = surest else { continue };
        let rival = speaker.rival(arm, task, &arms);
        harms.push(Harm { arm, better, task, rival });
    }
    let asked: Vec<f64> = harms.iter().filter_map(|harm| Some(harm.rival.as_ref()?.1.p)).collect();
    let mut adjusted = holm(&asked).into_iter();
    for harm in harms {
        let p = harm.rival.as_ref().and_then(|_| adjusted.next());
        speaker.blame(harm, p);
    }
}

impl Speaker<'_> {
    /// The removal that tells harm from room.
    fn rival(&mut self, arm: usize, task: usize, arms: &[usize]) -> Option<(usize, Effect)> {
        let freed = self.freed(arm);
        let measure = self.answer.tasks[task].measure;
        let is_rival = |&other: &usize| {
            let [one, two] = [arm, other].map(|arm| &self.answer.arms[arm].targets);
            one.is_disjoint(two)
                && self.same_refill(arm, other)
                && self.freed(other) >= freed
                // What the task misses is more than room.
                && self.verdict_on(task, other) != Some(Verdict::Worse)
        };
        let gain = |other: usize| {
            let mean = self.on_task(task, other)?.effect.as_ref()?.mean;
            Some((if measure.lower_is_better() { -mean } else { mean }, other))
        };
        let rivals = arms.iter().copied().filter(is_rival).filter_map(gain);
        let (_, rival) = rivals.max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((rival, self.combined_on(task, &[(1.0, arm), (-1.0, rival)])?))
    }

    /// The share of the mixture that a removal frees, in parts per million.
    fn freed(&self, arm: usize) -> u32 {
        let mixture = self.answer.mixture.as_ref().and_then(|m| self.text.plan.mixtures.get(m));
        let shares = mixture.iter().flat_map(|mixture| mixture.proportions());
        let targets = &self.answer.arms[arm].targets;
        shares.filter(|(name, _)| targets.contains(*name)).map(|(_, share)| share.0).sum()
    }

    /// - `p`: of the difference to the rival, corrected.
    fn blame(&mut self, Harm { arm, better, task, rival }: Harm, p: Option<f64>) {
        let removed = self.removed(arm);
        let (it, its, does, is) = match removed.len() {
            1 => ("it", "its", "does", "is"),
            _ => ("them", "their", "do", "are"),
        };
        let names = removed.join(" and ");
        let refill =
            self.refill(arm).map_or_else(String::new, |refill| format!(" ({its} {refill})"));
        let better = self.list(arm, &better);
        let mut without = format!("without {it}{refill} the model does better: {better}");
        let worse = self.changed(arm, Verdict::Worse);
        if !worse.is_empty() {
            without = format!("{without}; worse: {}", self.list(arm, &worse));
        }
        let measure = self.answer.tasks[task].measure;
        let is_more = |effect: &Effect| is_gain(measure, effect);
        let is_sure = p.is_some_and(|p| p <= 1.0 - self.scale.confidence);
        let harms = rival.as_ref().is_some_and(|(_, more)| is_sure && is_more(more));
        let kind =
            if harms && worse.is_empty() { FindingKind::Harmful } else { FindingKind::Trade };
        let text = match &rival {
            _ if !worse.is_empty() => format!("{names} {does} one thing for another: {without}."),
            Some((rival, more)) if harms => format!(
                "{names} {does} harm: {without}. The room alone does not explain it: without {}, \
                 which frees no less, `{}` gains distinguishably less, by {}.",
                self.removed(*rival).join(" and "),
                self.answer.tasks[task].task,
                self.amount(measure, more)
            ),
            Some((rival, more)) => format!(
                "{names} {is} better left out: {without}. Whether for what is taught or for the \
                 room is not told: without {}, which frees no less, `{}` gains no less that can \
                 be told (difference {}).",
                self.removed(*rival).join(" and "),
                self.answer.tasks[task].task,
                self.amount(measure, more)
            ),
            None => format!(
                "{names} {is} better left out: {without}. Whether for what is taught or for the \
                 room is not told: no other removal frees as much."
            ),
        };
        self.say(kind, text);
    }
}

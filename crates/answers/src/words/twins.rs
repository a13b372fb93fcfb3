//! Sources that stand in for each other, and sources that nothing misses.
//!
//! Sources are redundant where each may go and all may not. That nothing was seen without one of
//! them is not enough, since a study without power sees nothing either. What is asked instead, of a
//! removal of several and the removals of each of them under the same refill rule:
//!
//! - without all of them a task is marked worse;
//! - without any one of them it is not;
//! - and each of them alone costs distinguishably less than its part (half of two) of what all of
//!   them cost together. So their losses do not add up to the loss of all.
//!
//! Their own text says the same where, in place of the last two, each one's own text loses
//! distinguishably less than half without it alone of what it loses without all of them. A text of
//! which another source teaches a little is no twin.

use sparkjoy_stats::{Effect, holm};

use super::Speaker;
use super::tasks::{self, is_gain, name};
use crate::{Comparison, FindingKind, Measure, Verdict, What};
use sparkjoy_study::{Arm, Role};

/// Several sources removed together, and each of them alone.
struct Group {
    all: usize,
    each: Vec<usize>,
}

impl Group {
    fn together(&self) -> &'static str {
        if self.each.len() == 2 { "both" } else { "all of them" }
    }
}

/// What shows that a group is redundant, in words, and how sure.
struct Sign {
    group: usize,
    p: f64,
    text: String,
}

/// Says which sources stand in for each other, and returns the arms that remove one of them.
pub(super) fn twins(speaker: &mut Speaker<'_>) -> Vec<usize> {
    let groups = speaker.groups();
    let mut signs = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        for task in speaker.changed(group.all, Verdict::Worse) {
            let sign = speaker.sign_on_task(group, task);
            signs.extend(sign.map(|(p, text)| Sign { group: index, p, text }));
        }
        let sign = speaker.sign_on_text(group);
        signs.extend(sign.map(|(p, text)| Sign { group: index, p, text }));
    }
    let p: Vec<f64> = signs.iter().map(|sign| sign.p).collect();
    let sure = 1.0 - speaker.scale.confidence;
    let adjusted = holm(&p);
    let mut twins = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let of_group = signs.iter().zip(&adjusted).filter(|(sign, _)| sign.group == index);
        let seen: Vec<&str> =
            of_group.filter(|(_, p)| **p <= sure).map(|(sign, _)| sign.text.as_str()).collect();
        if !seen.is_empty() {
            speaker.stand_in(group, &seen);
            twins.extend(&group.each);
        }
    }
    twins
}

/// Says which sources nothing else was seen to miss, where something else was seen to be missed.
///
/// - `twins`: arms about which more is known.
pub(super) fn idle(speaker: &mut Speaker<'_>, twins: &[usize]) {
    let arms = speaker.arms(Role::Answer);
    let is_worse =
        |arm: usize| speaker.beyond(arm).iter().any(|(_, cell)| cell.verdict == Verdict::Worse);
    if !arms.iter().any(|&arm| is_worse(arm)) {
        return;
    }
    let is_idle = |&arm: &usize| {
        let whole = speaker.cell(arm, &What::General).is_some()
            && speaker.answer.tasks.iter().all(|task| task.cells[arm].is_some());
        let better = !speaker.changed(arm, Verdict::Better).is_empty();
        whole && !better && !is_worse(arm) && !twins.contains(&arm)
    };
    let idle: Vec<usize> = arms.into_iter().filter(is_idle).collect();
    if idle.is_empty() {
        return;
    }
    let cells: Vec<(Option<Measure>, &Comparison)> =
        idle.iter().flat_map(|&arm| speaker.beyond(arm)).collect();
    let seen = |measure: Option<Measure>| {
        let of: Vec<&Comparison> =
            cells.iter().filter(|(other, _)| *other == measure).map(|(_, cell)| *cell).collect();
        let range = tasks::seen(measure.unwrap_or(Measure::GoldBitsPerByte), &of)?;
        Some(match measure {
            None => format!("of {range} on other text"),
            Some(Measure::GoldBitsPerByte) => format!("of {range} on right answers"),
            Some(_) => format!("of {range}"),
        })
    };
    let kinds =
        [Some(Measure::Average), Some(Measure::Accuracy), Some(Measure::GoldBitsPerByte), None];
    let ranges: Vec<String> = kinds.into_iter().filter_map(seen).collect();
    let names: Vec<String> = idle.iter().map(|&arm| format!("`{}`", speaker.label(arm))).collect();
    let what = if speaker.answer.tasks.is_empty() { "no" } else { "no task and no" };
    let text = format!(
        "Not seen to be missed, own text aside: {}: {what} other text is distinguishably worse. \
         Losses {} would have been seen in four of five studies.",
        names.join(", "),
        ranges.join(", ")
    );
    speaker.say(FindingKind::Idle, text);
}

impl Speaker<'_> {
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

    /// Whether a task that falls without all of a group falls only then: how sure, and the three or
    /// more effects.
    fn sign_on_task(&mut self, group: &Group, task: usize) -> Option<(f64, String)> {
        let part = 1.0 / group.each.len() as f64;
        let measure = self.answer.tasks[task].measure;
        let mut p = 0.0_f64;
        for &arm in &group.each {
            if self.verdict_on(task, arm)? == Verdict::Worse {
                return None;
            }
            let less = self.combined_on(task, &[(1.0, arm), (-part, group.all)])?;
            p = p.max(if is_gain(measure, &less) { less.p } else { 1.0 });
        }
        let answer = &self.answer.tasks[task];
        let effect = |arm: usize| self.on_task(task, arm)?.effect.clone();
        let amount = |arm: usize| Some(self.amount(measure, &effect(arm)?));
        let mut text =
            format!("{} {} without {}", name(answer), amount(group.all)?, group.together());
        for &arm in &group.each {
            text = format!("{text}, {} without {} alone", amount(arm)?, self.names(arm));
        }
        Some((p, text))
    }

    /// The same by each one's own text.
    fn sign_on_text(&mut self, group: &Group) -> Option<(f64, String)> {
        if self.cell(group.all, &What::Targeted)?.verdict != Verdict::Worse {
            return None;
        }
        let mut p = 0.0_f64;
        let mut parts = Vec::new();
        for &arm in &group.each {
            let [one, all] = [arm, group.all].map(|arm| &self.question.arms[arm]);
            let mut of = |arms: &[(f64, &Arm)]| -> Option<Effect> {
                self.text.combination(&one.targets, arms, self.scale)
            };
            let together = of(&[(1.0, all)])?;
            let less = of(&[(1.0, one), (-0.5, all)])?;
            p = p.max(if less.mean < 0.0 { less.p } else { 1.0 });
            let alone = self.effect(arm, &What::Targeted)?;
            parts.push(format!(
                "own text of {} {} without {}, {} without it alone",
                self.names(arm),
                self.bits(&together),
                group.together(),
                self.bits(alone)
            ));
        }
        Some((p, parts.join(", ")))
    }

    fn names(&self, arm: usize) -> String {
        self.removed(arm).join(" and ")
    }

    fn stand_in(&mut self, group: &Group, seen: &[&str]) {
        let names: Vec<String> = group.each.iter().map(|&arm| self.names(arm)).collect();
        let part = if group.each.len() == 2 { "half" } else { "its part" };
        let mut text = format!(
            "{} stand in for each other: {}. Each alone costs distinguishably less than {part} of \
             what {} cost.",
            names.join(" and "),
            seen.join("; "),
            group.together()
        );
        let is_fine =
            |&arm: &usize| self.beyond(arm).iter().all(|(_, cell)| cell.verdict != Verdict::Worse);
        if group.each.iter().all(is_fine) {
            let what = if self.answer.tasks.is_empty() { "no" } else { "no task and no" };
            text = format!("{text} Without one alone {what} other text is distinguishably worse.");
        }
        self.say(FindingKind::Redundant, text);
    }

    /// What is tested of an arm beyond its own text: tasks, and all other text (no measure).
    fn beyond(&self, arm: usize) -> Vec<(Option<Measure>, &Comparison)> {
        let tasks = (0..self.answer.tasks.len()).filter_map(|task| {
            Some((Some(self.answer.tasks[task].measure), self.on_task(task, arm)?))
        });
        tasks.chain(self.cell(arm, &What::General).map(|cell| (None, cell))).collect()
    }
}

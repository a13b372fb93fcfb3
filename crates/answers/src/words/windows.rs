//! Tasks over windows: which length is best for each, whether more still helps, and what falls.

use sparkjoy_stats::{Effect, holm};

use super::Speaker;
use super::tasks::{is_gain, name};
use crate::{FindingKind, Measure, Verdict, What};
use sparkjoy_study::Role;

pub(super) fn on_tasks(speaker: &mut Speaker<'_>) {
    let mut arms = speaker.arms(Role::Answer);
    let at = |arm: &usize| speaker.answer.arms[*arm].at.unwrap_or(0.0);
    arms.sort_by(|a, b| at(a).total_cmp(&at(b)));
    for task in 0..speaker.answer.tasks.len() {
        // Bits per byte of right answers where accuracy says nothing.
        if speaker.says_it_by_accuracy(task, &arms) {
            continue;
        }
        speaker.gain_on(task, &arms);
        speaker.fall_on(task, &arms);
    }
    if let [shortest, .., longest] = arms[..] {
        speaker.ends(shortest, longest);
    }
}

impl Speaker<'_> {
    fn says_it_by_accuracy(&self, task: usize, arms: &[usize]) -> bool {
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

    /// Arms with a verdict on a task, and the one of them that changes it most.
    fn marked(
        &self,
        task: usize,
        arms: &[usize],
        verdict: Verdict,
    ) -> Option<(Vec<usize>, usize, Effect)> {
        let is_it = |&arm: &usize| self.verdict_on(task, arm) == Some(verdict);
        let marked: Vec<usize> = arms.iter().copied().filter(is_it).collect();
        let effect = |arm: usize| Some((arm, self.on_task(task, arm)?.effect.clone()?));
        let all = marked.iter().filter_map(|&arm| effect(arm));
        let (most, effect) = all.max_by(|(_, a), (_, b)| a.mean.abs().total_cmp(&b.mean.abs()))?;
        Some((marked, most, effect))
    }

    /// Which windows raise a task, which most, and what a shorter one lacks.
    fn gain_on(&mut self, task: usize, arms: &[usize]) {
        let Some((marked, best, effect)) = self.marked(task, arms, Verdict::Better) else { return };
        let mut text = format!("{}.", self.over(task, "gains", &marked, (best, &effect)));
        let measure = self.answer.tasks[task].measure;
        let shorter = arms.iter().copied().take_while(|&arm| arm != best);
        let (mut lacking, mut enough) = (None, None);
        for arm in shorter.collect::<Vec<_>>() {
            let Some(more) = self.combined_on(task, &[(1.0, best), (-1.0, arm)]) else { continue };
            if self.is_sure(&more) && is_gain(measure, &more) {
                lacking = Some((arm, more));
            } else if marked.contains(&arm) && enough.is_none() {
                enough = Some((arm, more));
            }
        }
        if let Some((arm, more)) = enough {
            text = format!(
                "{text} {} gains no less that can be told (difference {}).",
                self.label(arm),
                self.amount(measure, &more)
            );
        } else if let Some((arm, more)) = lacking {
            text = format!(
                "{text} {} gains distinguishably less: the longer one adds {}.",
                self.label(arm),
                self.amount(measure, &more)
            );
        }
        self.say(FindingKind::Effect, text);
    }

    fn fall_on(&mut self, task: usize, arms: &[usize]) {
        let Some((marked, most, effect)) = self.marked(task, arms, Verdict::Worse) else { return };
        let text = format!("{}.", self.over(task, "falls", &marked, (most, &effect)));
        self.say(FindingKind::Effect, text);
    }

    /// `` `facts` gains with 5%, 10%; most with 10%, +3.1 points (…)``.
    fn over(
        &self,
        task: usize,
        verb: &str,
        marked: &[usize],
        (most, effect): (usize, &Effect),
    ) -> String {
        let answer = &self.answer.tasks[task];
        let labels: Vec<String> = marked.iter().map(|&arm| self.label(arm)).collect();
        let amount = self.amount(answer.measure, effect);
        let (what, labels) = (name(answer), labels.join(", "));
        // Right answers are many.
        let verb = match answer.measure {
            Measure::GoldBitsPerByte => verb.trim_end_matches('s'),
            _ => verb,
        };
        if marked.len() == 1 {
            return format!("{what} {verb} with {labels}, {amount}");
        }
        format!("{what} {verb} with {labels}; most with {}, {amount}", self.label(most))
    }

    /// What the longest window does that the shortest does not.
    fn ends(&mut self, shortest: usize, longest: usize) {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        for family in [&[Measure::Average, Measure::Accuracy][..], &[Measure::GoldBitsPerByte]] {
            let is_it = |task: &usize| {
                let answer = &self.answer.tasks[*task];
                answer.tested && family.contains(&answer.measure)
            };
            let tasks: Vec<usize> = (0..self.answer.tasks.len()).filter(is_it).collect();
            let contrasts: Vec<(usize, Effect)> = tasks
                .into_iter()
                .filter_map(|task| {
                    let more = self.combined_on(task, &[(1.0, longest), (-1.0, shortest)])?;
                    Some((task, more))
                })
                .collect();
            let p: Vec<f64> = contrasts.iter().map(|(_, effect)| effect.p).collect();
            for ((task, effect), adjusted) in contrasts.iter().zip(holm(&p)) {
                let answer = &self.answer.tasks[*task];
                let said = |all: &[(String, String)]| all.iter().any(|(t, _)| *t == answer.task);
                if adjusted > 1.0 - self.scale.confidence || said(&up) || said(&down) {
                    continue;
                }
                let text = format!("{} {}", name(answer), self.amount(answer.measure, effect));
                let way = if is_gain(answer.measure, effect) { &mut up } else { &mut down };
                way.push((answer.task.clone(), text));
            }
        }
        if up.is_empty() && down.is_empty() {
            return;
        }
        if let Some(general) = self.contrast(longest, shortest, &What::General)
            && self.is_sure(&general)
        {
            let text = format!("all other text {}", self.bits(&general));
            let way = if general.mean < 0.0 { &mut up } else { &mut down };
            way.push((String::new(), text));
        }
        let list = |all: &[(String, String)]| {
            all.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(", ")
        };
        let way = format!("from {} to {}", self.label(shortest), self.label(longest));
        let (kind, text) = match (up.is_empty(), down.is_empty()) {
            (false, false) => (
                FindingKind::Front,
                format!(
                    "Longer windows trade one for another: {way} better: {}; worse: {}.",
                    list(&up),
                    list(&down)
                ),
            ),
            (false, true) => (
                FindingKind::Effect,
                format!(
                    "Longer windows: {way} better: {}; nothing falls distinguishably.",
                    list(&up)
                ),
            ),
            _ => (
                FindingKind::Effect,
                format!(
                    "Longer windows: {way} worse: {}; nothing gains distinguishably.",
                    list(&down)
                ),
            ),
        };
        self.say(kind, text);
    }
}

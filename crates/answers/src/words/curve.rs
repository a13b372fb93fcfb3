//! Questions along an axis: how long, how much, when, for how long after.

use sparkjoy_stats::Effect;

use super::Speaker;
use crate::{FindingKind, What};
use sparkjoy_study::Role;

/// The shortest window whose targeted gain is not distinguishable from the largest.
pub(super) fn duration(speaker: &mut Speaker<'_>) {
    let arms = speaker.arms(Role::Answer);
    speaker.recommend(&arms, ["window", "the last ", "shorter", "window helps"]);
    speaker.ranking("targeted gain");
    super::windows::on_tasks(speaker);
    speaker.front();
}

/// The utility curve of every set of candidates.
pub(super) fn addition(speaker: &mut Speaker<'_>) {
    let arms = speaker.arms(Role::Answer);
    for arm in &arms {
        speaker.gain(*arm);
    }
    let alike = |arm: &&usize| {
        let targets = |arm: usize| &speaker.answer.arms[arm].targets;
        targets(**arm) == targets(arms[0])
    };
    if !arms.is_empty() && arms.iter().all(|arm| alike(&arm)) && arms.len() > 1 {
        speaker.recommend(&arms, ["share", "", "smaller", "share helps"]);
    }
    speaker.ranking("targeted gain");
    speaker.front();
}

/// Several mixtures, each about sources of its own.
pub(super) fn proportion(speaker: &mut Speaker<'_>) {
    for arm in speaker.arms(Role::Answer) {
        speaker.gain(arm);
    }
    speaker.ranking("targeted gain");
    speaker.front();
}

/// Each place against the last one.
pub(super) fn timing(speaker: &mut Speaker<'_>) {
    for arm in speaker.arms(Role::Answer) {
        speaker.gain(arm);
    }
    let places = speaker.arms(Role::Place);
    let mut best: Option<(f64, usize)> = None;
    for &arm in &places {
        let Some(cell) = speaker.cell(arm, &What::Targeted) else { continue };
        let Some(effect) = cell.effect.clone() else { continue };
        let verdict = match cell.verdict {
            crate::Verdict::Better => "is better than",
            crate::Verdict::Worse => "is worse than",
            _ => "is not distinguishable from",
        };
        if cell.verdict == crate::Verdict::Better && best.is_none_or(|(mean, _)| effect.mean < mean)
        {
            best = Some((effect.mean, arm));
        }
        let (label, control) = (speaker.label(arm), &speaker.answer.arms[arm]);
        let last = speaker.answer.controls[control.control].label.clone();
        let text = format!("The window {label} {verdict} {last}: {}.", speaker.bits(&effect));
        speaker.say(FindingKind::Effect, text);
    }
    // Where no earlier place is better, the last is the place that was compared with.
    let answers = speaker.arms(Role::Answer);
    let recommended = match best {
        Some((_, arm)) => {
            let label = speaker.label(arm);
            answers.iter().copied().find(|&arm| speaker.label(arm) == label)
        }
        None if !places.is_empty() => answers.last().copied(),
        None => None,
    };
    if let Some(arm) = recommended.filter(|&arm| speaker.is_better(arm)) {
        let label = speaker.label(arm);
        let why = if best.is_some() {
            "no other place gains as much on targeted text, and this one distinguishably more than \
             the last"
        } else {
            "no earlier place is distinguishably better"
        };
        speaker.say(FindingKind::Recommendation, format!("Put the window {label}: {why}."));
        speaker.answer.recommended = Some(arm);
    }
}

/// What is left of the gain at the end of the window.
pub(super) fn stability(speaker: &mut Speaker<'_>) {
    let arms = speaker.arms(Role::Answer);
    for arm in &arms {
        speaker.gain(*arm);
    }
    let [first, .., last] = arms[..] else { return };
    let (Some(begin), Some(end)) = (
        speaker.effect(first, &What::Targeted).cloned(),
        speaker.effect(last, &What::Targeted).cloned(),
    ) else {
        return;
    };
    if !speaker.is_better(first) {
        return;
    }
    let label = speaker.label(last);
    let left = 100.0 * end.mean / begin.mean;
    let lost = speaker.contrast(last, first, &What::Targeted);
    let change = match lost {
        Some(lost) if speaker.is_sure(&lost) => format!("it changed by {}", speaker.bits(&lost)),
        Some(lost) => {
            format!("the change is not distinguishable from nothing: {}", speaker.bits(&lost))
        }
        None => "both are not about the same sources".to_owned(),
    };
    let stays = if speaker.is_better(last) {
        format!("Of the targeted gain {left:.0} % are left {label}")
    } else {
        format!("{label} nothing of the targeted gain is distinguishable any more")
    };
    speaker.say(FindingKind::Effect, format!("{stays}; {change}."));
}

impl Speaker<'_> {
    /// One sentence for an arm: what it is about, and everything else.
    fn gain(&mut self, arm: usize) {
        let Some(effect) = self.effect(arm, &What::Targeted).cloned() else { return };
        let mut text = format!("`{}`: targeted text {}", self.label(arm), self.bits(&effect));
        if let Some(general) = self.effect(arm, &What::General) {
            text = format!("{text}, everything else {}", self.bits(general));
        }
        self.say(FindingKind::Effect, format!("{text}."));
    }

    /// The least of the arms' places whose targeted gain is not distinguishable from the largest.
    ///
    /// Whether two arms differ is asked without a correction for many: that errs towards more.
    ///
    /// - `words`: what an arm is, what stands before its label, what fewer is called, and what
    ///   none of them does.
    fn recommend(&mut self, arms: &[usize], [what, before, less, helps]: [&str; 4]) {
        let mean = |arm: &usize| self.effect(*arm, &What::Targeted).map(|effect| effect.mean);
        let best = arms.iter().filter_map(|arm| Some((mean(arm)?, *arm)));
        let Some((_, best)) = best.min_by(|a, b| a.0.total_cmp(&b.0)) else { return };
        if !arms.iter().any(|&arm| self.is_better(arm)) {
            let text = format!("Whether any {helps} targeted text is not distinguishable.");
            self.say(FindingKind::Null, text);
            return;
        }
        let mut ordered = arms.to_vec();
        let at = |arm: &usize| self.answer.arms[*arm].at.unwrap_or(0.0);
        ordered.sort_by(|a, b| at(a).total_cmp(&at(b)));
        let mut nearest: Option<(usize, Effect)> = None;
        for arm in ordered {
            if arm == best {
                self.choose(best, None, nearest, [what, before, less]);
                return;
            }
            if !self.is_better(arm) {
                continue;
            }
            match self.contrast(arm, best, &What::Targeted) {
                Some(effect) if self.is_sure(&effect) => nearest = Some((arm, effect)),
                Some(effect) => {
                    self.choose(arm, Some((best, effect)), nearest, [what, before, less]);
                    return;
                }
                None => {}
            }
        }
    }

    fn choose(
        &mut self,
        arm: usize,
        larger: Option<(usize, Effect)>,
        nearest: Option<(usize, Effect)>,
        [what, before, less]: [&str; 3],
    ) {
        let gain = self.effect(arm, &What::Targeted).map(|effect| self.bits(effect));
        let mut text =
            format!("Use {before}{}: targeted text {}", self.label(arm), gain.unwrap_or_default());
        text = match larger {
            Some((best, effect)) => format!(
                "{text}. The largest gain, of {}, is not distinguishable from it (difference {}).",
                self.label(best),
                self.bits(&effect)
            ),
            None => format!("{text}, the largest gain of all."),
        };
        if let Some((other, effect)) = nearest {
            text = format!(
                "{text} A {less} {what} gains distinguishably less: {} by {}.",
                self.label(other),
                self.bits(&effect)
            );
        }
        if let Some(price) = self.price(arm) {
            text = format!("{text} {price}");
        }
        self.say(FindingKind::Recommendation, text);
        self.answer.recommended = Some(arm);
    }
}

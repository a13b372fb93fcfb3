//! Whether a ranking holds in other settings.

use sparkjoy_stats::{Effect, agreement};

use super::Speaker;
use crate::{FindingKind, Holds, What};

pub(super) fn transfer(speaker: &mut Speaker<'_>) {
    let settings = speaker.answer.settings.clone();
    let effects = |speaker: &Speaker<'_>, arms: &[usize]| {
        let of = |arm: &usize| speaker.effect(*arm, &What::Targeted).cloned();
        arms.iter().map(of).collect::<Option<Vec<Effect>>>()
    };
    let Some((here, elsewhere)) = settings.split_first() else { return };
    let Some(first) = effects(speaker, &here.arms) else { return };
    for (place, setting) in elsewhere.iter().enumerate() {
        let Some(other) = effects(speaker, &setting.arms) else { continue };
        let (confidence, seed) = (speaker.scale.confidence, speaker.text.plan.seed.0);
        let Some(agreement) = agreement(&first, &other, confidence, seed) else { continue };
        let mut changed = Vec::new();
        for i in 0..first.len() {
            for j in i + 1..first.len() {
                let order = |effects: &[Effect]| effects[i].mean.total_cmp(&effects[j].mean);
                if order(&first) != order(&other) {
                    changed.push([i, j]);
                }
            }
        }
        let plain = |index: usize| {
            let label = speaker.label(here.arms[index]);
            label.split(": ").next().unwrap_or_default().to_owned()
        };
        let pairs: Vec<String> =
            changed.iter().map(|[i, j]| format!("`{}` and `{}`", plain(*i), plain(*j))).collect();
        let change = if pairs.is_empty() {
            "no pair changes places".to_owned()
        } else {
            format!("{} change places", pairs.join(", "))
        };
        let holds = if agreement.low > 0.0 {
            "The ranking holds"
        } else if agreement.high < 0.0 {
            "The ranking is turned round"
        } else {
            "Whether the ranking holds is not distinguishable"
        };
        let text = format!(
            "{holds} with {}: Kendall's τ {:.2} ({} interval {:.2} to {:.2}), {change}.",
            setting.label,
            agreement.tau,
            speaker.percent(),
            agreement.low,
            agreement.high
        );
        speaker.say(FindingKind::Ranking, text);
        speaker.answer.holds.push(Holds { setting: place + 1, agreement, changed });
    }
}

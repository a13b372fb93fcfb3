//! What arms do to text that nothing trains on.

use sparkjoy_answers::{Answer, ScopeEffect, Verdict};

use super::amounts::{bits, correction, size};
use super::arms::{against, label};
use super::names;

/// Arms of each verdict that are named at most.
const NAMED: usize = 6;

/// Each arm with its effect, those of one verdict together.
pub(super) fn effects(answer: &Answer, effects: &[ScopeEffect]) -> String {
    let one = |ScopeEffect { arm, tested, .. }: &&ScopeEffect| {
        let least = tested.detectable.filter(|_| tested.verdict == Verdict::NotSignificant);
        let least = least.map_or_else(String::new, |least| {
            format!(" (minimum detectable effect at 80 % power {least:.4})")
        });
        // The verdict before it tells the direction.
        let amount = match tested.verdict {
            Verdict::Better | Verdict::Worse => size(&tested.effect),
            _ => bits(&tested.effect),
        };
        format!("{}{} {amount}{least}", label(answer, *arm), against(answer, *arm))
    };
    let of = |is: Verdict| {
        let these: Vec<&ScopeEffect> =
            effects.iter().filter(|effect| effect.tested.verdict == is).collect();
        let mut shown: Vec<String> = these.iter().take(NAMED).map(one).collect();
        if let more @ 1.. = these.len().saturating_sub(NAMED) {
            shown.push(format!("and {more} more"));
        }
        (!shown.is_empty()).then(|| format!("{}: {}", word(is), shown.join(", ")))
    };
    let verdicts = [Verdict::Better, Verdict::Worse, Verdict::NotSignificant];
    let parts: Vec<String> = verdicts.into_iter().filter_map(of).collect();
    let correction = effects.first().map(|effect| correction(effect.tested.family));
    format!(
        "On unseen text ({}), {}: {}.",
        names(&answer.unseen),
        correction.unwrap_or_default(),
        parts.join("; ")
    )
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "significantly better",
        Verdict::Worse => "significantly worse",
        Verdict::NotSignificant | Verdict::NotTested => "not significant",
    }
}

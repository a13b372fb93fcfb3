//! What the contamination check found, in sentences.

use sparkjoy_answers::{Checked, LEAST_WORDS};
use sparkjoy_base::{SourceName, thousands};
use sparkjoy_jobs::items_found;

use super::count;

/// The check in one sentence, without a full stop.
pub fn contamination_summary(checked: &Checked) -> String {
    if checked.sources.is_empty() {
        return "contamination check: not done".to_owned();
    }
    let found = match checked.contaminated().count() {
        0 => "clean".to_owned(),
        1 => "1 source is contaminated".to_owned(),
        n => format!("{n} sources are contaminated"),
    };
    let too_short: usize = checked.tasks.iter().map(|task| task.too_short).sum();
    let too_short = match too_short {
        0 => String::new(),
        n => format!(
            "; {} of the items {} fewer than {LEAST_WORDS} words, too few to tell",
            thousands(n as u64),
            if n == 1 { "has" } else { "have" }
        ),
    };
    format!(
        "contamination check: {} of {}, {}: {found}{too_short}",
        count(checked.items(), "item"),
        count(checked.tasks.len(), "task"),
        count(checked.sources.len(), "source"),
    )
}

/// What to be careful about: sources that are contaminated, and those that were not checked.
pub fn cautions(checked: &Checked) -> Vec<String> {
    let contaminated = checked.contaminated().map(|(name, source)| {
        let allowed = if source.allowed { "the study names it" } else { "it is not named" };
        format!(
            "CONTAMINATED: {} in the training text of source `{name}` ({allowed}): the model may \
             have memorized these answers, so scores on these tasks may be too high, most of all \
             where the source has a larger share",
            items_found(checked, source)
        )
    });
    let mut cautions: Vec<String> = contaminated.collect();
    if !checked.unknown.is_empty() {
        let names: Vec<&str> = checked.unknown.iter().map(SourceName::as_str).collect();
        cautions.push(format!(
            "NOT CHECKED: whether items of the tasks stand in the training text of {} is not \
             known: {}",
            count(names.len(), "source"),
            names.join(", ")
        ));
    }
    cautions
}

/// What a plan says of it: what was found, or that it will be checked.
pub fn contamination_notes(checked: &Checked) -> Vec<String> {
    if checked.sources.is_empty() {
        return vec![format!(
            "before anything is trained, the items of the tasks are looked for in the training \
             text of {}; one in which an item stands is refused, unless `contaminated` in \
             `[evaluation]` names it",
            count(checked.unknown.len(), "source")
        )];
    }
    let mut notes = cautions(checked);
    notes.push(contamination_summary(checked));
    notes
}

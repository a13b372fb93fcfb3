//! Items of tasks whose result says less than it seems.

use sparkjoy_answers::DoubtfulTask;
use sparkjoy_base::{counted, thousands};

/// A sentence for each doubt about each task, without a full stop.
pub fn doubtful_items(tasks: &[DoubtfulTask]) -> Vec<String> {
    let mut notes = Vec::new();
    let at_chance: Vec<String> =
        tasks.iter().filter(|it| it.at_chance).map(|it| format!("`{}`", it.task)).collect();
    if !at_chance.is_empty() {
        notes.push(format!(
            "AT CHANCE: no model is better than guessing at {}, so their accuracies tell no data \
             from another; the bits per byte of their correct answers may",
            at_chance.join(", ")
        ));
    }
    for DoubtfulTask { task, items, answered_before, tied, truncated, .. } in tasks {
        if *truncated > 0 {
            notes.push(format!(
                "CUT OFF: in {} of {} of `{task}` the prompt is longer than the model's context, so \
                 its beginning is left out; a longer `context` in `[model]`, or fewer `shots`, keeps \
                 it",
                thousands(*truncated as u64),
                counted(*items as u64, "item")
            ));
        }
        let of = |found: usize, line: usize| {
            let (found, of) = (thousands(found as u64), counted(*items as u64, "item"));
            format!("{found} of {of} of `{task}` (the first in line {line})")
        };
        notes.extend(answered_before.map(|found| {
            format!(
                "ANSWERED BEFORE: the rows repeat, so {} stand with their answer among the \
                 examples before them; a model can copy it, so the score may be too high",
                of(found.items, found.line)
            )
        }));
        notes.extend(tied.map(|tied| {
            format!(
                "TIED: in {} the right choice is as likely as another one; the one listed first \
                 is taken, so position alone decides: {} right, {} wrong",
                of(tied.items, tied.line),
                thousands(tied.correct as u64),
                thousands((tied.items - tied.correct) as u64)
            )
        }));
    }
    notes
}

#[cfg(test)]
mod tests {
    use sparkjoy_answers::{AnsweredBefore, Tied};

    use super::*;

    #[test]
    fn doubtful_items_are_counted_with_the_first() {
        let task = DoubtfulTask {
            task: "piqa".to_owned(),
            items: 1838,
            answered_before: Some(AnsweredBefore { items: 12, line: 30 }),
            tied: Some(Tied { items: 3, correct: 2, line: 7 }),
            truncated: 14,
            at_chance: true,
        };
        insta::assert_snapshot!(doubtful_items(&[task]).join("\n"), @"
        AT CHANCE: no model is better than guessing at `piqa`, so their accuracies tell no data from another; the bits per byte of their correct answers may
        CUT OFF: in 14 of 1,838 items of `piqa` the prompt is longer than the model's context, so its beginning is left out; a longer `context` in `[model]`, or fewer `shots`, keeps it
        ANSWERED BEFORE: the rows repeat, so 12 of 1,838 items of `piqa` (the first in line 30) stand with their answer among the examples before them; a model can copy it, so the score may be too high
        TIED: in 3 of 1,838 items of `piqa` (the first in line 7) the right choice is as likely as another one; the one listed first is taken, so position alone decides: 2 right, 1 wrong
        ");
    }
}

//! A refusal: which items of tasks stand in which training text.

use std::fmt::Write;

use sparkjoy_answers::{Checked, CheckedSource, FoundItem};
use sparkjoy_base::{Problem, counted, thousands};

/// `2 of 1,319 items of gsm8k, 1 of 2,376 items of arc_easy stand`.
pub fn items_found(checked: &Checked, source: &CheckedSource) -> String {
    let parts = source.contaminated.iter().map(|(task, found)| {
        let items = counted(checked.items_of(task) as u64, "item");
        format!("{} of {items} of {task}", thousands(*found as u64))
    });
    let parts: Vec<String> = parts.collect();
    let found: usize = source.contaminated.values().sum();
    format!("{} {}", parts.join(", "), if found == 1 { "stands" } else { "stand" })
}

/// Items that stand in sources the study does not name, with examples.
pub(crate) fn refusal(checked: &Checked) -> Problem {
    let refused = checked.contaminated().filter(|(_, source)| !source.allowed);
    let paragraphs = refused.map(|(name, source)| {
        let mut text =
            format!("{} in the training text of source `{name}`:", items_found(checked, source));
        for item in &source.examples {
            text.push_str("\n  ");
            text.push_str(&example(checked, item));
        }
        let found: usize = source.contaminated.values().sum();
        if let more @ 1.. = found - source.examples.len() {
            let _ = write!(text, "\n  and {} more", thousands(more as u64));
        }
        text
    });
    Problem::new(paragraphs.collect::<Vec<_>>().join("\n")).with_hint(format!(
        "take these documents out of the source; or allow it by name, \
         `contaminated = [{}]` in `[evaluation]`: the study then runs, and its report says so",
        to_name(checked)
    ))
}

/// The names of contaminated sources, as they are written in a study.
fn to_name(checked: &Checked) -> String {
    let named = checked.contaminated().map(|(name, _)| format!("\"{name}\""));
    named.collect::<Vec<_>>().join(", ")
}

fn example(checked: &Checked, item: &FoundItem) -> String {
    let known = checked.tasks.iter().find(|known| known.task == item.task);
    let file = known.map_or("", |known| known.file.as_str());
    let documents: Vec<String> = item.first.iter().map(|&n| thousands(n)).collect();
    let (listed, all) = (documents.join(", "), item.documents.max(documents.len() as u64));
    let more = match all - documents.len() as u64 {
        0 => String::new(),
        more => format!(" and {} more", thousands(more)),
    };
    let word = if all == 1 { "document" } else { "documents" };
    format!(
        "`{file}` line {}, {} of its {} words in {word} {listed}{more}: \"{}\"",
        item.line, item.covered, item.words, item.beginning
    )
}

//! Tasks over windows of several lengths.

use sparkjoy_answers::{
    Answer, LongerWindows, Measure, TaskContrast, TaskEffect, TaskOverWindows, Verdict,
};

use super::amounts::{amount, difference, name, of_task, on_task, p_of};
use super::arms::{label, labels};

/// The windows that change a task.
pub(super) fn task_over_windows(answer: &Answer, finding: &TaskOverWindows) -> String {
    let TaskOverWindows { arms, most, task: TaskEffect { task, measure, tested }, shorter } =
        finding;
    let way = match tested.verdict {
        Verdict::Better => "better",
        _ => "worse",
    };
    let amount = amount(*measure, &tested.effect);
    let most = match arms.len() {
        1 => format!(": {amount} (after Holm)"),
        _ => format!(" (after Holm), most with {}: {amount}", label(answer, *most)),
    };
    let mut text = format!(
        "{} significantly {way} with {}{most}.",
        sentence_case(&name(task, *measure)),
        labels(answer, arms)
    );
    if let Some(contrast) = shorter {
        let gain = of_task(*measure, contrast);
        let p = p_of(contrast);
        let shorter = label(answer, contrast.rival);
        let less = if contrast.significant { "gains" } else { "does not gain" };
        let longer = match (*measure, contrast.significant) {
            (Measure::GoldBitsPerByte, _) => "the longer one is",
            (_, true) => "the longer one adds",
            (_, false) => "difference",
        };
        text = format!("{text} {shorter} {less} significantly less: {longer} {gain} ({p}).");
    }
    text
}

/// The longest window against the shortest.
pub(super) fn longer_windows(answer: &Answer, finding: &LongerWindows) -> String {
    let LongerWindows { shortest, longest, better, worse, general } = finding;
    let list = |tasks: &[TaskContrast], is_gain: bool| {
        let of = |on: &TaskContrast| format!("{} {}", name(&on.task, on.measure), on_task(on));
        let general = general.iter().filter(|contrast| (contrast.difference < 0.0) == is_gain);
        let general = general.map(|contrast| format!("other text {}", difference(contrast)));
        tasks.iter().map(of).chain(general).collect::<Vec<_>>().join(", ")
    };
    let (gains, losses) = (list(better, true), list(worse, false));
    let way = format!("from {} to {}", label(answer, *shortest), label(answer, *longest));
    let what = match (gains.is_empty(), losses.is_empty()) {
        (false, false) => format!(
            "Longer windows trade tasks: {way}, significantly better: {gains}; significantly worse: \
             {losses}"
        ),
        (false, true) => format!(
            "Longer windows help: {way}, significantly better: {gains}; nothing is significantly \
             worse"
        ),
        _ => format!(
            "Longer windows cost: {way}, significantly worse: {losses}; nothing is significantly \
             better"
        ),
    };
    format!("{what} (tasks after Holm).")
}

/// The first letter in upper case.
fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

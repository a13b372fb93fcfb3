//! Sentences made of typed findings, and of the other facts that a report says in words.
//!
//! Numbers come first and their meaning after. Whatever is called significant names the correction
//! behind it. Names of arms, sources and tasks stand in backticks.

mod amounts;
mod arms;
mod contamination;
mod curve;
mod decision;
mod doubtful;
mod heading;
mod not_significant;
mod notes;
mod removal;
mod split;
mod surface;
#[cfg(test)]
mod tests;
mod transfer;
mod unseen;
mod windows;

use std::collections::BTreeSet;

use sparkjoy_answers::{Answer, Finding};
use sparkjoy_base::{SourceName, counted, scientific};
use sparkjoy_study::Ask;

pub use amounts::better_by;
pub(crate) use arms::noun;
pub use contamination::{cautions, contamination_notes, contamination_summary};
pub(crate) use decision::amount as amount_in;
pub use decision::{plain as amount_as_written, range as amounts_between};
pub use doubtful::doubtful_items;
pub use heading::Heading;
pub use notes::{
    cause, few_documents, instruction_sets, noise_source, not_scored, power, unknown_documents,
    unknown_instruction_sets,
};
pub use split::split_verdicts;
pub(crate) use surface::{composition, next_mixture, predicted, surface_of, value_in};

/// The question in words.
pub fn title(answer: &Answer) -> String {
    let on = answer.mixture.as_ref().map_or_else(String::new, |name| format!(" on `{name}`"));
    match answer.ask {
        Ask::Duration => format!("How long should the last phase{on} be?"),
        Ask::Removal => format!("What is each source worth in the last phase{on}?"),
        Ask::Addition => format!("What is more of a source worth in the last phase{on}?"),
        Ask::Proportion => "Which mixture should the last phase be on?".to_owned(),
        Ask::Timing => format!("When should the phase{on} come?"),
        Ask::Stability => format!("Does the gain of the phase{on} stay?"),
        Ask::Transfer => "Does the answer hold elsewhere?".to_owned(),
    }
}

/// Which sources the columns `targeted`, `general` and `unseen` are about; none where there are
/// none.
pub fn columns(answer: &Answer) -> Option<String> {
    let unseen = || format!("unseen: {}, which nothing trains on", names(&answer.unseen));
    let unseen = (!answer.unseen.is_empty()).then(unseen);
    let parts: Vec<String> = targeted(answer).into_iter().chain(unseen).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn names(sources: &BTreeSet<SourceName>) -> String {
    sources.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Which sources are targeted; none where no arm has any.
fn targeted(answer: &Answer) -> Option<String> {
    // Arms by what they are about, in the order of the arms.
    let mut kinds: Vec<(&BTreeSet<SourceName>, Vec<&str>)> = Vec::new();
    for arm in answer.arms.iter().filter(|arm| !arm.targets.is_empty()) {
        match kinds.iter_mut().find(|(known, _)| **known == arm.targets) {
            Some((_, labels)) => labels.push(&arm.label),
            None => kinds.push((&arm.targets, vec![&arm.label])),
        }
    }
    // A removal of one source names it.
    let is_clear = |(targets, labels): &(&BTreeSet<SourceName>, Vec<&str>)| {
        let only = targets.first().filter(|_| targets.len() == 1);
        only.is_some_and(|only| labels.iter().all(|label| label.contains(only.as_str())))
    };
    match kinds.as_slice() {
        [] => None,
        [(targets, _)] => Some(format!("targeted: {}; general: all other sources", names(targets))),
        _ => {
            let unclear = kinds.iter().filter(|kind| !is_clear(kind));
            let mut parts: Vec<String> = unclear
                .map(|(targets, labels)| format!("{} in {}", names(targets), list(labels)))
                .collect();
            if parts.len() < kinds.len() {
                parts.push("else the source that a row names".to_owned());
            }
            Some(format!("targeted: {}; general: all other sources", parts.join("; ")))
        }
    }
}

/// `` `10%`, `20%` ``: labels without what is said of the same twice.
fn list(labels: &[&str]) -> String {
    let mut quoted: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
    quoted.dedup();
    quoted.join(", ")
}

/// A finding as one or a few sentences, with the last full stop.
///
/// - `answer`: the answer it belongs to, for names of arms and numbers of cost.
pub fn sentence(answer: &Answer, finding: &Finding) -> String {
    match finding {
        Finding::Incomplete { missing, of } if missing == of => {
            "No comparison is complete yet: some of its runs are not scored.".to_owned()
        }
        Finding::Incomplete { missing, of } => format!(
            "{missing} of {} {} missing; what follows is about the others.",
            count(*of, "comparison"),
            if *missing == 1 { "is" } else { "are" }
        ),
        Finding::SingleReplicate => "With a single replicate the noise is unknown: no difference \
                                     is significant, and nothing is ranked."
            .to_owned(),
        Finding::NotCompared { gap } => {
            format!("Not compared: {}.", cause(&answer.gaps[*gap].why))
        }
        Finding::Decision(finding) => {
            let predicted = finding.surface.as_ref();
            let predicted = predicted.map(|found| surface::surface(answer, finding, found));
            let chosen = decision::decision(answer, finding);
            std::iter::once(chosen).chain(predicted).collect::<Vec<_>>().join(" ")
        }
        Finding::RemovalDecision(finding) => decision::of_removal(answer, finding),
        Finding::NotMeasured { what } => format!(
            "Nothing is decided: {what} is named by the objective and is not scored on every branch."
        ),
        Finding::OwnTextAlone { arm } => format!(
            "Not decided for {}: the objective names nothing but its own text, which is predicted \
             worse without it in any case. Name tasks, or text of others, as targets.",
            arms::removal(answer, *arm)
        ),
        Finding::LargestGain(finding) => curve::largest_gain(answer, finding),
        Finding::BestPlace(finding) => curve::best_place(answer, finding),
        Finding::NoGain { family } => format!(
            "No {} has a significant targeted gain ({}).",
            arms::noun(answer),
            amounts::correction(*family)
        ),
        Finding::Harmful(harm) => removal::harmful(answer, harm),
        Finding::Trade(harm) => removal::trade(answer, harm),
        Finding::Redundant(finding) => removal::redundant(answer, finding),
        Finding::NoLoss(finding) => removal::no_loss(answer, finding),
        Finding::Effect(finding) => arms::effect(answer, finding),
        Finding::Persistence(finding) => curve::persistence(answer, finding),
        Finding::TaskOverWindows(finding) => windows::task_over_windows(answer, finding),
        Finding::LongerWindows(finding) => windows::longer_windows(answer, finding),
        Finding::Front { arms, of } => curve::front(answer, arms, *of),
        Finding::Ranking(ranking) => curve::ranking(answer, ranking),
        Finding::Transfer(finding) => transfer::transfer(answer, finding),
        Finding::Unseen { effects } => unseen::effects(answer, effects),
        Finding::NotSignificant { comparisons } => not_significant::on_text(answer, comparisons),
        Finding::NotSignificantOnTasks { by_measure } => not_significant::on_tasks(by_measure),
        Finding::Cost { times } => cost(answer, *times),
    }
}

/// A finding as it stands at the top of a page whose section below has it in full.
pub fn in_short(answer: &Answer, finding: &Finding) -> String {
    match finding {
        Finding::LargestGain(finding) => curve::largest_gain_in_short(answer, finding),
        Finding::Decision(finding) => decision::in_short(answer, finding),
        finding => sentence(answer, finding),
    }
}

fn cost(answer: &Answer, times: f64) -> String {
    let (tree, full) = (answer.cost.tree, answer.cost.in_full);
    format!(
        "Alone, this question takes {} tokens and {} FLOPs of training. Every run in full would \
         take {} tokens and {} FLOPs, {times:.1} times as much.",
        tree.tokens,
        scientific(tree.flops as f64),
        full.tokens,
        scientific(full.flops as f64)
    )
}

/// `1 task`, `2 tasks`.
fn count(n: usize, noun: &str) -> String {
    counted(n as u64, noun)
}

//! What was built into the world, beside what the laboratory found in it.

use std::collections::BTreeSet;

use sparkjoy_base::SourceName;
use sparkjoy_lab::{Answer, Answers, Ask, Measure, Role, Verdict};
use sparkjoy_world::{Comparison, Expectation, Expected, Source, expectations};

use crate::table::Table;

/// How a finding stands to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is what was built in.
    Agrees,
    /// It could not be told from nothing, though there is something.
    NotShown,
    /// It is the opposite.
    Contradicts,
}

impl Outcome {
    fn of(expected: Expected, verdict: Verdict) -> Self {
        match (expected, verdict) {
            (Expected::Better, Verdict::Better) | (Expected::Worse, Verdict::Worse) => Self::Agrees,
            (Expected::Better, Verdict::Worse)
            | (Expected::Worse, Verdict::Better)
            | (Expected::NotWorse, Verdict::Worse) => Self::Contradicts,
            (Expected::NotWorse, _) => Self::Agrees,
            _ => Self::NotShown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::NotShown => "not shown",
            Self::Contradicts => "CONTRADICTS",
        }
    }
}

/// Every expectation that the study asked about, with what was found.
pub(super) fn table(answers: &Answers) -> String {
    let mut table =
        Table::new(&["<comparison", "<task", "<built in", "found, points", "interval", "<"]);
    let mut counts = [0; 3];
    for expectation in expectations() {
        let Some(found) = find(answers, expectation) else { continue };
        let outcome = Outcome::of(expectation.expected, found.verdict);
        counts[outcome as usize] += 1;
        table.row([
            label(expectation.comparison),
            expectation.skill.task().to_owned(),
            expected(expectation.expected).to_owned(),
            format!("{:+.1}", found.mean),
            format!("{:+.1} to {:+.1}", found.low, found.high),
            outcome.word().to_owned(),
        ]);
    }
    let [agrees, not_shown, contradicts] = counts;
    if agrees + not_shown + contradicts == 0 {
        return String::new();
    }
    format!(
        "\nWhat was built into this world, and what was found\n\n{}\n{agrees} agree, {not_shown} \
         could not be shown, {contradicts} contradict\n",
        table.render()
    )
}

/// An effect on the accuracy of a task, in percentage points.
struct Found {
    mean: f64,
    low: f64,
    high: f64,
    verdict: Verdict,
}

fn find(answers: &Answers, expectation: Expectation) -> Option<Found> {
    let names = |sources: &[Source]| -> BTreeSet<SourceName> {
        sources.iter().map(|s| SourceName::new(s.name()).expect("names of sources")).collect()
    };
    let arm_in = |answer: &Answer| {
        let is_answer = |arm: usize| answer.arms[arm].role == Role::Answer;
        let mut arms = (0..answer.arms.len()).filter(|&arm| is_answer(arm));
        match expectation.comparison {
            Comparison::LongestWindow if answer.ask == Ask::Duration => arms.last(),
            Comparison::Without(sources) if answer.ask == Ask::Removal => {
                arms.find(|&arm| answer.arms[arm].targets == names(sources))
            }
            Comparison::More(source) if answer.ask == Ask::Addition => {
                arms.find(|&arm| answer.arms[arm].targets == names(&[source]))
            }
            _ => None,
        }
    };
    let (answer, arm) = answers.questions.iter().find_map(|a| Some((a, arm_in(a)?)))?;
    let task = answer
        .tasks
        .iter()
        .find(|task| task.measure == Measure::Accuracy && task.task == expectation.skill.task())?;
    let cell = task.cells[arm].as_ref()?;
    let effect = cell.effect.as_ref()?;
    let [mean, low, high] = [effect.mean, effect.low, effect.high].map(|share| 100.0 * share);
    Some(Found { mean, low, high, verdict: cell.verdict })
}

fn label(comparison: Comparison) -> String {
    match comparison {
        Comparison::LongestWindow => "the longest window".to_owned(),
        Comparison::Without(sources) => {
            let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
            format!("without {}", names.join(", "))
        }
        Comparison::More(source) => format!("more {source}"),
    }
}

fn expected(expected: Expected) -> &'static str {
    match expected {
        Expected::Better => "rises",
        Expected::Worse => "falls",
        Expected::NotWorse => "does not fall",
    }
}

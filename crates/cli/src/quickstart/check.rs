//! What was built into the world, beside what the laboratory found in it.

use std::collections::BTreeSet;

use sparkjoy_base::SourceName;
use sparkjoy_lab::{self as lab, Answer, Answers, Ask, Measure, Role, TaskAnswer, Verdict};
use sparkjoy_world::{Comparison, Expected, Source, expectations};

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
    /// The accuracy decides where it is marked, else the right answers' bits per byte, which see
    /// more in small models.
    fn of(expected: Expected, accuracy: Verdict, bits: Verdict) -> Self {
        let marked = |verdict| matches!(verdict, Verdict::Better | Verdict::Worse);
        let found = if marked(accuracy) { accuracy } else { bits };
        match (expected, found) {
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
    let mut table = Table::new(&[
        "<comparison",
        "<task",
        "<built in",
        "accuracy, points",
        "answers, bits per byte",
        "<",
    ]);
    let mut counts = [0; 3];
    for expectation in expectations() {
        let Some((answer, arm)) = asked(answers, expectation.comparison) else { continue };
        let cell = |measure| {
            let is_it = |task: &&TaskAnswer| {
                task.measure == measure && task.task == expectation.skill.task()
            };
            answer.tasks.iter().find(is_it)?.cells[arm].as_ref()
        };
        let both = (cell(Measure::Accuracy), cell(Measure::GoldBitsPerByte));
        let (Some(accuracy), Some(bits)) = both else { continue };
        let outcome = Outcome::of(expectation.expected, accuracy.verdict, bits.verdict);
        counts[outcome as usize] += 1;
        table.row([
            label(expectation.comparison),
            expectation.skill.task().to_owned(),
            expected(expectation.expected).to_owned(),
            shown(accuracy, 100.0, 1),
            shown(bits, 1.0, 3),
            outcome.word().to_owned(),
        ]);
    }
    let [agrees, not_shown, contradicts] = counts;
    if agrees + not_shown + contradicts == 0 {
        return String::new();
    }
    format!(
        "\nWhat was built into this world, and what was found (* marked)\n\n{}\n{agrees} agree, \
         {not_shown} could not be shown, {contradicts} contradict\n",
        table.render()
    )
}

/// `+21.3* [+12.0, +30.4]`.
fn shown(cell: &lab::Comparison, unit: f64, places: usize) -> String {
    let Some(effect) = &cell.effect else { return "one replicate".to_owned() };
    let [mean, low, high] = [effect.mean, effect.low, effect.high].map(|value| unit * value);
    let mark = if matches!(cell.verdict, Verdict::Better | Verdict::Worse) { "*" } else { "" };
    format!("{mean:+.places$}{mark} [{low:+.places$}, {high:+.places$}]").replace('-', "−")
}

/// The question that compares it, and the arm.
fn asked(answers: &Answers, comparison: Comparison) -> Option<(&Answer, usize)> {
    let names = |sources: &[Source]| -> BTreeSet<SourceName> {
        sources.iter().map(|s| SourceName::new(s.name()).expect("names of sources")).collect()
    };
    let arm_in = |answer: &Answer| {
        let is_answer = |arm: &usize| answer.arms[*arm].role == Role::Answer;
        let mut arms = (0..answer.arms.len()).filter(is_answer);
        match comparison {
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
    answers.questions.iter().find_map(|answer| Some((answer, arm_in(answer)?)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accuracy_decides_where_it_is_marked() {
        use Verdict::{Better, NotDistinguishable, Worse};
        let of = Outcome::of;
        assert_eq!(of(Expected::Better, Better, Worse), Outcome::Agrees);
        assert_eq!(of(Expected::Better, NotDistinguishable, Better), Outcome::Agrees);
        assert_eq!(of(Expected::Better, NotDistinguishable, NotDistinguishable), Outcome::NotShown);
        assert_eq!(of(Expected::Worse, Better, Worse), Outcome::Contradicts);
        assert_eq!(of(Expected::Worse, NotDistinguishable, Worse), Outcome::Agrees);
        assert_eq!(of(Expected::NotWorse, Better, NotDistinguishable), Outcome::Agrees);
        assert_eq!(of(Expected::NotWorse, NotDistinguishable, Worse), Outcome::Contradicts);
    }
}

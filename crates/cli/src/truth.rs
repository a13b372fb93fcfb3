//! What was built into the world, next to what the study found in it.

use std::collections::BTreeSet;

use sparkjoy_answers::{Answer, Answers, Effect, Measure, TaskAnswer, Verdict};
use sparkjoy_base::{SourceName, percentage_points};
use sparkjoy_report::Table;
use sparkjoy_report::sentences::better_by;
use sparkjoy_study::{Ask, Role};
use sparkjoy_world::{Comparison, Expected, Skill, Source, expectations};

/// How a finding stands to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExpectationOutcome {
    /// It is what was built in.
    Agrees,
    /// It could not be told from nothing, though there is something.
    NotShown,
    /// It is the opposite.
    Contradicts,
}

impl ExpectationOutcome {
    fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::NotShown => "not shown",
            Self::Contradicts => "opposite",
        }
    }
}

/// Which way the interval of an effect lies from zero, if it lies to one side: better or worse.
fn direction(effect: &Effect, measure: Measure) -> Option<bool> {
    let is_higher_better = measure != Measure::GoldBitsPerByte;
    match (effect.low > 0.0, effect.high < 0.0) {
        (true, _) => Some(is_higher_better),
        (_, true) => Some(!is_higher_better),
        _ => None,
    }
}

/// What was found about an effect that was predicted: in the accuracy if its interval excludes
/// zero, else in the bits per byte of the correct answers, which show more near chance.
///
/// It was named before anything was measured, one effect at a time, so its own interval is the
/// test.
fn predicted(
    better: bool,
    (accuracy, mark): (&Effect, Verdict),
    (bits, mark_in_bits): (&Effect, Verdict),
) -> (ExpectationOutcome, String) {
    let way = direction(accuracy, Measure::Accuracy);
    let way_in_bits = direction(bits, Measure::GoldBitsPerByte);
    match (way, way_in_bits) {
        (Some(way), _) => (outcome(way == better), points(accuracy, mark)),
        (None, Some(way)) => (outcome(way == better), in_bits(bits, mark_in_bits)),
        (None, None) => (ExpectationOutcome::NotShown, points(accuracy, mark)),
    }
}

/// For a terminal: [`table`] with its counts, nothing where there is none.
pub(crate) fn text(answers: &Answers) -> String {
    table(answers).map_or(String::new(), |(table, counts)| {
        format!(
            "\nWhat was built into this world, and what was found (* significant after Holm)\n\n{}\n\
             {counts}\n",
            table.text()
        )
    })
}

/// Every expectation that the study asked about, with what was found, and how many agree.
pub(crate) fn table(answers: &Answers) -> Option<(Table, String)> {
    let mut table = Table::new(["<comparison", "<task", "<built in", "<found", "<verdict"]);
    let mut counts = [0; 3];
    let mut row = |cells: [String; 4], outcome: ExpectationOutcome| {
        counts[outcome as usize] += 1;
        let [comparison, task, built_in, found] = cells;
        table.row([comparison, task, built_in, found, outcome.word().to_owned()]);
    };
    let all = expectations();
    for together in all.chunk_by(|one, next| one.comparison == next.comparison) {
        let comparison = together[0].comparison;
        let Some((answer, arm)) = asked(answers, comparison) else { continue };
        let label = label(comparison);
        let cells = |skill: Skill| {
            let cell = |measure| {
                let is_it =
                    |task: &&TaskAnswer| task.measure == measure && task.task == skill.task();
                answer.tasks.iter().find(is_it)?.cells[arm].as_ref()
            };
            Some([cell(Measure::Accuracy)?, cell(Measure::GoldBitsPerByte)?])
        };
        let mut spared = Vec::new();
        for expectation in together {
            let Some(both) = cells(expectation.skill) else { continue };
            let task = expectation.skill.task().to_owned();
            let (better, built_in) = match expectation.expected {
                Expected::Better => (true, "better"),
                Expected::Worse => (false, "worse"),
                Expected::NotWorse => {
                    spared.push((task, both));
                    continue;
                }
            };
            let [accuracy, bits] = both.map(|cell| Some((cell.effect.as_ref()?, cell.verdict)));
            let (Some(accuracy), Some(bits)) = (accuracy, bits) else { continue };
            let (outcome, found) = predicted(better, accuracy, bits);
            row([label.clone(), task, built_in.to_owned(), found], outcome);
        }
        // Many at once, so that only what is marked after correction counts against them.
        let is_worse = |cells: &[&sparkjoy_answers::Comparison; 2]| {
            cells.iter().any(|cell| cell.verdict == Verdict::Worse)
        };
        let worse: Vec<&str> = spared
            .iter()
            .filter(|(_, cells)| is_worse(cells))
            .map(|(task, _)| task.as_str())
            .collect();
        if !spared.is_empty() {
            let tasks = format!("{} others", spared.len());
            let (found, outcome) = if worse.is_empty() {
                ("none is marked as worse".to_owned(), ExpectationOutcome::Agrees)
            } else {
                (format!("worse: {}", worse.join(", ")), ExpectationOutcome::Contradicts)
            };
            row([label, tasks, "not worse".to_owned(), found], outcome);
        }
    }
    let [agree, not_shown, contradict] = counts;
    let counts = format!(
        "{agree} agree, {not_shown} not shown (the interval holds zero), {contradict} contradict"
    );
    (agree + not_shown + contradict > 0).then_some((table, counts))
}

fn outcome(agrees: bool) -> ExpectationOutcome {
    if agrees { ExpectationOutcome::Agrees } else { ExpectationOutcome::Contradicts }
}

/// `+21.3 points [+12.0, +30.4]*`.
fn points(effect: &Effect, verdict: Verdict) -> String {
    let [mean, low, high] = [effect.mean, effect.low, effect.high].map(percentage_points);
    marked(&format!("{mean} points [{low}, {high}]"), verdict)
}

/// `better by 0.343 bits per byte [0.289, 0.399]*`.
fn in_bits(effect: &Effect, verdict: Verdict) -> String {
    marked(&better_by(effect, 3), verdict)
}

fn marked(effect: &str, verdict: Verdict) -> String {
    let mark = if matches!(verdict, Verdict::Better | Verdict::Worse) { "*" } else { "" };
    format!("{effect}{mark}")
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
            Comparison::LongestWindow if answer.ask == Ask::Duration => arms.next_back(),
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
        Comparison::LongestWindow => "longest window".to_owned(),
        Comparison::Without(sources) => {
            let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
            format!("− {}", names.join(", "))
        }
        Comparison::More(source) => format!("+ {source}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect([low, high]: [f64; 2]) -> Effect {
        Effect {
            mean: f64::midpoint(low, high),
            standard_error: 0.1,
            replicate_error: 0.1,
            item_error: 0.0,
            freedom: 2.0,
            low,
            high,
            p: 0.5,
        }
    }

    #[test]
    fn the_accuracy_decides_where_it_excludes_zero_and_else_the_bits() {
        let outcome = |better, accuracy: [f64; 2], bits: [f64; 2]| {
            let verdict = Verdict::NotSignificant;
            predicted(better, (&effect(accuracy), verdict), (&effect(bits), verdict)).0
        };
        let (up, down, nothing) = ([0.1, 0.3], [-0.3, -0.1], [-0.1, 0.1]);
        assert_eq!(outcome(true, up, up), ExpectationOutcome::Agrees);
        assert_eq!(
            outcome(true, nothing, down),
            ExpectationOutcome::Agrees,
            "fewer bits are better"
        );
        assert_eq!(outcome(true, nothing, nothing), ExpectationOutcome::NotShown);
        assert_eq!(outcome(true, down, down), ExpectationOutcome::Contradicts);
        assert_eq!(outcome(false, nothing, up), ExpectationOutcome::Agrees);
        assert_eq!(outcome(false, nothing, down), ExpectationOutcome::Contradicts);
    }
}

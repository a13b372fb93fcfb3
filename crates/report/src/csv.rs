//! Every number of the answers as CSV: one line per arm, scope and replicate or statistic.

use serde::Serialize;

use sparkjoy_answers::{Answer, Answers, Comparison, Effect, Measure, Spread, Verdict, What};
use sparkjoy_study::Ask;

/// One line; the field names are the header.
#[derive(Serialize)]
struct Line<'a> {
    /// From 1, as asked.
    question: usize,
    ask: Ask,
    mixture: Option<&'a str>,
    arm: &'a str,
    control: &'a str,
    /// `all`, `targeted`, `general`, `unseen`, `domain` or `source`; `task` or `suite`.
    scope: &'static str,
    /// Of the domain, source, task or suite.
    name: &'a str,
    /// `bpb` of held-out text, `accuracy`, `average`, or `gold-bpb` of correct answers.
    measure: &'static str,
    /// `replicate 0`, `mean`, …, or `missing`.
    statistic: String,
    branch_value: Option<f64>,
    control_value: Option<f64>,
    difference: Option<f64>,
    /// Beside the mean only.
    verdict: Option<Verdict>,
}

/// Every number of the answers as CSV with a header.
///
/// A comparison of which a replicate is not scored has one line, whose statistic is `missing`.
pub fn report_csv(answers: &Answers) -> String {
    let mut out = ::csv::Writer::from_writer(Vec::new());
    for (index, answer) in answers.questions.iter().enumerate() {
        for line in lines(index + 1, answer) {
            out.serialize(line).expect("memory takes what is written");
        }
    }
    let bytes = out.into_inner().expect("memory takes what is written");
    String::from_utf8(bytes).expect("names and numbers are text")
}

fn lines(question: usize, answer: &Answer) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut add = |arm: usize, (scope, name, measure), cell: Option<&Comparison>| {
        let arm = &answer.arms[arm];
        let line = |(statistic, numbers, verdict): Statistic| Line {
            question,
            ask: answer.ask,
            mixture: answer.mixture.as_deref(),
            arm: &arm.label,
            control: &answer.controls[arm.control].label,
            scope,
            name,
            measure,
            statistic,
            branch_value: numbers[0],
            control_value: numbers[1],
            difference: numbers[2],
            verdict,
        };
        lines.extend(statistics(cell).into_iter().map(line));
    };
    for (index, arm) in answer.arms.iter().enumerate() {
        for (scope, cell) in answer.scopes.iter().zip(&arm.cells) {
            let (kind, name) = match &scope.what {
                What::All => ("all", ""),
                What::Targeted => ("targeted", ""),
                What::General => ("general", ""),
                What::Unseen => ("unseen", ""),
                What::Domain { name } => ("domain", name.as_str()),
                What::Source { name, .. } => ("source", name.as_str()),
            };
            add(index, (kind, name, "bpb"), cell.as_ref());
        }
    }
    for task in &answer.tasks {
        let (scope, measure) = match task.measure {
            Measure::Average => ("suite", "average"),
            Measure::Accuracy => ("task", "accuracy"),
            Measure::GoldBitsPerByte => ("task", "gold-bpb"),
        };
        for (index, cell) in task.cells.iter().enumerate() {
            add(index, (scope, task.task.as_str(), measure), cell.as_ref());
        }
    }
    lines
}

/// Its name, the numbers of branch, control and difference, and what the difference says.
type Statistic = (String, [Option<f64>; 3], Option<Verdict>);

fn statistics(cell: Option<&Comparison>) -> Vec<Statistic> {
    let Some(cell) = cell else {
        return vec![("missing".to_owned(), [None; 3], None)];
    };
    let of = |number: &dyn Fn(&Spread) -> Option<f64>| {
        [&cell.branch, &cell.control, &cell.difference].map(number)
    };
    let replicates = (0..cell.branch.values.len())
        .map(|r| (format!("replicate {r}"), of(&|spread| Some(spread.values[r])), None));
    let named = |name: &str, numbers| (name.to_owned(), numbers, None);
    let only = |name: &str, number: Option<f64>| (name.to_owned(), [None, None, number], None);
    let effect = |number: &dyn Fn(&Effect) -> f64| cell.effect.as_ref().map(number);
    replicates
        .chain([
            ("mean".to_owned(), of(&|spread| Some(spread.mean)), Some(cell.verdict)),
            named("standard deviation", of(&|spread| spread.deviation)),
            named("standard error of replicates", of(&|spread| spread.standard_error)),
            named("min", of(&|spread| Some(spread.min))),
            named("max", of(&|spread| Some(spread.max))),
            only("standard error", effect(&|effect| effect.standard_error)),
            only("degrees of freedom", effect(&|effect| effect.freedom)),
            only("low", effect(&|effect| effect.low)),
            only("high", effect(&|effect| effect.high)),
            only("p", effect(&|effect| effect.p)),
            only("adjusted p", cell.adjusted_p),
            only("detectable", cell.detectable),
        ])
        .collect()
}

//! The report in sentences and tables, for a terminal.

mod table;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use sparkjoy_base::{Ppm, percent, signed};

use sparkjoy_answers::{
    Answer, Answers, ArmAnswer, Comparison, Finding, Measure, Scope, Spread, TrunkPoint,
    TrunkScore, Verdict, What,
};
use sparkjoy_study::Ask;

use crate::sentences;
use table::{Cell, Mark, Row, TerminalTable};

/// The report for a terminal: at most 100 characters a line, domains only.
pub fn report_text(answers: &Answers) -> String {
    let mut out = format!("{} · plan {}\n", answers.study, answers.plan);
    for line in preamble(answers) {
        for wrapped in wrap(&line) {
            let _ = writeln!(out, "{wrapped}");
        }
    }
    for answer in &answers.questions {
        let _ = writeln!(out, "\n{}\n", sentences::title(answer));
        for finding in &answer.findings {
            for wrapped in wrap(&format!("- {}", sentences::sentence(answer, finding))) {
                let _ = writeln!(out, "{wrapped}");
            }
        }
        out.push('\n');
        out.push_str(&controls(answer).text());
        out.push('\n');
        out.push_str(&differences(answer).text());
        for (title, table) in tasks(answer) {
            let _ = writeln!(out, "\n{title}\n");
            out.push_str(&table.text());
        }
    }
    if let Some(table) = trunk(answers) {
        let _ = write!(out, "\n{TRUNK}\n\n{}", table.text());
    }
    out
}

const TRUNK: &str = "The trunk on tasks, by step";

/// Each number of the trunk in a row, each of its steps in a column.
fn trunk(answers: &Answers) -> Option<TerminalTable> {
    let all = answers.trunk.iter().flat_map(|point| &point.scores);
    let mut keys: Vec<(Measure, &str)> = Vec::new();
    for score in all {
        if !keys.contains(&(score.measure, score.task.as_str())) {
            keys.push((score.measure, &score.task));
        }
    }
    let row = |&(measure, task): &(Measure, &str)| {
        let (scale, places, unit) = match measure {
            Measure::Average => (1.0, 4, "average"),
            Measure::Accuracy => (100.0, 2, "accuracy %"),
            Measure::GoldBitsPerByte => (1.0, 4, "bits per byte"),
        };
        let cell = |point: &TrunkPoint| {
            let is_it = |score: &&TrunkScore| score.measure == measure && score.task == task;
            point.scores.iter().find(is_it).map_or(Cell::Missing, |score| Cell::Number {
                value: format!("{:.places$}", scale * score.value),
                error: None,
                mark: Mark::None,
            })
        };
        Row::Cells(format!("{task}, {unit}"), answers.trunk.iter().map(cell).collect())
    };
    let headers = answers.trunk.iter().map(|point| vec![format!("step {}", point.step)]);
    let table = TerminalTable {
        corner: "task".to_owned(),
        headers: headers.collect(),
        rows: keys.iter().map(row).collect(),
    };
    (!table.rows.is_empty()).then_some(table)
}

/// What is incomplete, harm and redundancy, what it cost, and what the numbers mean.
fn preamble(answers: &Answers) -> Vec<String> {
    let mut lines = Vec::new();
    if !answers.missing.is_empty() {
        lines.push(format!(
            "INCOMPLETE: {} of {} branches are not scored, and every comparison that needs one of \
             them is missing: {}",
            answers.missing.len(),
            answers.branches,
            answers.missing.join(", ")
        ));
    }
    if !answers.missing_tasks.is_empty() {
        lines.push(format!(
            "INCOMPLETE: {} of {} branches are not scored on tasks: {}",
            answers.missing_tasks.len(),
            answers.branches,
            answers.missing_tasks.join(", ")
        ));
    }
    if !answers.tasks_without_file.is_empty() {
        let names: Vec<&str> = answers.tasks_without_file.iter().map(String::as_str).collect();
        lines.push(format!(
            "INCOMPLETE: no file of task {}: averages that need it are left out",
            names.join(", ")
        ));
    }
    lines.extend(sentences::instruction_sets(&answers.computed));
    lines.extend(sentences::few_documents(&answers.held_out));
    lines.extend(sentences::unknown_documents(&answers.held_out));
    for answer in &answers.questions {
        let of = |finding: &Finding| {
            let heading = match finding {
                Finding::Harmful(_) => "HARM",
                Finding::Redundant(_) => "REDUNDANT",
                _ => return None,
            };
            Some(format!("{heading}: {}", sentences::sentence(answer, finding)))
        };
        lines.extend(answer.findings.iter().filter_map(of));
    }
    if let Some(checked) = &answers.contamination {
        lines.extend(sentences::cautions(checked));
        lines.push(sentences::contamination_summary(checked));
    }
    let cost = answers.cost;
    let saving = 100.0 * (1.0 - cost.tree.0 as f64 / cost.in_full.0 as f64);
    lines.push(format!(
        "training: {} tokens for the tree, {} for every branch in full: {saving:.1} % saved",
        cost.tree, cost.in_full
    ));
    lines.push(
        "numbers: held-out bits per byte, lower is better; a domain is the plain mean of its \
         sources, `all` the plain mean of all sources"
            .to_owned(),
    );
    let replicates = answers.questions.first().map_or(1, |answer| answer.replicates);
    lines.push(if replicates > 1 {
        format!(
            "Δ: branch − control of the same replicate, mean of {replicates}, with its {} interval \
             over replicates and items; in the columns `targeted` (what a comparison is about) and \
             `general` (all other sources) * marks what is significant after Holm's correction and \
             ~ what is not, with a false * in at most {} of questions; what has no mark is not \
             tested and not ranked; an interval is about other orders of these training documents \
             and other items of this kind, on this trunk: other documents or another trunk may \
             differ by more",
            percent(answers.confidence),
            percent(1.0 - answers.confidence)
        )
    } else {
        "Δ: branch − control; with a single replicate the noise is unknown, so every Δ is marked ~ \
         and none is ranked"
            .to_owned()
    });
    if replicates > 1 && answers.questions.iter().any(|answer| !answer.tasks.is_empty()) {
        lines.push(format!(
            "tasks: marked * and ~ in the same way, in two families of their own: accuracy \
             (categories of several tasks in place of these), and bits per byte of the correct \
             answers; there is a false * in at most {} of questions in each family, in at most {} in \
             any of the three",
            percent(1.0 - answers.confidence),
            percent(3.0 * (1.0 - answers.confidence))
        ));
    }
    lines
}

/// The controls in bits per byte; how far their replicates lie apart is the noise floor.
fn controls(answer: &Answer) -> TerminalTable {
    let mut shown = domains(answer);
    shown.retain(|&column| answer.scopes[column].base.is_some());
    let rows = answer.controls.iter().map(|control| {
        let cell = |&column: &usize| match &control.cells[column] {
            None => Cell::Missing,
            Some(Spread { mean, deviation, .. }) => Cell::Number {
                value: format!("{mean:.4}"),
                error: deviation.map(|deviation| format!("±{deviation:.4}")),
                mark: Mark::None,
            },
        };
        Row::Cells(control.label.clone(), shown.iter().map(cell).collect())
    });
    let header = |&column: &usize| vec![name(&answer.scopes[column]), "bpb".to_owned()];
    TerminalTable {
        corner: format!("control, ± deviation of {} replicates", answer.replicates),
        headers: shown.iter().map(header).collect(),
        rows: rows.collect(),
    }
}

/// Each arm against its control, by domain.
fn differences(answer: &Answer) -> TerminalTable {
    let shown = domains(answer);
    let cells =
        |arm: &ArmAnswer| shown.iter().map(|&c| difference(arm.cells[c].as_ref())).collect();
    let row = |label, arm: &ArmAnswer| Row::Cells(label, cells(arm));
    let mut rows = Vec::new();
    for (index, control) in answer.controls.iter().enumerate() {
        let arms = answer.arms.iter().filter(|arm| arm.control == index);
        let control = &control.label;
        if answer.controls.len() == answer.arms.len() {
            rows.extend(arms.map(|arm| row(format!("{} against {control}", arm.label), arm)));
        } else {
            rows.push(Row::Heading(format!("against {control}")));
            rows.extend(arms.map(|arm| row(format!("  {}", arm.label), arm)));
        }
    }
    let header = |&column: &usize| {
        let scope = &answer.scopes[column];
        let share = match (&scope.what, answer.ask) {
            (What::All, _) => String::new(),
            // What is added has another share in each row, which its label says.
            (_, Ask::Addition) => scope.upsampled.map(percent_of).unwrap_or_default(),
            _ => share(scope),
        };
        vec![name(scope), share, "Δ bpb".to_owned()]
    };
    let corner = match answer.ask {
        Ask::Duration => "window",
        Ask::Timing => "place",
        Ask::Stability => "measured",
        Ask::Removal | Ask::Addition | Ask::Proportion | Ask::Transfer => "mixture",
    };
    let corner = match &answer.mixture {
        Some(mixture) if answer.ask == Ask::Addition => format!("{corner}, % in {mixture}"),
        Some(mixture) => format!("{corner}, % base → {mixture}"),
        None => corner.to_owned(),
    };
    TerminalTable { corner, headers: shown.iter().map(header).collect(), rows }
}

/// Tasks, one measure a table: each task in a row, each arm in a column.
fn tasks(answer: &Answer) -> Vec<(&'static str, TerminalTable)> {
    let measures = [
        (Measure::Average, "Averages of suites, Δ with guessing at 0 and perfection at 1:", "Δ"),
        (Measure::Accuracy, "Accuracy on tasks, Δ in percentage points:", "Δ points"),
        (Measure::GoldBitsPerByte, "Correct answers of tasks, Δ bits per byte:", "Δ bpb"),
    ];
    let table = |(measure, title, unit): (Measure, &'static str, &str)| {
        let (scale, places) = if measure == Measure::Accuracy { (100.0, 2) } else { (1.0, 4) };
        let cell = |cell: &Option<Comparison>| scaled_difference(cell.as_ref(), scale, places);
        let rows: Vec<Row> = answer
            .tasks
            .iter()
            .filter(|task| task.measure == measure)
            .map(|task| Row::Cells(task.task.clone(), task.cells.iter().map(cell).collect()))
            .collect();
        let header = |arm: &ArmAnswer| {
            let control = &answer.controls[arm.control].label;
            vec![arm.label.clone(), format!("against {control}"), unit.to_owned()]
        };
        let headers = answer.arms.iter().map(header).collect();
        (title, TerminalTable { corner: "task".to_owned(), headers, rows })
    };
    measures.into_iter().map(table).filter(|(_, table)| !table.rows.is_empty()).collect()
}

/// Columns for everything and for each domain.
fn domains(answer: &Answer) -> Vec<usize> {
    let is_source = |scope: &Scope| matches!(scope.what, What::Source { .. });
    (0..answer.scopes.len()).filter(|&column| !is_source(&answer.scopes[column])).collect()
}

fn name(scope: &Scope) -> String {
    match &scope.what {
        What::All => "all".to_owned(),
        What::Targeted => "targeted".to_owned(),
        What::General => "general".to_owned(),
        What::Domain { name } => name.to_string(),
        What::Source { name, .. } => name.to_string(),
    }
}

/// `34.35 → 30`: from the trunk's mixture to the one asked about, in percent.
fn share(scope: &Scope) -> String {
    match (scope.base, scope.upsampled) {
        (Some(base), Some(upsampled)) => {
            format!("{} → {}", percent_of(base), percent_of(upsampled))
        }
        _ => String::new(),
    }
}

/// `34.35`, of 34.35 %.
fn percent_of(ppm: Ppm) -> String {
    ppm.to_string().trim_end_matches(" %").to_owned()
}

fn difference(cell: Option<&Comparison>) -> Cell {
    scaled_difference(cell, 1.0, 4)
}

fn scaled_difference(cell: Option<&Comparison>, scale: f64, places: usize) -> Cell {
    let Some(Comparison { difference, effect, verdict, .. }) = cell else { return Cell::Missing };
    let shown = |value: f64| signed(scale * value, places);
    Cell::Number {
        value: shown(difference.mean),
        error: effect.as_ref().map(|e| format!("[{}, {}]", shown(e.low), shown(e.high))),
        mark: match verdict {
            Verdict::Better | Verdict::Worse => Mark::Sure,
            Verdict::NotSignificant => Mark::Noise,
            Verdict::NotTested => Mark::None,
        },
    }
}

/// A long line as lines of at most 100 characters, those after the first set in.
pub fn wrap(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.chars().count() + 1 + word.chars().count() > table::WIDTH {
            lines.push(format!("  {word}"));
        } else if last.is_empty() {
            last.push_str(word);
        } else {
            *last = format!("{last} {word}");
        }
    }
    lines
}

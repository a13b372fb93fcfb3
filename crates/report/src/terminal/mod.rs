//! The report in sentences and tables, for a terminal.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use sparkjoy_base::{Ppm, percent};

use sparkjoy_answers::{
    Answer, Answers, ArmAnswer, Comparison, Finding, Measure, Scope, Spread, TrunkPoint,
    TrunkScore, What,
};
use sparkjoy_study::Ask;

use crate::decisions::{decision_table, surface_table};
use crate::estimate::{Estimate, HIGHER, LOWER, Unit, cell};
use crate::sentences;
use crate::table::{Cell, Table, WIDTH};

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
        if let Some(table) = decision_table(answer) {
            let _ = write!(out, "\n{}", table.plain());
        }
        if let Some(table) = surface_table(answer) {
            let _ = write!(out, "\n{}", table.plain());
        }
        if let Some(mixture) = sentences::next_mixture(answer) {
            let _ = write!(out, "\nTo train next, as a part of the study:\n\n{mixture}");
        }
        if let Some(columns) = sentences::columns(answer) {
            let _ = writeln!(out, "\n{}", wrap(&columns).join("\n"));
        }
        out.push('\n');
        out.push_str(&controls(answer).plain());
        out.push('\n');
        out.push_str(&differences(answer).plain());
        for (title, table) in tasks(answer) {
            let _ = writeln!(out, "\n{title}\n");
            out.push_str(&table.plain());
        }
    }
    if let Some(table) = trunk(answers) {
        let _ = write!(out, "\n{TRUNK}\n\n{}", table.plain());
    }
    out
}

const TRUNK: &str = "The trunk on tasks, by step";

/// Each number of the trunk in a row, each of its steps in a column.
fn trunk(answers: &Answers) -> Option<Table> {
    let all = answers.trunk.iter().flat_map(|point| &point.scores);
    let mut keys: Vec<(Measure, &str)> = Vec::new();
    for score in all {
        if !keys.contains(&(score.measure, score.task.as_str())) {
            keys.push((score.measure, &score.task));
        }
    }
    let headers = answers.trunk.iter().map(|point| [format!("step {}", point.step)]);
    let mut table = table("task", headers);
    for (measure, task) in keys {
        let (unit, name) = match measure {
            Measure::Average => (Unit::Score, "average, ↑ better"),
            Measure::Accuracy => (Unit::Percent, "accuracy %, ↑ better"),
            Measure::GoldBitsPerByte => (Unit::Score, "bits per byte, ↓ better"),
        };
        let shown = |point: &TrunkPoint| {
            let is_it = |score: &&TrunkScore| score.measure == measure && score.task == task;
            let score = point.scores.iter().find(is_it);
            cell(score.map(|score| Estimate::alone(score.value, unit)))
        };
        table.named(format!("{task}, {name}"), answers.trunk.iter().map(shown));
    }
    (!table.is_empty()).then_some(table)
}

/// What is incomplete, harm and redundancy, what it cost, and what the numbers mean.
fn preamble(answers: &Answers) -> Vec<String> {
    let mut lines = Vec::new();
    if !answers.missing.is_empty() {
        lines.push(format!(
            "INCOMPLETE: {}; every comparison that needs one of them is missing",
            sentences::not_scored(&answers.missing, answers.branches, "")
        ));
    }
    if !answers.missing_tasks.is_empty() {
        lines.push(format!(
            "INCOMPLETE: {}",
            sentences::not_scored(&answers.missing_tasks, answers.branches, " on tasks")
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
    lines.extend(sentences::unknown_instruction_sets(&answers.computed));
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
    lines.extend(sentences::few_documents(&answers.held_out));
    lines.extend(sentences::unknown_documents(&answers.held_out));
    lines.extend(sentences::split_verdicts(&answers.split));
    lines.extend(sentences::doubtful_items(&answers.doubtful));
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
             and other items of this kind, {}",
            percent(answers.confidence),
            percent(1.0 - answers.confidence),
            if answers.own_trunks {
                "on other trunks: other documents may differ by more"
            } else {
                "on this trunk: other documents or another trunk may differ by more"
            }
        )
    } else {
        "Δ: branch − control; with a single replicate the noise is unknown, so every Δ is marked ~ \
         and none is ranked"
            .to_owned()
    });
    let has_unseen = answers.questions.iter().any(|answer| !answer.unseen.is_empty());
    if has_unseen {
        lines.push(
            "unseen: text that nothing trains on, the plain mean of its sources; it is in neither \
             `all` nor `general`, and its marks * and ~ are a family of their own"
                .to_owned(),
        );
    }
    if replicates > 1 && answers.questions.iter().any(|answer| !answer.tasks.is_empty()) {
        let (families, all) = if has_unseen { (4.0, "four") } else { (3.0, "three") };
        lines.push(format!(
            "tasks: marked * and ~ in the same way, in two families of their own: accuracy \
             (categories of several tasks in place of these), and bits per byte of the correct \
             answers; there is a false * in at most {} of questions in each family, in at most {} in \
             any of the {all}",
            percent(1.0 - answers.confidence),
            percent(families * (1.0 - answers.confidence))
        ));
    }
    lines
}

/// The controls in bits per byte; how far their replicates lie apart is the noise floor.
fn controls(answer: &Answer) -> Table {
    let mut shown = domains(answer);
    shown.retain(|&column| answer.scopes[column].base.is_some());
    let header =
        |&column: &usize| [name(&answer.scopes[column]), "bpb".to_owned(), LOWER.to_owned()];
    let corner = format!("control, ± deviation of {} replicates", answer.replicates);
    let mut table = table(&corner, shown.iter().map(header));
    for control in &answer.controls {
        let cell = |&column: &usize| match &control.cells[column] {
            None => Cell::missing(),
            Some(Spread { mean, deviation: None, .. }) => format!("{mean:.4} ").into(),
            Some(Spread { mean, deviation: Some(deviation), .. }) => {
                format!("{mean:.4} \n±{deviation:.4} ").into()
            }
        };
        table.named(&*control.label, shown.iter().map(cell));
    }
    table
}

/// A table of numbers, each column with a place for the mark behind them.
fn table<const LINES: usize>(
    corner: &str,
    headers: impl Iterator<Item = [String; LINES]>,
) -> Table {
    let headers = headers.map(|lines| lines.map(|line| format!("{line} ")).join("\n"));
    Table::new(std::iter::once(format!("<{corner}")).chain(headers))
}

/// Each arm against its control, by domain.
fn differences(answer: &Answer) -> Table {
    let shown = domains(answer);
    let header = |&column: &usize| {
        let scope = &answer.scopes[column];
        let share = match (&scope.what, answer.ask) {
            (What::All | What::Unseen, _) => String::new(),
            // What is added has another share in each row, which its label says.
            (_, Ask::Addition) => scope.upsampled.map(percent_of).unwrap_or_default(),
            _ => share(scope),
        };
        [name(scope), share, format!("Δ bpb, {LOWER}")]
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
    let mut table = table(&corner, shown.iter().map(header));
    let alone = answer.controls.len() == answer.arms.len();
    for (index, control) in answer.controls.iter().enumerate() {
        let control = &control.label;
        if !alone {
            table.heading(format!("against {control}"));
        }
        for arm in answer.arms.iter().filter(|arm| arm.control == index) {
            let label = &arm.label;
            let label =
                if alone { format!("{label} against {control}") } else { format!("  {label}") };
            table.named(label, shown.iter().map(|&c| compared(arm.cells[c].as_ref(), Unit::Bits)));
        }
    }
    table
}

/// Tasks, one measure a table: each task in a row, each arm in a column.
fn tasks(answer: &Answer) -> Vec<(&'static str, Table)> {
    let measures = [
        (Measure::Average, "Averages of suites, Δ with guessing at 0 and perfection at 1:", "Δ"),
        (Measure::Accuracy, "Accuracy on tasks, Δ in percentage points:", "Δ points"),
        (Measure::GoldBitsPerByte, "Correct answers of tasks, Δ bits per byte:", "Δ bpb"),
    ];
    let way = |measure: Measure| if measure.lower_is_better() { LOWER } else { HIGHER };
    let filled = |(measure, title, unit): (Measure, &'static str, &str)| {
        let header = |arm: &ArmAnswer| {
            let control = &answer.controls[arm.control].label;
            [arm.label.clone(), format!("against {control}"), format!("{unit}, {}", way(measure))]
        };
        let mut table = table("task", answer.arms.iter().map(header));
        for task in answer.tasks.iter().filter(|task| task.measure == measure) {
            let cells = task.cells.iter();
            table.named(&*task.task, cells.map(|c| compared(c.as_ref(), Unit::of(measure))));
        }
        (title, table)
    };
    measures.into_iter().map(filled).filter(|(_, table)| !table.is_empty()).collect()
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
        What::Unseen => "unseen".to_owned(),
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

fn compared(comparison: Option<&Comparison>, unit: Unit) -> Cell {
    cell(comparison.map(|comparison| Estimate::of(comparison, unit)))
}

/// A long line as lines of at most 100 characters, those after the first set in.
pub fn wrap(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("there is always a line");
        if last.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("  {word}"));
        } else if last.is_empty() {
            last.push_str(word);
        } else {
            *last = format!("{last} {word}");
        }
    }
    lines
}

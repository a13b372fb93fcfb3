//! Scorecards and lists of tasks as text.

use std::fmt::Write;

use sparkjoy_answers::DoubtfulTask;
use sparkjoy_base::{duration, thousands};
use sparkjoy_eval::Scorecard;
use sparkjoy_eval::{
    Average, Catalog, Chance, Estimate, MatchRule, Selection, SuiteScore, TaskScore,
};
use sparkjoy_jobs::TaskWork;
use sparkjoy_report::Table;
use sparkjoy_report::sentences::doubtful_items;

use crate::output::BOLD;

/// All scores of a model: by category where a suite says so, then the averages, then what a reader
/// must know.
pub(super) fn render(scorecard: &Scorecard, selection: &Selection, work: &[TaskWork]) -> String {
    let mut text = String::new();
    let mut shown: Vec<&str> = Vec::new();
    for suite in &selection.suites {
        for category in &suite.categories {
            let _ = writeln!(text, "{BOLD}{}{BOLD:#}", words(&category.name));
            let tasks: Vec<&str> = category.tasks.iter().map(String::as_str).collect();
            text.push_str(&table(scorecard, &tasks));
            text.push('\n');
            shown.extend(tasks);
        }
    }
    let others = selection.tasks.iter().map(|task| task.name.as_str());
    let others: Vec<&str> = others.filter(|name| !shown.contains(name)).collect();
    if !others.is_empty() {
        text.push_str(&table(scorecard, &others));
        text.push('\n');
    }
    for suite in &scorecard.suites {
        text.push_str(&averages(suite));
        text.push('\n');
    }
    for note in notes(scorecard) {
        let _ = writeln!(text, "{note}");
    }
    // Of tasks that could not be scored nothing is known.
    if !scorecard.tasks.is_empty() {
        text.push_str(&effort(work));
    }
    text
}

/// `world_knowledge` as words.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn table(scorecard: &Scorecard, names: &[&str]) -> String {
    let headers = [
        "<task",
        "shots",
        "items",
        "correct\n%",
        "\n±",
        "<",
        "chance\n%",
        "major-\nity %",
        "\ncentred",
        "bits/\nbyte",
        "\n±",
    ];
    let mut table = Table::new(headers);
    for name in names {
        if let Some(score) = scorecard.tasks.iter().find(|score| score.task == *name) {
            table.row(row(score));
        } else {
            let missing = scorecard.missing.iter().any(|missing| missing.task == *name);
            let what = if missing { "MISSING" } else { "FAILED" };
            let mut cells = vec![String::new(); headers.len()];
            (*name).clone_into(&mut cells[0]);
            what.clone_into(&mut cells[3]);
            table.row(cells);
        }
    }
    table.text()
}

fn row(score: &TaskScore) -> Vec<String> {
    let percent = |value: f64| format!("{:.1}", 100.0 * value);
    let error = |estimate: Estimate, scale: f64, places: usize| {
        estimate.error.map_or(String::new(), |error| format!("{:.places$}", scale * error))
    };
    let chance = match score.chance {
        Chance::Above => "",
        Chance::At => "~",
        Chance::Below => "<",
    };
    vec![
        score.task.clone(),
        score.shots.to_string(),
        thousands(score.rows as u64),
        percent(score.accuracy.value),
        error(score.accuracy, 100.0, 1),
        chance.to_owned(),
        percent(score.baseline.value),
        score.majority.map_or(String::new(), percent),
        format!("{:+.3}", score.centred.value).replace('-', "−"),
        format!("{:.3}", score.gold_bits_per_byte.value),
        error(score.gold_bits_per_byte, 1.0, 3),
    ]
}

/// The averages of a suite, or the plain word that they are incomplete.
fn averages(suite: &SuiteScore) -> String {
    let mut text = String::new();
    let categories = suite.categories.iter().map(|c| (words(&c.name), &c.average));
    let core = ("core average".to_owned(), &suite.core);
    for (name, average) in categories.chain([core]) {
        let said = match average {
            Average::Complete { score, partial } => {
                let error = score.error.map_or(String::new(), |error| format!(" ± {error:.3}"));
                let value = format!("{:+.3}", score.value).replace('-', "−");
                let partial = match partial.as_slice() {
                    [] => String::new(),
                    partial => format!("  (a part of the rows of {})", partial.join(", ")),
                };
                format!("{value}{error}{partial}")
            }
            Average::Incomplete { missing } => {
                format!("INCOMPLETE: without {}", missing.join(", "))
            }
        };
        let line = format!("{:<26}  {said}", format!("{} {name}", suite.suite));
        let _ = writeln!(text, "{}", sparkjoy_report::wrap(&line).join("\n"));
    }
    text
}

/// What the numbers mean and what is wrong with some.
fn notes(scorecard: &Scorecard) -> Vec<String> {
    let mut notes = vec![format!(
        "chance: baselines {}; ~ marks an accuracy within two standard errors of chance, or of \
         unknown error, < one further below; ±: standard errors; majority: one and the same \
         answer to every row; centred: guessing at 0, perfection at 1; bits/byte: of the right \
         answers, lower is better, and the figure to go by where accuracies are at chance",
        scorecard.baselines.name()
    )];
    let list = |what: &str, of: &dyn Fn(&TaskScore) -> Option<String>| {
        let named = scorecard.tasks.iter().filter_map(|s| Some(format!("{} {}", s.task, of(s)?)));
        let named: Vec<String> = named.collect();
        (!named.is_empty()).then(|| format!("{what}: {}", named.join(", ")))
    };
    let of =
        |part: usize, all: u64| Some(format!("{} of {}", thousands(part as u64), thousands(all)));
    let partial = "rows scored, not comparable with whole tasks";
    notes.extend(list(partial, &|score| {
        let all = score.rows_published.unwrap_or(score.rows_in_file as u64);
        of(score.rows, all).filter(|_| score.is_partial())
    }));
    let longer = format!(
        "items longer than the context of {} tokens, which lost the beginning of their prompts",
        thousands(scorecard.context as u64)
    );
    notes.extend(list(&longer, &|score| {
        of(score.truncated, score.rows as u64).filter(|_| score.truncated > 0)
    }));
    for score in &scorecard.tasks {
        if let Some(other) = &score.other_rule {
            let rule = match other.rule {
                MatchRule::Exact => "the answer must be the reference",
                MatchRule::Prefix => "the answer need only start with the reference",
            };
            notes.push(format!(
                "{}: scored by the rule `{}`; {:.1} % where {rule}",
                score.task,
                score.rule,
                100.0 * other.accuracy.value
            ));
        }
        if let Some(by_rows) = score.accuracy_by_rows {
            notes.push(format!(
                "{}: every subcategory weighs the same; {:.1} % where every row does",
                score.task,
                100.0 * by_rows.value
            ));
        }
        for pass in &score.pass_at {
            let error =
                pass.estimate.error.map_or(String::new(), |e| format!(" ± {:.1}", 100.0 * e));
            let value = 100.0 * pass.estimate.value;
            notes.push(format!("{}: pass@{} {value:.1} %{error}", score.task, pass.k));
        }
    }
    let doubtful = scorecard.tasks.iter().filter_map(DoubtfulTask::of);
    notes.extend(doubtful_items(&doubtful.collect::<Vec<_>>()));
    notes.extend(list("programs that failed, by what ended them", &|score| {
        let by: Vec<String> =
            score.failures.iter().map(|(by, count)| format!("{count} {by}")).collect();
        (!by.is_empty()).then(|| by.join(", "))
    }));
    for missing in &scorecard.missing {
        let tried = missing.tried.join("` or `");
        notes.push(format!("MISSING {}: no file `{tried}`", missing.task));
    }
    for failed in &scorecard.failed {
        notes.push(format!("FAILED {}: {}", failed.task, failed.why));
    }
    let wrap = |note: String| sparkjoy_report::wrap(&note).join("\n");
    notes.into_iter().map(wrap).collect()
}

/// What it took, and what padding every sequence would have taken.
fn effort(work: &[TaskWork]) -> String {
    let items: usize = work.iter().map(|work| work.items).sum();
    if items == 0 {
        return "all items were answered before\n".to_owned();
    }
    let sum = |of: fn(&TaskWork) -> u64| work.iter().map(of).sum::<u64>();
    let (tokens, separate, padded) =
        (sum(|w| w.tokens), sum(|w| w.separate_tokens), sum(|w| w.padded_tokens));
    let seconds: f64 = work.iter().map(|work| work.seconds).sum();
    format!(
        "{} items in {}: {} tokens computed\n\
         ({:.1} times as many with every sequence by itself, {:.1} times padded to the context)\n",
        thousands(items as u64),
        duration(seconds),
        thousands(tokens),
        separate as f64 / tokens as f64,
        padded as f64 / tokens as f64
    )
}

/// The tasks and suites that come with the program.
pub(super) fn list(catalog: &Catalog) -> String {
    let mut table = Table::new(["<task", "<type", "shots", "chance %", "<rule", "<file"]);
    for task in catalog.tasks() {
        table.row([
            task.name.clone(),
            task.kind.word().to_owned(),
            task.few_shot.shots.to_string(),
            format!("{:.1}", 100.0 * task.baselines.v03),
            task.rule().to_owned(),
            task.files.first().cloned().unwrap_or_default(),
        ]);
    }
    let mut text = table.text();
    for suite in catalog.suites() {
        let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", suite.name);
        for category in &suite.categories {
            let _ = writeln!(text, "  {}: {}", words(&category.name), category.tasks.join(", "));
        }
    }
    text
}

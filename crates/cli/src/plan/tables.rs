//! The plan as a person reads it.

use std::fmt::Write;

use sparkjoy_base::{
    DomainName, SourceName, about, bytes, duration, quantity, scientific, thousands,
};
use sparkjoy_jobs::{ChangedSetting, JobState};
use sparkjoy_mix::Mixture;
use sparkjoy_report::{Table, sentences, wrap};
use sparkjoy_spec::Start;
use sparkjoy_study::{EPOCHS_WORTH_READING, Effort};

use super::decides;
use super::facts::{Facts, JobsDone, Read, Refused};

/// Characters of a line of a header, and of a job's label.
const HEADER: usize = 12;
const LABEL: usize = 22;

/// All tables, each under a line that says what it is.
pub(super) fn render(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    if let Some(Refused { text: why, hint }) = &facts.refused {
        let hint = hint.iter().map(|hint| format!("hint: {hint}"));
        for line in std::iter::once(format!("`sparkjoy run` WOULD REFUSE: {why}")).chain(hint) {
            let _ = writeln!(text, "{}", wrap(&line).join("\n"));
        }
        text.push('\n');
    }
    machine(&mut text, facts);
    section(&mut text, "mixtures by domain, in percent", &mixtures(facts, Rows::Domains));
    if by_source_tells_more(facts) {
        section(&mut text, "the same by source, in percent", &mixtures(facts, Rows::Sources));
    }
    if let Some(read) = imported(facts) {
        let trunk = facts.plan.trunk();
        let moments = match trunk.start {
            Start::Imported { moments: Some(_), .. } => "with the state of its optimizer",
            _ => "without the state of its optimizer",
        };
        let step = thousands(trunk.first_step);
        let title =
            format!("the trunk was trained elsewhere up to step {step}, {moments}; it had read");
        section(&mut text, &title, &read);
    }
    let (unit, name) = unit(facts);
    let read = format!("tokens of the whole run, trunk and window together, in {name}");
    section(&mut text, &read, &by_domain(facts, unit));
    if by_source_tells_more(facts) {
        section(&mut text, &format!("the same by source, in {name}"), &by_source(facts, unit));
    }
    section(
        &mut text,
        "epochs of each source at the end of the run (! more than 4)",
        &epochs(facts),
    );
    section(
        &mut text,
        "jobs, with the tokens of the window read for the first time and again",
        &jobs(facts),
    );
    let names = facts.groups.iter().map(|group| match &group.names[..] {
        [one] => one.clone(),
        names => format!("{} to -r{}", names[0], names.len() - 1),
    });
    let names = names.collect::<Vec<_>>().join(", ");
    let names = wrap(&format!("branches, as `--branch` and `--job` name them: {names}"));
    let _ = write!(text, "\n{}\n", names.join("\n"));
    section(&mut text, "cost of training", &cost(facts));
    text.push_str(&time(facts));
    let notes = facts.plan.notes.iter().map(ToString::to_string);
    if let Some(power) = &facts.power {
        text.push_str(&decides::render(power));
    }
    let power = facts.power.iter().flat_map(sentences::power);
    let objective = facts.plan.objective.as_ref().map(|it| format!("decides by: {it}"));
    let contamination = facts.contamination.iter().flat_map(sentences::contamination_notes);
    let changed = facts.changed.iter().map(ChangedSetting::sentence);
    let all = changed
        .chain(notes)
        .chain(objective)
        .chain(facts.memory.note())
        .chain(power)
        .chain(contamination);
    for (at, note) in all.enumerate() {
        let note = wrap(&format!("note: {note}")).join("\n");
        let _ = writeln!(text, "{}{note}", if at == 0 { "\n" } else { "" });
    }
    text
}

pub(super) fn section(text: &mut String, title: &str, table: &Table) {
    let _ = write!(text, "\n{title}\n\n{}", table.text());
}

/// The model, and what this machine makes of it.
fn machine(text: &mut String, facts: &Facts<'_>) {
    let shape = &facts.plan.shape;
    let how = if facts.speed.timed_step { "timed" } else { "from matrix products" };
    let _ = writeln!(
        text,
        "model: {} parameters ({} layers, width {}, {} heads, context {}, vocabulary {})\n\
         each run, in {}: {} of memory, {} FLOPs a step; this machine: {} tokens/s ({how})",
        thousands(facts.cost.parameters),
        shape.layers,
        thousands(shape.width as u64),
        shape.heads,
        thousands(shape.context as u64),
        thousands(shape.vocab as u64),
        facts.plan.trunk().precision,
        bytes(facts.memory.run),
        scientific(facts.flops_per_step as f64),
        speed(facts.speed.tokens_per_second),
    );
}

/// What a trunk that was trained elsewhere has read of each source; none for other trunks.
fn imported(facts: &Facts<'_>) -> Option<Table> {
    let plan = facts.plan;
    plan.import?;
    let mut table = Table::new(["<source", "sequences", "tokens", "epochs"]);
    for (name, source) in plan.seen() {
        let drawn = plan.trunk().opening.drawn(name);
        table.row([
            name.to_string(),
            thousands(drawn),
            thousands(drawn * plan.shape.context as u64),
            format!("{:.2}", drawn as f64 / source.identity.sequences as f64),
        ]);
    }
    Some(table)
}

#[derive(Clone, Copy)]
enum Rows {
    Domains,
    Sources,
}

fn mixtures(facts: &Facts<'_>, rows: Rows) -> Table {
    let mixtures = &facts.mixtures;
    let names = mixtures.iter().map(|(name, _)| fold(name, HEADER));
    match rows {
        Rows::Domains => {
            let mut table = Table::new(headers("domain", names));
            for domain in facts.columns[0].domains.keys() {
                let inside = |name: &SourceName| facts.plan.sources[name].domain == *domain;
                let parts = mixtures.iter().map(|(_, mixture)| {
                    let parts = mixture.proportions().iter();
                    percent(parts.filter(|(name, _)| inside(name)).map(|(_, part)| part.0).sum())
                });
                table.row(std::iter::once(domain.to_string()).chain(parts));
            }
            table
        }
        Rows::Sources => {
            let mut table = Table::new(headers("source", names));
            for source in sources(facts) {
                let part = |m: &Mixture| m.proportions().get(source).map_or(0, |part| part.0);
                let parts = mixtures.iter().map(|(_, mixture)| percent(part(mixture)));
                table.row(std::iter::once(source.to_string()).chain(parts));
            }
            table
        }
    }
}

/// Parts per million in percent; nothing is rounded.
fn percent(ppm: u32) -> String {
    if ppm == 0 { "–".to_owned() } else { format!("{}.{:04}", ppm / 10_000, ppm % 10_000) }
}

fn sources<'a>(facts: &'a Facts<'_>) -> Vec<&'a SourceName> {
    let mut sources: Vec<_> = facts.plan.seen().collect();
    sources.sort_by_key(|(name, source)| (&source.domain, *name));
    sources.into_iter().map(|(name, _)| name).collect()
}

/// A label in lines of at most `width` characters, broken before what is taken away or added.
pub(super) fn fold(label: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let label = label.replace(" − ", "\n− ").replace(" + ", "\n+ ").replace(", ", ",\n");
    for part in label.split('\n') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + part.chars().count() <= width => {
                last.push(' ');
                last.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines.join("\n")
}

/// `10% at 50%, then base` in lines, broken before what follows.
fn fold_window(window: &str) -> String {
    window.replace(", ", ",\n")
}

/// The largest unit in which the largest number of the tables is at least 1.
fn unit(facts: &Facts<'_>) -> (f64, &'static str) {
    let largest = facts.columns.iter().flat_map(|c| c.domains.values()).max().copied();
    match largest.unwrap_or(0) {
        1_000_000_000.. => (1e9, "billions (B)"),
        1_000_000.. => (1e6, "millions (M)"),
        _ => (1e3, "thousands (K)"),
    }
}

fn headers(first: &str, others: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(format!("<{first}")).chain(others).collect()
}

/// What each column of a table of whole runs is about.
fn runs<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = String> + 'a {
    facts.columns.iter().map(|c| format!("{}\n{}", fold(&c.label, HEADER), c.window))
}

fn by_domain(facts: &Facts<'_>, unit: f64) -> Table {
    let mut table = Table::new(headers("domain", runs(facts)));
    let domains: Vec<&DomainName> = facts.columns[0].domains.keys().collect();
    for domain in domains {
        let tokens = facts.columns.iter().map(|c| in_unit(c.domains[domain], unit));
        table.row(std::iter::once(domain.to_string()).chain(tokens));
    }
    table
}

/// Whether any domain has more than one source.
fn by_source_tells_more(facts: &Facts<'_>) -> bool {
    facts.plan.seen().count() > facts.columns[0].domains.len()
}

fn by_source(facts: &Facts<'_>, unit: f64) -> Table {
    each_source(facts, |read| in_unit(read.tokens, unit))
}

fn epochs(facts: &Facts<'_>) -> Table {
    each_source(facts, |read| {
        let mark = if read.epochs > EPOCHS_WORTH_READING { "!" } else { "" };
        format!("{mark}{:.2}", read.epochs)
    })
}

fn each_source(facts: &Facts<'_>, show: impl Fn(&Read) -> String) -> Table {
    let mut table = Table::new(headers("source", runs(facts)));
    for source in sources(facts) {
        let read = facts.columns.iter();
        let read = read.map(|c| c.sources.get(source).map_or_else(|| "–".to_owned(), &show));
        table.row(std::iter::once(source.to_string()).chain(read));
    }
    table
}

fn jobs(facts: &Facts<'_>) -> Table {
    let mut table = Table::new([
        "<job",
        "window",
        "runs",
        "steps\neach",
        "fresh\neach",
        "repeated\neach",
        "FLOPs\nof all",
        "time\nof all",
        "<state",
    ]);
    let costs = |effort: Effort| [scientific(effort.flops as f64), duration(facts.seconds(effort))];
    let trunk = facts.cost.trunk;
    let [flops, time] = costs(trunk);
    let dash = || "–".to_owned();
    table.row([
        "trunk".to_owned(),
        dash(),
        facts.plan.trunks.len().to_string(),
        thousands(trunk.steps),
        dash(),
        dash(),
        flops,
        time,
        state(facts.trunk_state, JobsDone::default()),
    ]);
    for group in &facts.groups {
        let [flops, time] = costs(group.effort);
        table.row([
            fold(&group.label, LABEL),
            fold_window(group.window),
            group.replicates.to_string(),
            thousands(group.steps),
            quantity(group.fresh),
            quantity(group.repeated),
            flops,
            time,
            state(group.state, group.scoring),
        ]);
    }
    table
}

/// `done`, `missing`, or how many of them are done or begun; `trained` where scores are missing.
fn state(progress: JobsDone, scoring: JobsDone) -> String {
    let JobsDone { jobs, done, begun } = progress;
    match (done, begun) {
        (0, 0) => "missing".to_owned(),
        (0, begun) => format!("{begun} of {jobs} begun"),
        (done, _) if done == jobs => match scoring.jobs - scoring.done {
            0 => "done".to_owned(),
            left => format!("trained, {left} of {} scores missing", scoring.jobs),
        },
        (done, _) => format!("{done} of {jobs} done"),
    }
}

fn cost(facts: &Facts<'_>) -> Table {
    let cost = &facts.cost;
    let mut table = Table::new(["<", "steps", "tokens", "FLOPs", "time", "the tree saves"]);
    let mut row = |what: &str, effort: Effort, saving: Option<f64>| {
        table.row([
            what.to_owned(),
            thousands(effort.steps),
            quantity(effort.tokens.0),
            scientific(effort.flops as f64),
            duration(facts.seconds(effort)),
            saving.map_or_else(String::new, |times| format!("{times:.1} times")),
        ]);
    };
    row("this tree", cost.tree, None);
    row("  of which still to be run", facts.left, None);
    row("every branch in full", cost.in_full, Some(cost.saving));
    let once = Some(cost.saving_controls_once);
    row("the same, controls only once", cost.controls_once, once);
    table
}

/// How long all of it takes, and what is left of that.
fn time(facts: &Facts<'_>) -> String {
    let (all, left) = (about(facts.time.seconds()), facts.time_left.seconds());
    let is_done = facts.jobs.iter().all(|job| job.state == JobState::Done);
    let left = still_to_be_run(left, is_done);
    format!(
        "\non this machine {all}: training, and scoring of held-out text; still to be run: {left}\n"
    )
}

/// `is_done`: all jobs, of which those on tasks are in no estimate.
fn still_to_be_run(seconds: f64, is_done: bool) -> String {
    match (seconds > 0.0, is_done) {
        (true, _) => about(seconds),
        (false, true) => "nothing".to_owned(),
        (false, false) => "scoring on tasks, which is in no estimate".to_owned(),
    }
}

fn in_unit(tokens: u64, unit: f64) -> String {
    format!("{:.1}", tokens as f64 / unit)
}

/// `38.2K`, `1.46`.
fn speed(tokens_per_second: f64) -> String {
    if tokens_per_second < 100.0 {
        format!("{tokens_per_second:.2}")
    } else {
        quantity(tokens_per_second as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_scores_are_missing_something_is_to_be_run() {
        assert_eq!(still_to_be_run(0.0, true), "nothing");
        assert_eq!(still_to_be_run(0.0, false), "scoring on tasks, which is in no estimate");
        assert_eq!(still_to_be_run(60.0, false), about(60.0));
    }

    #[test]
    fn a_state_counts_replicates_and_scores() {
        let scores = |jobs, done| JobsDone { jobs, done, begun: 0 };
        let of = |jobs, done, begun| state(JobsDone { jobs, done, begun }, scores(6, 6));
        assert_eq!(state(scores(3, 3), scores(6, 4)), "trained, 2 of 6 scores missing");
        assert_eq!(of(3, 0, 0), "missing");
        assert_eq!(of(3, 0, 1), "1 of 3 begun");
        assert_eq!(of(3, 2, 1), "2 of 3 done");
        assert_eq!(of(3, 3, 0), "done");
    }
}

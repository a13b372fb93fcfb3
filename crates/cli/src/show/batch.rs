//! The batch of a step: which sequences of which sources, and their text.

use serde::Serialize;
use sparkjoy_base::{SourceName, thousands};
use sparkjoy_mix::{Draw, Order};
use sparkjoy_spec::RunSpec;
use sparkjoy_study::{Branch, Plan};

use super::{legend, lines_each, passage, text_of};
use crate::args::{Place, ShowTarget};
use crate::failure::Failure;
use crate::output::{Output, print, print_json};
use crate::study::OpenedStudy;

#[derive(Debug, Serialize)]
struct Batch {
    /// Steps done when it has been trained on.
    step: u64,
    job: String,
    /// Its rows, as many as asked for.
    rows: Vec<Shown>,
    row_count: u64,
}

#[derive(Debug, Serialize)]
struct Shown {
    row: u64,
    source: SourceName,
    epoch: u64,
    ordinal: u64,
    text: String,
}

/// Shows a batch of a study's trunk or of one of its branches.
pub(super) fn show(what: &ShowTarget, place: &Place) -> Result<(), Failure> {
    let study = what.path.as_path();
    let Some(step) = what.step else {
        return Err(Failure::NoStep { study: study.to_owned() });
    };
    let opened = OpenedStudy::prepared(study, place)?;
    let (job, spec) = find(&opened.plan, step, what.branch.as_deref())?;
    let order = spec.order()?;
    let first = (step - 1 - spec.first_step) * spec.batch;
    let draws = order.sequences(first..first + spec.batch).take(what.rows).enumerate();
    let rows = draws.map(|(row, draw)| read_row(&opened, &order, row as u64, draw));
    let batch = Batch { step, job, rows: rows.collect::<Result<_, _>>()?, row_count: spec.batch };
    match place.output() {
        Output::Json => print_json(&batch),
        Output::Text => print(&render(&batch)),
    }
}

/// The job that takes a step, and its run: a step before a branch's first is its trunk's.
fn find<'a>(
    plan: &'a Plan,
    step: u64,
    branch: Option<&str>,
) -> Result<(String, &'a RunSpec), Failure> {
    let trunk = plan.trunk();
    // The trunk is trained no further than a branch starts from it.
    let trained = plan.branch_points().last().copied().unwrap_or(trunk.first_step);
    let of_trunk = (plan.trunks[0].name.clone(), trunk, trained);
    let (job, spec, last) = match branch {
        None => of_trunk,
        Some(name) => {
            let is_it = |b: &&Branch| b.name == name || b.former_name.as_deref() == Some(name);
            let Some(branch) = plan.branches.iter().find(is_it) else {
                let known = plan.branches.iter().map(|b| b.name.clone()).collect();
                return Err(Failure::NoSuchBranch { name: name.to_owned(), known });
            };
            let own = || (branch.name.clone(), &branch.spec, branch.spec.last_step());
            if step <= branch.from_step { of_trunk } else { own() }
        }
    };
    let first = spec.first_step + 1;
    if (first..=last).contains(&step) {
        return Ok((job, spec));
    }
    let has_it = |b: &&Branch| (b.from_step + 1..=b.spec.last_step()).contains(&step);
    let other = plan.branches.iter().find(has_it).filter(|_| branch.is_none());
    let branch = other.map(|branch| branch.name.clone());
    Err(Failure::NoSuchStep { run: job, step, first, last, branch })
}

fn read_row(opened: &OpenedStudy, order: &Order, row: u64, draw: Draw) -> Result<Shown, Failure> {
    let source = order.sources()[draw.source].name.clone();
    let Some(corpus) = opened.corpora.iter().find(|c| *c.name() == source) else {
        return Err(Failure::NoText { name: source });
    };
    let text = text_of(corpus, &opened.tokenizer, opened.plan.shape.context, draw.ordinal)?;
    Ok(Shown { row, source, epoch: draw.epoch, ordinal: draw.ordinal, text })
}

fn render(batch: &Batch) -> String {
    let lines = lines_each(batch.rows.len());
    let rows = batch.rows.iter().map(|row| {
        format!(
            "\nrow {} · {} · epoch {} · sequence {}\n{}\n",
            row.row,
            row.source,
            row.epoch,
            thousands(row.ordinal),
            passage(&row.text, lines)
        )
    });
    format!(
        "step {} of {}: {} of {} rows\n{}{}",
        thousands(batch.step),
        batch.job,
        batch.rows.len(),
        thousands(batch.row_count),
        rows.collect::<String>(),
        legend(batch.rows.iter().map(|row| &row.text))
    )
}

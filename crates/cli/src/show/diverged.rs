//! The batch that broke a run: its rows, worst first, with their text.

use std::path::Path;

use serde::Serialize;
use sparkjoy_base::{exact, number, thousands};
use sparkjoy_report::Table;
use sparkjoy_train::{DivergedRow, Divergence, read_spec};

use super::{excerpt, legend, prepared, text_of};
use crate::args::Place;
use crate::failure::Failure;
use crate::output::{Output, print, print_json};

#[derive(Debug, Serialize)]
struct Shown<'a> {
    row: usize,
    #[serde(flatten)]
    what: &'a DivergedRow,
    text: String,
}

/// Shows a `diverged-<step>.json`. The run folder it lies in says which sources it read.
pub(super) fn show(path: &Path, rows: usize, place: &Place) -> Result<(), Failure> {
    let divergence = Divergence::open(path)?;
    let run = read_spec(path.parent().unwrap_or(path))?;
    let tokenizer = prepared::tokenizer(&place.prepared, run.tokenizer)?;
    let mut shown = Vec::new();
    for (row, what) in worst_first(&divergence).into_iter().take(rows) {
        let source = run.supplies.iter().find(|source| source.name == what.source);
        let Some(source) = source else {
            return Err(Failure::Foreign {
                path: path.to_owned(),
                source_name: what.source.clone(),
            });
        };
        let corpus = prepared::corpus(&place.prepared, source)?;
        let text = text_of(&corpus, &tokenizer, run.model.context(), what.ordinal)?;
        shown.push(Shown { row, what, text });
    }
    match place.output() {
        Output::Json => print_json(&shown),
        Output::Text => print(&render(&divergence, &shown)),
    }
}

/// The rows with their numbers: those without a finite loss first, then by falling loss.
fn worst_first(divergence: &Divergence) -> Vec<(usize, &DivergedRow)> {
    let mut rows: Vec<_> = divergence.rows.iter().enumerate().collect();
    let badness = |loss: f64| if loss.is_finite() { loss } else { f64::INFINITY };
    rows.sort_by(|(_, a), (_, b)| badness(b.loss).total_cmp(&badness(a.loss)));
    rows
}

fn render(divergence: &Divergence, rows: &[Shown<'_>]) -> String {
    let mut table = Table::new(["row", "<source", "epoch", "sequence", "loss", "<text"]);
    for Shown { row, what, text } in rows {
        table.row([
            row.to_string(),
            what.source.to_string(),
            what.epoch.to_string(),
            thousands(what.ordinal),
            number(what.loss, 3),
            excerpt(text, 50),
        ]);
    }
    format!(
        "step {} of run {} could not be taken: loss {}, gradient norm {:.3e}, learning rate {:.3e}\n\
         {} of {} rows, the largest loss first\n\n{}{}",
        thousands(divergence.step),
        divergence.run,
        exact(divergence.loss),
        divergence.grad_norm,
        divergence.lr,
        rows.len(),
        divergence.rows.len(),
        table.text(),
        legend(rows.iter().map(|row| &row.text))
    )
}

//! A run folder: what it trains, how far it has come, and its checkpoints.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sparkjoy_base::{Fingerprint, number, thousands};
use sparkjoy_report::Table;
use sparkjoy_spec::{RunSpec, Start, StepRecord};
use sparkjoy_train::{Checkpoint, Kernels, read_metrics, read_spec};

use super::checkpoint;
use crate::failure::Failure;
use crate::output::{Output, print, print_json};

#[derive(Debug, Serialize)]
struct Run {
    fingerprint: Fingerprint,
    first_step: u64,
    last_step: u64,
    parameters: u64,
    /// The last step in its metrics, saved or not.
    last_record: Option<StepRecord>,
    checkpoints: Vec<Saved>,
    /// What computed the steps of the last checkpoint.
    kernels: Option<Kernels>,
    spec: RunSpec,
}

#[derive(Debug, Serialize)]
struct Saved {
    step: u64,
    folder: PathBuf,
}

pub(super) fn show(folder: &Path, output: Output) -> Result<(), Failure> {
    let spec = read_spec(folder)?;
    let checkpoints = Checkpoint::list(folder)?;
    let kernels = match checkpoints.last() {
        Some(last) => Some(last.inspect()?.kernels),
        None => None,
    };
    let run = Run {
        kernels,
        fingerprint: spec.fingerprint(),
        first_step: spec.first_step,
        last_step: spec.last_step(),
        parameters: spec.model.parameters(),
        last_record: read_metrics(folder)?.pop(),
        checkpoints: checkpoints
            .into_iter()
            .map(|c| Saved { step: c.step, folder: c.folder })
            .collect(),
        spec,
    };
    match output {
        Output::Json => print_json(&run),
        Output::Text => print(&render(&run)),
    }
}

fn render(run: &Run) -> String {
    let mut text = format!(
        "run {} · {} · {} parameters · {}\n",
        run.fingerprint,
        trained(run),
        thousands(run.parameters),
        run.spec.precision
    );
    if let Start::Imported { model, moments } = &run.spec.start {
        let moments = match moments {
            None => "moments of zero".to_owned(),
            Some(moments) => format!("its moments after {} steps", thousands(moments.steps)),
        };
        let _ = writeln!(text, "starts from model {model}, trained elsewhere, with {moments}");
    }
    if let Some(kernels) = &run.kernels {
        text.push_str(&checkpoint::kernels(kernels));
    }
    match &run.last_record {
        None => text.push_str("no step taken yet\n"),
        Some(record) => text.push_str(&last_step(record)),
    }
    if run.checkpoints.is_empty() {
        text.push_str("\nno checkpoint yet\n");
    } else {
        let mut table = Table::new(["step", "<checkpoint"]);
        for saved in &run.checkpoints {
            table.row([thousands(saved.step), saved.folder.display().to_string()]);
        }
        text.push('\n');
        text.push_str(&table.text());
    }
    text
}

/// How far it has come. A trunk's spec covers the whole budget, but it is trained only as far as
/// its last branch point.
fn trained(run: &Run) -> String {
    let saved = run.checkpoints.last().map_or(run.first_step, |saved| saved.step);
    let last = run.last_record.as_ref().map_or(saved, |record| record.step.max(saved));
    let (first, of) = (thousands(run.first_step + 1), thousands(run.last_step));
    if last == run.first_step || last == run.last_step {
        return format!("steps {first} to {of}");
    }
    let is_trunk = !matches!(run.spec.start, Start::Branch { .. });
    let why = if is_trunk { " (a trunk ends at its last branch point)" } else { "" };
    format!("steps {first} to {} of {of}{why}", thousands(last))
}

/// The last step, and what each source contributed to it.
fn last_step(record: &StepRecord) -> String {
    let mut table = Table::new(["<source", "tokens", "loss, nats per token"]);
    for (source, tokens) in &record.tokens {
        let loss = record.losses.get(source).map_or(String::new(), |&loss| number(loss, 4));
        table.row([source.to_string(), thousands(*tokens), loss]);
    }
    format!(
        "last step {}: loss {}, gradient norm {}, learning rate {:.3e}\n\n{}",
        thousands(record.step),
        number(record.loss, 4),
        number(record.grad_norm, 3),
        record.lr,
        table.text()
    )
}

//! What a command that trains says is compared with what was planned before it is believed.

use std::fs;
use std::path::Path;

use sparkjoy_base::{exact, thousands};
use sparkjoy_nn::Optimizer;
use sparkjoy_spec::StepRecord;

use super::reply::{CHECKPOINT, CheckpointNote, Refusal, open_regular, small_json};
use crate::TrainError;
use crate::checkpoint::{MODEL, Numbers, OPTIMIZER};
use crate::kernels::Kernels;
use crate::metrics::by_source;
use crate::run::Run;
use crate::state::TrainState;
use crate::tensors;

/// How far a learning rate may be from the planned one: fp32 holds it within 6e-8.
const LR_TOLERANCE: f64 = 1e-6;
/// How far the mean of the losses of the sources may be from the loss: sums in fp32.
const MEAN_TOLERANCE: f64 = 1e-3;

/// A model in training, without what computes it.
pub(super) struct Held {
    pub(super) step: u64,
    pub(super) weights: Vec<f32>,
    pub(super) optimizer: Optimizer,
    pub(super) kernels: Kernels,
}

impl Held {
    pub(super) fn of(state: TrainState) -> Self {
        let weights = state.engine.weights().to_vec();
        Self { step: state.step, weights, optimizer: state.optimizer, kernels: state.kernels }
    }

    pub(super) fn numbers<'a>(&'a self, run: Run<'a>) -> Numbers<'a> {
        Numbers {
            step: self.step,
            shape: run.spec.model.shape(),
            weights: &self.weights,
            optimizer: &self.optimizer,
            kernels: &self.kernels,
        }
    }
}

/// Checks the record of the step after `done` steps; its rate becomes exactly the planned one.
pub(super) fn record(run: Run<'_>, done: u64, record: &mut StepRecord) -> Result<(), Refusal> {
    let of = |what: &str| format!("{what} of step {} in `metrics.jsonl`", thousands(done + 1));
    if record.step != done + 1 {
        let what = "`step` in `metrics.jsonl`";
        return Err(Refusal::new(what, record.step, done + 1));
    }
    let norm = record.grad_norm;
    if !(norm.is_finite() && norm >= 0.0) {
        return Err(Refusal::new(of("`grad_norm`"), exact(norm), "a finite number, 0 or more"));
    }
    let lr = run.spec.lr(done);
    if (record.lr - lr).abs() > LR_TOLERANCE * lr {
        return Err(Refusal::new(of("`lr`"), exact(record.lr), exact(lr)));
    }
    record.lr = lr;

    let draws: Vec<_> = run.order.sequences(run.spec.slots(done)).collect();
    let (tokens, _) = by_source(run, &draws, &vec![0.0; draws.len()]);
    if record.tokens != tokens {
        let [found, expected] = [&record.tokens, &tokens]
            .map(|tokens| serde_json::to_string(tokens).expect("numbers have a JSON form"));
        return Err(Refusal::new(of("`tokens`"), found, expected));
    }
    if !record.losses.keys().eq(tokens.keys()) {
        let list = |names: Vec<_>| names.join(", ");
        let found = list(record.losses.keys().map(ToString::to_string).collect());
        let expected = list(tokens.keys().map(ToString::to_string).collect());
        return Err(Refusal::new(of("the sources in `losses`"), found, expected));
    }
    let all = tokens.values().sum::<u64>() as f64;
    let mean = record.losses.iter().map(|(name, loss)| loss * tokens[name] as f64).sum::<f64>();
    let mean = mean / all;
    let loss = record.loss;
    // Not a number is in no range.
    let is_near = (mean - loss).abs() <= MEAN_TOLERANCE * loss.abs().max(1.0);
    if !(loss.is_finite() && loss >= 0.0 && is_near) {
        let expected = format!("a finite number, the mean of `losses`, {}", exact(mean));
        return Err(Refusal::new(of("`loss`"), exact(loss), expected));
    }
    Ok(())
}

/// Reads the checkpoint of `step` in `folder` and checks it against the one before it.
pub(super) fn checkpoint(
    run: Run<'_>,
    before: &Held,
    step: u64,
    folder: &Path,
) -> Result<Held, Refusal> {
    let of = |what: &str| format!("{what} of its checkpoint of step {}", thousands(step));
    if !fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir()) {
        return Err(Refusal::new(of("the folder"), "a file or a link", "a folder"));
    }
    let note: CheckpointNote =
        small_json(&folder.join(CHECKPOINT), &of(&format!("`{CHECKPOINT}`")))?;
    let expected = run.spec.fingerprint();
    if note.run != expected {
        return Err(Refusal::new(of("`run`"), note.run.hex(), expected.hex()));
    }
    if note.step != step {
        return Err(Refusal::new(of("`step`"), note.step, step));
    }
    let expected = before.optimizer.steps() + (step - before.step);
    if note.optimizer_steps != expected {
        return Err(Refusal::new(of("`optimizer_steps`"), note.optimizer_steps, expected));
    }
    let layout = run.spec.model.shape().tensors();
    let mut weights = vec![0.0; before.weights.len()];
    read(folder, MODEL, &of, tensors::targets(&layout, "", &mut weights))?;
    let mut optimizer = Optimizer::new(run.spec.optimizer, weights.len());
    let mut moments = optimizer.moments_mut();
    let targets = moments
        .iter_mut()
        .flat_map(|(moment, values)| tensors::targets(&layout, &format!("{moment}."), values));
    read(folder, OPTIMIZER, &of, targets.collect())?;
    drop(moments);
    optimizer.set_steps(note.optimizer_steps);

    let moments = optimizer.moments();
    let each = [("", &weights[..])].into_iter().chain(moments);
    for (moment, values) in each {
        let Some(at) = values.iter().position(|value| !value.is_finite()) else { continue };
        let tensor = layout.iter().rfind(|tensor| tensor.offset <= at);
        let name = tensor.map_or("", |tensor| &tensor.name);
        let dot = if moment.is_empty() { "" } else { "." };
        let what = of(&format!("tensor `{moment}{dot}{name}`"));
        return Err(Refusal::new(what, values[at], "finite numbers"));
    }
    // A step at rate 0, the first of a warmup, changes nothing.
    let has_learned = (before.step..step).any(|done| run.spec.lr(done) > 0.0);
    if has_learned && weights == before.weights {
        let found = format!("those of step {}", thousands(before.step));
        return Err(Refusal::new(of("the weights"), found, "others: it has trained since"));
    }
    Ok(Held { step, weights, optimizer, kernels: before.kernels.clone() })
}

/// Reads exactly `targets` from a file of tensors.
fn read(
    folder: &Path,
    name: &str,
    of: &impl Fn(&str) -> String,
    targets: Vec<tensors::Target<'_>>,
) -> Result<(), Refusal> {
    let path = folder.join(name);
    let file = of(&format!("`{name}`"));
    if let Err(found) = open_regular(&path) {
        return Err(Refusal::new(file, found, "a regular file"));
    }
    tensors::read(&path, targets).map_err(|error| match error {
        TrainError::Tensor { name, found, expected, .. } => {
            Refusal::new(of(&format!("tensor `{name}`")), found, expected)
        }
        TrainError::Header { source, .. } => {
            Refusal::new(file, source, "a header as docs/formats.md says")
        }
        other => Refusal::new(file, other, "a file that can be read"),
    })
}

//! An engine in plain PyTorch ends within rounding of ours on the same run.
//!
//! It needs a Python with torch: `SPARKJOY_TORCH_PYTHON` names it (`cargo xtask parity` does), else
//! `python3` is tried. Where there is none the test says that it has checked nothing.

use std::process::Command;
use std::time::Duration;

use sparkjoy_spec::{Engine, Job, OptimizerKind, Precision, RunSpec, Schedule, ScheduleKind};

use super::tiny::{ADAM, BATCH, CONTEXT, Tiny, go_on, phase};
use crate::{LocalEngine, ProcessEngine, read_metrics};

const TORCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engines/torch_engine.py");
const STEPS: u64 = 50;

/// A Python that has torch. One that is named must have it.
fn interpreter() -> Option<String> {
    let has_torch = |python: &str| {
        let import = ["-c", "import numpy, safetensors, torch"];
        Command::new(python).args(import).output().is_ok_and(|output| output.status.success())
    };
    match std::env::var("SPARKJOY_TORCH_PYTHON") {
        Ok(python) => {
            assert!(has_torch(&python), "`{python}` has no numpy, safetensors and torch");
            Some(python)
        }
        Err(_) if has_torch("python3") => Some("python3".to_owned()),
        Err(_) => {
            eprintln!(
                "SKIPPED: no Python with torch; `cargo xtask parity` makes one and runs this"
            );
            None
        }
    }
}

fn spec(tiny: &Tiny, optimizer: OptimizerKind) -> RunSpec {
    let tokens_per_step = BATCH * CONTEXT as u64;
    let kind = ScheduleKind::InverseSqrt { warmup: 5 * tokens_per_step, scale: 640, cooldown: 0 };
    RunSpec {
        precision: Precision::Fp32,
        schedule: Schedule { kind, total: STEPS * tokens_per_step },
        phases: vec![
            phase(&[("code", 250_000), ("web", 750_000)], STEPS / 2),
            phase(&[("math", 600_000), ("web", 400_000)], STEPS / 2),
        ],
        ..tiny.trunk(optimizer)
    }
}

/// The largest difference of a loss between the two engines, each over the whole run.
fn difference(python: &str, what: &str, optimizer: OptimizerKind) -> f64 {
    let tiny = Tiny::new();
    let spec = spec(&tiny, optimizer);
    let argv = [python, TORCH, "{job}"].map(str::to_owned);
    let (corpora, tokenizer) = (&tiny.corpora[..], &tiny.tokenizer);
    let grace = Duration::from_mins(1);
    let mut torch = ProcessEngine { argv: &argv, corpora, tokenizer, grace, expected: None };
    let mut ours = LocalEngine { corpora, tokenizer, threads: 1, recompute: false };
    let [a, b, both] = ["torch", "ours", "both"].map(|name| tiny.folder(name));
    let job = |folder| Job { spec: &spec, folder, start_from: None, target: STEPS, keep: &[] };
    torch.run(job(&a), &mut go_on).unwrap();
    ours.run(job(&b), &mut go_on).unwrap();
    // Half by one, half by the other: each understands the other's checkpoint.
    torch.run(Job { target: STEPS / 4, ..job(&both) }, &mut go_on).unwrap();
    ours.run(Job { target: STEPS / 2, ..job(&both) }, &mut go_on).unwrap();
    torch.run(job(&both), &mut go_on).unwrap();

    let [a, b, both] = [a, b, both].map(|folder| read_metrics(&folder).unwrap());
    assert_eq!([a.len(), b.len(), both.len()], [STEPS as usize; 3]);
    assert!(b[0].loss - b[STEPS as usize - 1].loss > 0.5, "the run learns nothing");
    let off = |found: &[crate::StepRecord]| {
        let each = found.iter().zip(&b).map(|(found, ours)| (found.loss - ours.loss).abs());
        each.fold(0.0, f64::max)
    };
    let found = off(&a).max(off(&both));
    eprintln!("{what}: losses of torch and ours differ by at most {found:.1e} over {STEPS} steps");
    found
}

#[test]
fn torch_ends_within_rounding_of_ours() {
    let Some(python) = interpreter() else { return };
    assert!(difference(&python, "AdamW", ADAM) < 1e-5);
    // The sign of a coordinate near 0 differs now and then and moves a weight by twice the rate.
    let lion = OptimizerKind::LionW { lr: 1e-3, betas: [0.9, 0.95], weight_decay: 1e-3 };
    assert!(difference(&python, "LionW", lion) < 1e-3);
}

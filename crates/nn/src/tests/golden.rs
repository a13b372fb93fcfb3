//! Against numbers other programs made; `testdata/golden` holds both.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{assert_close, fill};
use crate::kernel::InstructionSet;
use crate::{
    Compute, Engine, Optimizer, OptimizerKind, Precision, Schedule, ScheduleKind, Shape,
    alibi_slopes,
};

/// Relative to the largest value of a tensor. The engine sums in f32, the oracle in f64 except its
/// softmax: sums of up to 70 terms of unit size lose about 1e-6, a few layers a few times that.
const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Case {
    #[serde(flatten)]
    shape: Shape,
    tokens: Vec<u32>,
    losses: Vec<f64>,
    logits: Vec<f64>,
    gradients: BTreeMap<String, Vec<f64>>,
}

#[derive(Deserialize)]
struct Golden {
    count: usize,
    steps: usize,
    start: Vec<f32>,
    gradients: Vec<Vec<f32>>,
    lionw: Run,
    adamw: Run,
    schedules: Schedules,
    slopes: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Run {
    lr: f64,
    betas: [f64; 2],
    #[serde(default)]
    eps: f64,
    weight_decay: f64,
    weights: Vec<f64>,
    exp_avg: Vec<f64>,
    #[serde(default)]
    exp_avg_sq: Vec<f64>,
}

#[derive(Deserialize)]
struct Schedules {
    total: u64,
    points: Vec<u64>,
    cases: Vec<Curve>,
}

#[derive(Deserialize)]
struct Curve {
    kind: ScheduleKind,
    factors: Vec<f64>,
}

fn golden() -> Golden {
    let text = include_str!("../../testdata/golden/optimizers.json");
    serde_json::from_str(text).expect("written by the program beside it")
}

#[test]
fn logits_losses_and_gradients_equal_those_of_transformers() {
    let text = include_str!("../../testdata/golden/model.json");
    let cases: BTreeMap<String, Case> = serde_json::from_str(text).expect("as above");
    assert_eq!(cases.len(), 3);
    for isa in InstructionSet::all(Precision::Fp32) {
        for (name, case) in &cases {
            let what = |part: &str| format!("{name} on {}, {part}", isa.name());
            let (shape, batch) = (case.shape, case.losses.len());
            let mut engine =
                Engine::with_instructions(shape, batch, Compute::exact(2), isa).unwrap();
            fill(&mut engine);
            let last = &case.tokens[(batch - 1) * shape.context..];
            assert_close(&what("logits"), &engine.logits(last), &case.logits, TOLERANCE);

            let mut losses = vec![0.0; batch];
            let mean = engine.loss_and_gradients(&case.tokens, &mut losses);
            assert!((mean - case.losses.iter().sum::<f64>() / batch as f64).abs() < TOLERANCE);
            let losses: Vec<f32> = losses.iter().map(|&loss| loss as f32).collect();
            assert_close(&what("losses"), &losses, &case.losses, TOLERANCE);
            for tensor in shape.tensors() {
                let found = &engine.gradients()[tensor.range()];
                let expected = &case.gradients[&tensor.name];
                assert_close(&what(&tensor.name), found, expected, TOLERANCE);
            }
        }
    }
}

#[test]
fn a_clamp_that_is_ignored_would_be_seen() {
    let text = include_str!("../../testdata/golden/model.json");
    let mut cases: BTreeMap<String, Case> = serde_json::from_str(text).expect("as above");
    let case = cases.remove("clipped").expect("a case with a clamp");
    let mut engine =
        Engine::new(Shape { clip_qkv: None, ..case.shape }, 1, Compute::exact(1)).unwrap();
    fill(&mut engine);
    let last = &case.tokens[case.tokens.len() - case.shape.context..];
    let off =
        engine.logits(last).iter().zip(&case.logits).any(|(a, b)| (f64::from(*a) - b).abs() > 1e-3);
    assert!(off, "the golden case does not reach its clamp");
}

/// Runs the golden gradients through an optimizer; it ends within f32 rounding of 100 steps.
fn follow(kind: OptimizerKind, expected: &Run) {
    let golden = golden();
    for isa in InstructionSet::all(Precision::Fp32) {
        let mut optimizer = Optimizer::new(kind, golden.count);
        let mut weights = golden.start.clone();
        for (step, gradients) in golden.gradients.iter().enumerate() {
            let lr = kind.lr() * (1.0 - step as f64 / (2 * golden.steps) as f64);
            optimizer.step(isa, &mut weights, gradients, lr);
        }
        assert_eq!(optimizer.steps(), golden.steps as u64);
        // 100 additions to weights of size 1: 100 × 6e-8 at most.
        assert_close(&format!("{kind:?} weights"), &weights, &expected.weights, 6e-6);
        for (name, found) in optimizer.moments() {
            let expected = if name == "exp_avg" { &expected.exp_avg } else { &expected.exp_avg_sq };
            assert_close(name, found, expected, 1e-6);
        }
    }
}

#[test]
fn lionw_follows_the_reference_for_100_steps() {
    let run = golden().lionw;
    let Run { lr, betas, weight_decay, .. } = run;
    follow(OptimizerKind::LionW { lr, betas, weight_decay }, &run);
}

#[test]
fn adamw_follows_torch_for_100_steps() {
    let run = golden().adamw;
    let Run { lr, betas, eps, weight_decay, .. } = run;
    follow(OptimizerKind::AdamW { lr, betas, eps, weight_decay }, &run);
}

#[test]
fn schedules_follow_their_references() {
    let Schedules { total, points, cases } = golden().schedules;
    for Curve { kind, factors } in cases {
        for (tokens, expected) in points.iter().zip(factors) {
            let factor = Schedule { kind, total }.factor(*tokens);
            // torch's schedulers step by recurrences in f64.
            assert!((factor - expected).abs() < 1e-9, "{kind:?} at {tokens}: {factor}, {expected}");
        }
    }
}

#[test]
fn slopes_are_those_of_transformers_for_1_to_20_heads() {
    for (expected, heads) in golden().slopes.iter().zip(1..) {
        assert_close(&format!("{heads} heads"), &alibi_slopes(heads), expected, 1e-7);
    }
}

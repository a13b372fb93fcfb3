//! The same bits for any number of threads, and for any way to cut a batch that is allowed.

use sparkjoy_base::Seed;

use super::{fill, tokens};
use crate::kernel::InstructionSet;
use crate::mpt::Mpt;
use crate::{Compute, Engine, Optimizer, OptimizerKind, Precision, Shape, memory};

/// Large enough for several blocks, chunks and tiles of everything.
const SHAPE: Shape =
    Shape { layers: 2, width: 48, heads: 3, context: 130, vocab: 301, clip_qkv: Some(2.0) };
const BATCH: usize = 5;

const PRECISIONS: [Precision; 2] = [Precision::Bf16, Precision::Fp32];

const ADAMW: OptimizerKind =
    OptimizerKind::AdamW { lr: 1e-2, betas: [0.9, 0.95], eps: 1e-8, weight_decay: 0.1 };
const LIONW: OptimizerKind =
    OptimizerKind::LionW { lr: 1e-3, betas: [0.9, 0.95], weight_decay: 1e-3 };

/// Losses, norms, gradients and weights of four steps, as bits.
fn train(isa: InstructionSet, compute: Compute, kind: OptimizerKind) -> Vec<u64> {
    let mut engine = Engine::with_instructions(SHAPE, BATCH, compute, isa).unwrap();
    engine.init(Seed(17));
    let mut optimizer = Optimizer::new(kind, engine.weights().len());
    let tokens = tokens(&SHAPE, BATCH);
    let mut bits = Vec::new();
    for _ in 0..4 {
        let mut losses = [0.0; BATCH];
        bits.push(engine.loss_and_gradients(&tokens, &mut losses).to_bits());
        bits.extend(losses.map(f64::to_bits));
        bits.push(engine.clip_gradients(Some(0.5)).to_bits());
        engine.update(&mut optimizer, kind.lr());
    }
    let flat = engine.gradients().iter().chain(engine.weights());
    bits.extend(flat.map(|value| u64::from(value.to_bits())));
    bits
}

#[test]
fn one_two_and_three_threads_compute_the_same_bits() {
    for precision in PRECISIONS {
        for isa in InstructionSet::all(precision) {
            for kind in [LIONW, ADAMW] {
                let with = |threads| Compute { precision, recompute: false, threads };
                let one = train(isa, with(1), kind);
                for threads in [2, 3] {
                    let more = train(isa, with(threads), kind);
                    assert!(one == more, "{} {precision} × {threads}", isa.name());
                }
            }
        }
    }
}

#[test]
fn recomputed_blocks_have_the_same_bits() {
    for precision in PRECISIONS {
        let with = |recompute| Compute { precision, recompute, threads: 2 };
        let isa = InstructionSet::best(precision);
        let kept = train(isa, with(false), LIONW);
        assert!(kept == train(isa, with(true), LIONW), "{precision}");
        let memory = |recompute| memory(&SHAPE, BATCH, LIONW, with(recompute));
        assert!(memory(true) < memory(false));
    }
}

#[test]
fn loss_falls_where_the_same_batch_comes_again() {
    for precision in PRECISIONS {
        for kind in [LIONW, ADAMW] {
            let compute = Compute { precision, recompute: false, threads: 2 };
            let bits = train(InstructionSet::best(precision), compute, kind);
            let loss = |step: usize| f64::from_bits(bits[step * (BATCH + 2)]);
            assert!(loss(3) < loss(0) - 0.1, "{kind:?}: {} to {}", loss(0), loss(3));
        }
    }
}

/// Loss and gradients of the first step, in a precision on an instruction set.
fn first_step(isa: InstructionSet, precision: Precision) -> (f64, Vec<f64>) {
    let compute = Compute { precision, recompute: false, threads: 2 };
    let mut engine = Engine::with_instructions(SHAPE, BATCH, compute, isa).unwrap();
    engine.init(Seed(5));
    let loss = engine.loss_and_gradients(&tokens(&SHAPE, BATCH), &mut [0.0; BATCH]);
    (loss, engine.gradients().iter().map(|&g| g.into()).collect())
}

/// The size of `a − b` relative to that of `b`.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let off = square(&mut a.iter().zip(b).map(|(a, b)| a - b));
    (off / square(&mut b.iter().copied())).sqrt()
}

#[test]
fn bf16_computes_the_gradients_of_fp32_within_its_rounding() {
    let (exact_loss, exact) = first_step(InstructionSet::best(Precision::Fp32), Precision::Fp32);
    let mut first: Option<Vec<f64>> = None;
    for isa in InstructionSet::all(Precision::Bf16) {
        let (loss, gradients) = first_step(isa, Precision::Bf16);
        assert!((loss - exact_loss).abs() < 2e-3, "{}: {loss}, {exact_loss}", isa.name());
        for tensor in SHAPE.tensors() {
            let off = apart(&gradients[tensor.range()], &exact[tensor.range()]);
            // A factor is off by at most 1/512. 24 roundings lie between the head and the first
            // block and back, in a model too narrow for them to cancel: 3.3 % at most here.
            assert!(off < 0.05, "{} on {}: {off}", tensor.name, isa.name());
            assert!(off > 1e-5, "{}: rounded to nothing less than fp32?", tensor.name);
        }
        // All instruction sets round the same factors; only their sums differ.
        let first = first.get_or_insert_with(|| gradients.clone());
        let off = apart(&gradients, first);
        assert!(off < 2e-3, "{}: {off}", isa.name());
    }
}

#[test]
fn odd_widths_leave_half_a_group_and_nothing_more() {
    let shape = Shape { width: 15, heads: 3, context: 67, vocab: 31, ..SHAPE };
    let loss = |precision, isa| {
        let compute = Compute { precision, recompute: false, threads: 2 };
        let mut engine = Engine::with_instructions(shape, 2, compute, isa).unwrap();
        engine.init(Seed(5));
        let loss = engine.loss_and_gradients(&tokens(&shape, 2), &mut [0.0; 2]);
        (loss, engine.clip_gradients(None))
    };
    let (exact, norm) = loss(Precision::Fp32, InstructionSet::best(Precision::Fp32));
    for isa in InstructionSet::all(Precision::Bf16) {
        let (found, found_norm) = loss(Precision::Bf16, isa);
        assert!((found - exact).abs() < 5e-3, "{}: {found}, {exact}", isa.name());
        assert!((found_norm / norm - 1.0).abs() < 0.02, "{}: {found_norm}", isa.name());
    }
}

#[test]
fn a_batch_in_microbatches_has_the_mean_loss_and_gradient_of_its_parts() {
    let shape = Shape { context: 2000, layers: 1, width: 16, heads: 2, vocab: 31, clip_qkv: None };
    assert_eq!(shape.microbatch(5), 2);
    let tokens = tokens(&shape, 5);
    let mut whole = Engine::new(shape, 5, Compute::exact(2)).unwrap();
    fill(&mut whole);
    let mut losses = [0.0; 5];
    let loss = whole.loss_and_gradients(&tokens, &mut losses);
    let mut sum = vec![0.0; whole.gradients().len()];
    let mut single = Engine::new(shape, 1, Compute::exact(1)).unwrap();
    fill(&mut single);
    for (tokens, expected) in tokens.chunks(shape.context).zip(losses) {
        let mut loss = [0.0];
        single.loss_and_gradients(tokens, &mut loss);
        assert!((loss[0] - expected).abs() < 1e-6);
        for (sum, gradient) in sum.iter_mut().zip(single.gradients()) {
            *sum += f64::from(*gradient) / 5.0;
        }
    }
    assert!((loss - losses.iter().sum::<f64>() / 5.0).abs() < 1e-12);
    super::assert_close("gradients", whole.gradients(), &sum, 1e-5);
}

#[test]
fn losses_without_gradients_are_those_with_them() {
    let mut engine = Engine::new(SHAPE, BATCH, Compute::exact(2)).unwrap();
    engine.init(Seed(1));
    let tokens = tokens(&SHAPE, BATCH);
    let mut means = [0.0; BATCH];
    engine.loss_and_gradients(&tokens, &mut means);
    let mut nats = vec![0.0; BATCH * (SHAPE.context - 1)];
    engine.losses(&tokens, &mut nats);
    for (nats, mean) in nats.chunks(SHAPE.context - 1).zip(means) {
        let sum: f64 = nats.iter().map(|&nats| f64::from(nats)).sum();
        assert_eq!(sum / (SHAPE.context - 1) as f64, mean);
    }
}

#[test]
fn logits_of_a_beginning_do_not_know_what_follows() {
    let mut engine = Engine::new(SHAPE, 1, Compute::exact(2)).unwrap();
    engine.init(Seed(1));
    let tokens = tokens(&SHAPE, 1);
    let whole: Vec<f64> = engine.logits(&tokens).iter().map(|&logit| logit.into()).collect();
    for n in [1, 2, 57, 64, 65, 129] {
        let part = engine.logits(&tokens[..n]);
        super::assert_close(&format!("{n} tokens"), &part, &whole[..n * SHAPE.vocab], 1e-6);
    }
}

#[test]
fn losses_are_the_cross_entropy_of_the_logits() {
    let mut engine = Engine::new(SHAPE, 1, Compute::exact(2)).unwrap();
    engine.init(Seed(3));
    let tokens = tokens(&SHAPE, 1);
    let logits = engine.logits(&tokens);
    let expected: Vec<f64> = logits
        .chunks(SHAPE.vocab)
        .zip(&tokens[1..])
        .map(|(row, &target)| {
            let total: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
            total.ln() - f64::from(row[target as usize])
        })
        .collect();
    let mut nats = vec![0.0; SHAPE.context - 1];
    engine.losses(&tokens, &mut nats);
    super::assert_close("nats", &nats, &expected, 1e-6);
}

#[test]
fn clipping_scales_to_the_norm_and_never_up() {
    let mut engine = Engine::new(SHAPE, 1, Compute::exact(2)).unwrap();
    engine.init(Seed(1));
    engine.loss_and_gradients(&tokens(&SHAPE, 1), &mut [0.0]);
    let before = engine.gradients().to_vec();
    let square: f64 = before.iter().map(|&g| f64::from(g).powi(2)).sum();
    let norm = engine.clip_gradients(None);
    assert!((norm / square.sqrt() - 1.0).abs() < 1e-12);
    assert_eq!(engine.clip_gradients(Some(2.0 * norm as f32)), norm);
    assert_eq!(engine.gradients(), before, "a norm below the limit changes nothing");
    engine.clip_gradients(Some(0.25 * norm as f32));
    let after = engine.clip_gradients(None);
    assert!((after / (0.25 * norm) - 1.0).abs() < 1e-5, "{after} of {norm}");
}

#[test]
#[should_panic(expected = "token 301 is not below the vocabulary of 301")]
fn a_token_beyond_the_vocabulary_is_named() {
    Engine::new(SHAPE, 1, Compute::exact(1)).unwrap().logits(&[301]);
}

#[test]
fn no_threads_and_no_batch_are_refused() {
    let told = |batch, threads| {
        Engine::new(SHAPE, batch, Compute::exact(threads)).unwrap_err().to_string()
    };
    assert_eq!(told(0, 1), "batch is 0, expected at least 1");
    assert_eq!(told(1, 0), "threads is 0, expected at least 1");
}

//! Gradients against central differences of the f64 reference.
//!
//! A central difference with step h errs by h²·f'''/6 + 1e-16/h: about 1e-9 for h = 1e-4 on
//! functions of unit size. What remains is the engine's f32: sums of up to a hundred products of
//! unit size, 1e-6 relative to the largest gradient, and a few operations on top.

use super::reference;
use super::{assert_close, fill, tokens};
use crate::attention::{self, Heads, Saved};
use crate::kernel::{InstructionSet, Left, Right, Size, Store};
use crate::parallel::Scratch;
use crate::{Compute, Engine, Precision, Shape, alibi_slopes, embedding, gelu, gemm, head, norm};

const STEP: f64 = 1e-4;
const TOLERANCE: f64 = 5e-6;

/// Values of unit size that look like nothing in particular.
fn wave(n: usize, salt: f64) -> Vec<f32> {
    (0..n).map(|i| (1.3 * (i + 1) as f64 + salt).sin() as f32).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}

/// Runs `work` where every thread is the first, which is what a scratch for one thread needs.
fn on_one_thread(work: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(work);
}

/// The gradient of `f` at `x` by central differences.
fn differences(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut x = x.to_vec();
    let mut gradient = Vec::new();
    for i in 0..x.len() {
        let middle = x[i];
        let mut at = |value: f64| {
            x[i] = value;
            f(&x)
        };
        gradient.push((at(middle + STEP) - at(middle - STEP)) / (2.0 * STEP));
        x[i] = middle;
    }
    gradient
}

/// `Σ y·dy`: the number whose gradient a backward pass with `dy` computes.
fn dot(y: &[f64], dy: &[f32]) -> f64 {
    y.iter().zip(dy).map(|(y, &dy)| y * f64::from(dy)).sum()
}

#[test]
fn layer_norm_matches_its_formula_and_finite_differences() {
    for isa in InstructionSet::all(Precision::Fp32) {
        for (rows, d) in [(3, 5), (2, 16), (70, 7)] {
            let (x, dy) = (wave(rows * d, 0.1), wave(rows * d, 0.7));
            let weight: Vec<f32> = wave(d, 0.3).iter().map(|w| 1.0 + 0.5 * w).collect();
            let (mut y, mut stats) = (vec![0.0; rows * d], vec![0.0; rows * 2]);
            norm::forward(isa, (&x, &weight), &mut y, &mut stats);
            let (x64, weight64) = (wide(&x), wide(&weight));
            assert_close("norm", &y, &reference::norm(&x64, &weight64), TOLERANCE);

            let (mut dx, mut dweight) = (vec![1.0; rows * d], vec![1.0; d]);
            let mut partial = vec![0.0; norm::partial_len(rows, d)];
            let inputs = (&dy[..], &x[..], &weight[..], &stats[..]);
            let mut factor = vec![0.0; rows * d];
            let outputs = (&mut dx[..], &mut factor[..]);
            norm::backward(isa, inputs, outputs, &mut dweight, &mut partial);
            assert_eq!(dx, factor);
            // Both gradients are added to what was there: 1.
            let plus_one =
                |gradient: Vec<f64>| gradient.iter().map(|g| g + 1.0).collect::<Vec<_>>();
            let by_x = differences(&x64, |x| dot(&reference::norm(x, &weight64), &dy));
            assert_close("dx", &dx, &plus_one(by_x), TOLERANCE);
            let by_weight = differences(&weight64, |w| dot(&reference::norm(&x64, w), &dy));
            assert_close("dweight", &dweight, &plus_one(by_weight), TOLERANCE);
        }
    }
}

#[test]
fn gelu_matches_its_formula_and_finite_differences() {
    for isa in InstructionSet::all(Precision::Fp32) {
        let x: Vec<f32> = (-700..=700).map(|i| i as f32 / 100.0).collect();
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        gelu::with_slope(isa, &x, &mut y, &mut dx);
        for ((x, y), dx) in x.iter().zip(y).zip(dx) {
            let x64 = f64::from(*x);
            let slope = (reference::gelu(x64 + STEP) - reference::gelu(x64 - STEP)) / (2.0 * STEP);
            // Half of erf's 1.5e-7 times x, at most 7, falls off with the tail; a few roundings.
            assert!((f64::from(y) - reference::gelu(x64)).abs() < 1.2e-6, "gelu({x}) = {y}");
            assert!((f64::from(dx) - slope).abs() < 1.2e-6, "gelu'({x}) = {dx}, {slope}");
        }
    }
}

#[test]
fn attention_matches_its_formula_and_finite_differences() {
    for isa in InstructionSet::all(Precision::Fp32) {
        for (t, h, k, clip) in
            [(1, 1, 2, None), (7, 3, 2, Some(0.8)), (67, 2, 1, None), (9, 1, 33, None)]
        {
            let (d, heads) = (h * k, Heads { t, h, k });
            let mut qkv = wave(t * 3 * d, 0.2);
            let raw = wide(&qkv);
            if let Some(clip) = clip {
                for value in &mut qkv {
                    *value = value.clamp(-clip, clip);
                }
            }
            let slopes = alibi_slopes(h);
            let scratch = Scratch::new(1, attention::scratch_len::<f32>(heads));
            scratch.with(|values| values.fill(f32::NAN));
            let (mut out, mut log_sums) = (vec![0.0; t * d], vec![0.0; t * h]);
            let outputs = (&mut out[..], &mut log_sums[..]);
            on_one_thread(|| {
                attention::forward(isa, heads, (&qkv, &slopes), outputs, &scratch);
            });
            let what = format!("attention {t} {h} {k} on {}", isa.name());
            assert_close(&what, &out, &reference::attention(&raw, t, h, clip), TOLERANCE);

            let dout = wave(t * d, 0.9);
            let saved = Saved { qkv: &qkv, out: &out, dout: &dout, log_sums: &log_sums, clip };
            let mut dqkv = vec![f32::NAN; t * 3 * d];
            scratch.with(|values| values.fill(f32::NAN));
            on_one_thread(|| {
                attention::backward(isa, heads, saved, &slopes, &mut dqkv, &scratch);
            });
            let expected =
                differences(&raw, |qkv| dot(&reference::attention(qkv, t, h, clip), &dout));
            assert_close(&format!("{what}, backward"), &dqkv, &expected, TOLERANCE);
        }
    }
}

#[test]
fn linear_gradients_match_finite_differences() {
    let (rows, k, n) = (5, 7, 3);
    let (x, w, dy) = (wave(rows * k, 0.1), wave(n * k, 0.2), wave(rows * n, 0.3));
    let (x64, w64) = (wide(&x), wide(&w));
    for isa in InstructionSet::all(Precision::Fp32) {
        let scratch = Scratch::new(rayon::current_num_threads(), gemm::scratch_len());
        let mut buffer = vec![f32::NAN; gemm::packed_len_max(8, 8)];
        let mut y = vec![f32::NAN; rows * n];
        let across = Right::Across { data: &w[..], column: k };
        let across = gemm::pack(isa, across, (k, n), &mut buffer);
        let left = Left::Along { data: &x[..], row: k };
        let size = Size { m: rows, n, k };
        gemm::product(isa, size, (left, across, &mut y), Store::Replace, &scratch);
        assert_close("y", &y, &reference::linear(&x64, &w64, k), TOLERANCE);
        let mut dx = vec![f32::NAN; rows * k];
        let back = Right::Along { data: &w[..], row: k };
        let back = gemm::pack(isa, back, (n, k), &mut buffer);
        let left = Left::Along { data: &dy[..], row: n };
        let size = Size { m: rows, n: k, k: n };
        gemm::product(isa, size, (left, back, &mut dx), Store::Replace, &scratch);
        let expected = differences(&x64, |x| dot(&reference::linear(x, &w64, k), &dy));
        assert_close("dx", &dx, &expected, TOLERANCE);
        let mut dw = vec![0.0; n * k];
        let mut left = vec![u32::MAX; gemm::left_buffer_len::<f32>(isa, rows, n)];
        let mut buffers = gemm::PackBuffers { left: &mut left, right: &mut buffer };
        let size = Size { m: n, n: k, k: rows };
        gemm::columns_by_columns(isa, size, (&dy, &x, &mut dw), &mut buffers, &scratch);
        let expected = differences(&w64, |w| dot(&reference::linear(&x64, w, k), &dy));
        assert_close("dw", &dw, &expected, TOLERANCE);
    }
}

#[test]
fn head_gradients_match_finite_differences() {
    let shape = Shape { layers: 1, width: 5, heads: 1, context: 6, vocab: 9, clip_qkv: None };
    let tokens = tokens(&shape, 1);
    let (hidden, table) = (wave(6 * 5, 0.1), wave(9 * 5, 0.4));
    let (hidden64, table64) = (wide(&hidden), wide(&table));
    for isa in InstructionSet::all(Precision::Fp32) {
        let (mut there, mut back) = (
            vec![f32::NAN; gemm::packed_len_max(5, 9)],
            vec![f32::NAN; gemm::packed_len_max(9, 5)],
        );
        let across = Right::Across { data: &table[..], column: 5 };
        let along = Right::Along { data: &table[..], row: 5 };
        let input = head::Input {
            hidden: &hidden[..],
            table: gemm::pack(isa, across, (5, 9), &mut there),
            table_back: gemm::pack(isa, along, (9, 5), &mut back),
            tokens: &tokens,
            context: 6,
        };
        let (mut logits, mut dlogits) = (vec![f32::NAN; 54], vec![f32::NAN; 54]);
        let threads = Scratch::new(rayon::current_num_threads(), gemm::scratch_len());
        let mut left = vec![u32::MAX; gemm::left_buffer_len::<f32>(isa, 6, 9)];
        let mut right = vec![f32::NAN; gemm::right_buffer_len(6, 5)];
        let mut scratch = head::Scratch {
            logits: &mut logits,
            dlogits: &mut dlogits,
            buffers: gemm::PackBuffers { left: &mut left, right: &mut right },
            threads: &threads,
        };
        let mut nats = [f32::NAN; 6];
        let (mut dhidden, mut dtable) = (vec![f32::NAN; 30], vec![0.0; 45]);
        let outputs = (&mut dhidden[..], &mut dtable[..]);
        head::forward_backward(isa, input, 0.2, &mut scratch, &mut nats, outputs);
        let loss = nats.iter().map(|&nats| f64::from(nats)).sum::<f64>() / 5.0;
        assert!((loss - reference::head(&hidden64, &table64, &tokens)).abs() < 1e-6);
        let expected = differences(&hidden64, |x| reference::head(x, &table64, &tokens));
        assert_close("dhidden", &dhidden, &expected, TOLERANCE);
        let expected = differences(&table64, |w| reference::head(&hidden64, w, &tokens));
        assert_close("dtable", &dtable, &expected, TOLERANCE);
    }
}

#[test]
fn embedding_gradients_are_sums_over_the_tokens() {
    let (vocab, d) = (70, 3);
    let tokens: Vec<u32> = (0..200).map(|i| (i * i % 67) as u32).collect();
    let (table, dx) = (wave(vocab * d, 0.5), wave(200 * d, 0.6));
    let embed = |table: &[f64]| -> Vec<f64> {
        tokens.iter().flat_map(|&v| table[v as usize * d..][..d].to_vec()).collect()
    };
    let mut out = vec![0.0; 200 * d];
    embedding::forward(&tokens, &table, &mut out, d);
    assert_eq!(wide(&out), embed(&wide(&table)));
    let mut dtable = vec![0.0; vocab * d];
    embedding::backward(&tokens, &dx, &mut dtable, d);
    let expected = differences(&wide(&table), |table| dot(&embed(table), &dx));
    assert_close("dtable", &dtable, &expected, TOLERANCE);
}

#[test]
fn every_gradient_of_a_whole_model_matches_finite_differences() {
    for clip_qkv in [None, Some(0.9)] {
        let shape = Shape { layers: 2, width: 6, heads: 3, context: 8, vocab: 11, clip_qkv };
        let tokens = tokens(&shape, 1);
        let mut engine = Engine::new(shape, 1, Compute::exact(2)).unwrap();
        fill(&mut engine);
        let loss = engine.loss_and_gradients(&tokens, &mut [0.0]);
        let weights = wide(engine.weights());
        assert!((loss - reference::model(&shape, &weights, &tokens)).abs() < 1e-6);
        let expected = differences(&weights, |weights| reference::model(&shape, weights, &tokens));
        for tensor in shape.tensors() {
            let (found, expected) =
                (&engine.gradients()[tensor.range()], &expected[tensor.range()]);
            // Two blocks lie on top of each other: four times the tolerance of one operation.
            assert_close(&tensor.name, found, expected, 4.0 * TOLERANCE);
        }
    }
}

//! Claims about whole models and operations, checked against references that share no code.

mod golden;
mod gradients;
mod reference;
mod threads;

use crate::{Engine, Shape};

/// Tokens that look like nothing in particular.
fn tokens(shape: &Shape, batch: usize) -> Vec<u32> {
    (0..batch * shape.context).map(|i| ((i * i * 31 + i * 7 + 3) % shape.vocab) as u32).collect()
}

/// Fills the weights by the formula of `testdata/golden/model.py`.
pub(crate) fn fill(engine: &mut Engine) {
    let tensors = engine.shape().tensors();
    for (s, tensor) in tensors.iter().enumerate() {
        let (base, amplitude) = match tensor.shape[..] {
            [_, fan_in] => (0.0, 1.2 / (fan_in as f64).sqrt()),
            _ => (1.0, 0.2),
        };
        for (i, weight) in engine.weights_mut()[tensor.range()].iter_mut().enumerate() {
            *weight = (base + amplitude * (1.7 * (i + 1) as f64 + s as f64).sin()) as f32;
        }
    }
}

/// Fails unless every value is within `tolerance`, relative to the largest of `expected`.
fn assert_close(what: &str, found: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: lengths");
    let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (f64::from(*found) - expected).abs();
        assert!(off <= tolerance * largest, "{what}[{i}]: {found}, expected {expected}");
    }
}

//! Initial weights: every tensor from a generator of its own, keyed by the seed and its name.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use sparkjoy_base::{Key, Purpose, Seed};

use crate::Shape;

/// Fills the flat buffer.
///
/// Matrices are N(0, 2 / fan_in), the embedding N(0, 2 / D), projections onto the residual stream
/// divided by √(2L), norms 1.
///
/// # Source
///
/// MPT's `kaiming_normal_` with `fan_in`, relu's gain, and `init_div_is_residual`.
pub(crate) fn draw(shape: &Shape, seed: Seed, weights: &mut [f32]) {
    for tensor in shape.tensors() {
        let values = &mut weights[tensor.range()];
        let [_, fan_in] = tensor.shape[..] else {
            values.fill(1.0);
            continue;
        };
        let key = Key::new(seed, Purpose::Weights, &[tensor.name.as_bytes()]);
        let mut generator = ChaCha8Rng::from_seed(key.bytes());
        let residual = ["out_proj.weight", "down_proj.weight"];
        let divisor = if residual.iter().any(|name| tensor.name.ends_with(name)) {
            (2.0 * shape.layers as f64).sqrt()
        } else {
            1.0
        };
        let deviation = (2.0 / fan_in as f64).sqrt() / divisor;
        for value in values {
            let normal: f64 = StandardNormal.sample(&mut generator);
            *value = (normal * deviation) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mpt::Mpt;

    fn drawn(shape: &Shape, seed: u64) -> Vec<f32> {
        let mut weights = vec![f32::NAN; shape.parameters() as usize];
        draw(shape, Seed(seed), &mut weights);
        weights
    }

    const SHAPE: Shape =
        Shape { layers: 2, width: 64, heads: 4, context: 8, vocab: 500, clip_qkv: None };

    #[test]
    fn every_tensor_has_its_deviation() {
        let weights = drawn(&SHAPE, 17);
        for tensor in SHAPE.tensors() {
            let values = &weights[tensor.range()];
            let expected = match tensor.name.rsplit('.').nth(1) {
                Some("wte" | "Wqkv" | "up_proj") => (2.0_f64 / 64.0).sqrt(),
                Some("out_proj") => (2.0_f64 / 64.0 / 4.0).sqrt(),
                Some("down_proj") => (2.0_f64 / 256.0 / 4.0).sqrt(),
                _ => {
                    assert!(values.iter().all(|&v| v == 1.0), "{}", tensor.name);
                    continue;
                }
            };
            let n = values.len() as f64;
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let square = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>() / n;
            // Four standard errors of a mean and of a deviation.
            assert!(mean.abs() < 4.0 * expected / n.sqrt(), "{}: {mean}", tensor.name);
            let off = square.sqrt() / expected - 1.0;
            assert!(off.abs() < 4.0 / (2.0 * n).sqrt(), "{}: {off}", tensor.name);
        }
    }

    #[test]
    fn weights_depend_on_the_seed_and_the_name_alone() {
        let (a, b) = (drawn(&SHAPE, 17), drawn(&SHAPE, 18));
        assert_eq!(a, drawn(&SHAPE, 17));
        assert_ne!(a, b);
        // A longer context or another number of heads draws the same weights.
        assert_eq!(a, drawn(&Shape { context: 99, heads: 8, ..SHAPE }, 17));
        // Another block has other weights, and a deeper model has the same ones in its first.
        let (first, second) = (SHAPE.block(0).wqkv, SHAPE.block(1).wqkv);
        assert_ne!(a[first.clone()], a[second]);
        let deep = Shape { layers: 3, ..SHAPE };
        assert_eq!(a[first], drawn(&deep, 17)[deep.block(0).wqkv]);
    }

    #[test]
    fn weights_are_the_same_on_every_machine() {
        let weights = drawn(&SHAPE, 17);
        insta::assert_snapshot!(format!("{:?}", &weights[..3]), @"[0.21600778, 0.14623393, 0.049236137]");
    }
}

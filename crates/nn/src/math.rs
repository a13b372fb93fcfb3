//! The two functions a decoder needs beyond arithmetic, written so that the compiler can vectorise
//! them, and sums whose order is fixed.

use std::f32::consts::FRAC_2_SQRT_PI;

/// Values summed side by side: one register of the widest kernel.
const LANES: usize = 16;

/// e^x for x at most 88; 0 below −87.
///
/// # Guarantees
///
/// Relative error below 3e-7 (tested).
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // x = n·ln 2 + r with |r| at most ln 2 / 2, and e^r from its series: the term left out, r^8/8!,
    // is below 6e-9. Adding 1.5·2^23 rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with few enough bits that its product with n is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.max(-87.0);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (clamped - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let power = f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23);
    if x < -87.0 { 0.0 } else { p * power }
}

/// The error function.
///
/// A rational function of degree 5 over 5 in x², fitted to erf(x)/x so that the absolute error of
/// erf is smallest, exactly ±1 outside ±3.92.
///
/// # Guarantees
///
/// Absolute error below 4e-7, odd, within ±1 (tested).
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    const P: [f32; 6] =
        [FRAC_2_SQRT_PI, 0.192_722_6, 0.053_055_592, 3.866_695_3e-3, 2.874_685e-4, 2.035_406_4e-6];
    const Q: [f32; 6] = [1.0, 0.504_127_6, 0.115_068_02, 0.015_169_03, 1.187_766e-3, 3.807_699e-5];
    let x = x.clamp(-3.919_206, 3.919_206);
    let t = x * x;
    let (mut p, mut q) = (P[5], Q[5]);
    for i in (0..5).rev() {
        p = p * t + P[i];
        q = q * t + Q[i];
    }
    (x * p / q).clamp(-1.0, 1.0)
}

/// `Σ term(i)` over `0..n`, in 16 interleaved sums added pairwise at the end.
#[inline(always)]
pub(crate) fn sum(n: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let whole = n / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += term(start + lane);
        }
    }
    for i in whole..n {
        lanes[i - whole] += term(i);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
    }
    lanes[0]
}

/// The largest value, −∞ of none.
#[inline(always)]
pub(crate) fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// erf in f64 to about 1e-15: its series up to 3, the continued fraction of erfc beyond.
    fn erf_exact(x: f64) -> f64 {
        let z = x.abs();
        let value = if z < 3.0 {
            let (mut term, mut sum) = (z, z);
            for n in 1..200 {
                term *= -z * z / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            sum * std::f64::consts::FRAC_2_SQRT_PI
        } else {
            let tail = (1..=200).rev().fold(z, |tail, n| z + f64::from(n) / 2.0 / tail);
            1.0 - (-z * z).exp() / (tail * std::f64::consts::PI.sqrt())
        };
        value.copysign(x)
    }

    #[test]
    fn the_exact_erf_knows_published_values() {
        for (x, erf) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.5, 0.999_999_256_901_627_7),
        ] {
            assert!((erf_exact(x) - erf).abs() < 1e-14, "erf({x})");
        }
    }

    #[test]
    fn erf_is_within_4e_7_odd_and_within_one() {
        for i in 0..=1_200_000 {
            let x = (f64::from(i) / 200_000.0) as f32;
            let value = erf(x);
            assert!((f64::from(value) - erf_exact(x.into())).abs() < 4e-7, "erf({x}) = {value}");
            assert!(value <= 1.0 && erf(-x).to_bits() == (-value).to_bits(), "erf({x})");
        }
    }

    #[test]
    fn exp_is_within_3e_7_of_its_value_and_vanishes_far_below() {
        for i in -870_000..=880_000 {
            let x = (f64::from(i) / 10_000.0) as f32;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "exp({x})");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!([exp(-87.5), exp(-1e30), exp(f32::NEG_INFINITY)], [0.0; 3]);
    }

    #[test]
    fn sums_and_maxima_take_every_value() {
        for n in 0..70 {
            let values: Vec<f32> = (0..n).map(|i| ((i * 37) % 71) as f32).collect();
            assert_eq!(sum(n, |i| values[i]), values.iter().sum::<f32>());
            let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(max(&values), largest);
        }
    }
}

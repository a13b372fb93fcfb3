//! What a decoder needs beyond arithmetic, written so that the compiler can vectorise it, and sums
//! whose order is fixed.

/// Values summed side by side: one register of the widest instruction set.
const LANES: usize = 16;

/// `a·b + c`, rounded once if `fused`.
#[inline(always)]
pub(crate) fn fma(a: f32, b: f32, c: f32, fused: bool) -> f32 {
    if fused { a.mul_add(b, c) } else { a * b + c }
}

/// e^x for x at most 88; 0 below −87; NaN of NaN.
///
/// # Guarantees
///
/// Relative error below 3e-7 (tested).
#[inline(always)]
pub(crate) fn exp(x: f32, fused: bool) -> f32 {
    // x = n·ln 2 + r with |r| at most ln 2 / 2, and e^r from the polynomial of degree 6 whose
    // largest relative error there is smallest, 1.9e-9. Adding 1.5·2^23 rounds to an integer and
    // leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first with few enough bits that its product with n is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const P: [f32; 7] =
        [1.0, 1.0, 0.499_999_9, 0.166_664_2, 0.041_668_225, 0.008_374_825, 0.001_383_683_5];
    // Not `max`, which would turn NaN into a number.
    let clamped = if x < -87.0 { -87.0 } else { x };
    let shifted = fma(clamped, std::f32::consts::LOG2_E, ROUND, fused);
    let n = shifted - ROUND;
    let r = fma(n, -LN2_LOW, fma(n, -LN2_HIGH, clamped, fused), fused);
    let mut p = P[6];
    for coefficient in P[..6].iter().rev() {
        p = fma(p, r, *coefficient, fused);
    }
    let power = f32::from_bits((shifted.to_bits().wrapping_add(127)) << 23);
    if x < -87.0 { 0.0 } else { p * power }
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

/// Replaces every value by `f` of it; returns the sum, in the order of [`sum`].
#[inline(always)]
pub(crate) fn sum_of(values: &mut [f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = values.as_chunks_mut::<LANES>();
    for chunk in whole {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *value = f(*value);
            *lane += *value;
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *value = f(*value);
        *lane += *value;
    }
    sum(LANES, |i| lanes[i])
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
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = if *value > *lane { *value } else { *lane };
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] =
                if lanes[lane + width] > lanes[lane] { lanes[lane + width] } else { lanes[lane] };
        }
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_3e_7_of_its_value_and_vanishes_far_below() {
        for i in -870_000..=880_000 {
            let x = (f64::from(i) / 10_000.0) as f32;
            let exact = f64::from(x).exp();
            for fused in [false, true] {
                let error = f64::from(exp(x, fused)) / exact - 1.0;
                assert!(error.abs() < 3e-7, "exp({x}), fused: {fused}");
            }
        }
        for fused in [false, true] {
            assert_eq!(exp(0.0, fused), 1.0);
            assert_eq!([-87.5, -1e30, f32::NEG_INFINITY].map(|x| exp(x, fused)), [0.0; 3]);
            assert!(exp(f32::NAN, fused).is_nan());
        }
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

//! Counts the slots of a prefix on one side of a point in closed form, without visiting them.

/// φ: 2^64 times the fractional part of the golden ratio, rounded to an odd integer.
pub(crate) const GOLDEN: u64 = 11_400_714_819_323_198_485;

/// Steps of Euclid's algorithm on (2^64, φ).
const STEPS: usize = 64;

/// One step of Euclid's algorithm, with its division precomputed.
#[derive(Clone, Copy)]
struct Step {
    /// The divisor.
    m: u64,
    /// Quotient of the previous divisor by `m`.
    whole: u64,
    /// Remainder of that division, below `m`.
    a: u64,
    /// `floor(a · 2^64 / m)`.
    reciprocal: u64,
}

/// The steps. They depend only on φ, so no division is needed at run time.
const CHAIN: [Step; STEPS] = chain();

const fn chain() -> [Step; STEPS] {
    let mut steps = [Step { m: 1, whole: 0, a: 0, reciprocal: 0 }; STEPS];
    let (mut above, mut m) = (1_u128 << 64, GOLDEN as u128);
    let mut i = 0;
    while m > 0 {
        let a = above % m;
        let reciprocal = ((a << 64) / m) as u64;
        steps[i] = Step { m: m as u64, whole: (above / m) as u64, a: a as u64, reciprocal };
        (above, m) = (m, a);
        i += 1;
    }
    assert!(i == STEPS, "the chain fills its array");
    steps
}

/// `Σ floor((φ·i + b) / 2^64)` over `i` in `0..n`, modulo 2^128.
///
/// The integer parts are summed at once. The rest is the number of lattice points under a line.
/// Swapping the axes gives the same problem for the next step of Euclid's algorithm on (2^64, φ),
/// with an `n` smaller by the golden ratio: 40 steps for 1T tokens. The result may wrap. Callers
/// use differences of two sums, which are exact if they fit.
///
/// - `n`: at most 2^60, so that a quotient by reciprocal is at most two short.
/// - `b`: at most 2^65.
///
/// # Source
///
/// Graham, Knuth & Patashnik, *Concrete Mathematics*, 2nd ed., section 3.5, made iterative.
pub(crate) fn golden_floor_sum(n: u64, b: u128) -> u128 {
    debug_assert!(n <= 1 << 60 && b <= 1 << 65);
    let mut sum = u128::from(n).wrapping_mul(b >> 64);
    let top = u128::from(GOLDEN) * u128::from(n) + u128::from(b as u64);
    let (mut n, mut b) = ((top >> 64) as u64, top as u64);
    for step in &CHAIN {
        if n == 0 {
            break;
        }
        // The line has slope `whole` plus a fraction, and starts at b / m.
        let places = u128::from(n);
        sum = sum.wrapping_add((places * (places - 1) / 2).wrapping_mul(step.whole.into()));
        // The first 44 quotients of the golden ratio are 1; a comparison is faster than a division.
        let start = if step.whole == 1 { u64::from(b >= step.m) } else { b / step.m };
        sum = sum.wrapping_add(places * u128::from(start));
        b -= start * step.m;
        (n, b) = divided(n, b, step);
    }
    sum
}

/// `a·n + b` divided by `m`: quotient and remainder, for `b < m`.
fn divided(n: u64, b: u64, step: &Step) -> (u64, u64) {
    let Step { m, a, reciprocal, .. } = *step;
    let mut quotient = ((u128::from(n) * u128::from(reciprocal)) >> 64) as u64;
    let exact = u128::from(a) * u128::from(n) + u128::from(b);
    let mut left = exact - u128::from(quotient) * u128::from(m);
    // Too small by one for the truncated reciprocal, and by one more for `b`. No branch: the CPU
    // could not predict it.
    for _ in 0..2 {
        let short = left >= u128::from(m);
        quotient += u64::from(short);
        left -= u128::from(m) * u128::from(short);
    }
    (quotient, left as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook's sum for any line, with a division wherever it says so.
    fn floor_sum(n: u128, m: u128, a: u128, b: u128) -> u128 {
        if n == 0 {
            return 0;
        }
        let whole = (n * (n - 1) / 2).wrapping_mul(a / m).wrapping_add(n.wrapping_mul(b / m));
        let top = (a % m) * n + b % m;
        whole.wrapping_add(floor_sum(top / m, a % m, m, top % m))
    }

    #[test]
    fn quotients_by_reciprocal_are_exact_up_to_the_largest_n() {
        for step in CHAIN.iter().filter(|step| step.a > 0) {
            for n in ((1 << 60) - 500..=1 << 60).chain(0..10) {
                for b in [0, step.m / 2, step.m - 1] {
                    let exact = u128::from(step.a) * u128::from(n) + u128::from(b);
                    let (quotient, left) = divided(n, b, step);
                    assert_eq!(u128::from(quotient), exact / u128::from(step.m), "{n}, {b}");
                    assert_eq!(u128::from(left), exact % u128::from(step.m), "{n}, {b}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_textbooks_sum_equals_enumeration(
            n in 0..300_u128, m in 1..500_u128, a in 0..2_000_u128, b in 0..2_000_u128,
        ) {
            let enumerated: u128 = (0..n).map(|i| (a * i + b) / m).sum();
            // With a % m = 0 the recursion ends before it would divide by zero.
            prop_assert_eq!(floor_sum(n, m, a, b), enumerated);
        }

        #[test]
        fn the_golden_sum_equals_enumeration(n in 0..2_000_u64, b in 0..=1_u128 << 65) {
            let golden = u128::from(GOLDEN);
            let enumerated: u128 = (0..u128::from(n)).map(|i| (golden * i + b) >> 64).sum();
            prop_assert_eq!(golden_floor_sum(n, b), enumerated);
        }

        #[test]
        fn the_golden_sum_equals_the_textbooks_at_any_length(
            bits in 0..=60_u32, n: u64, b in 0..=1_u128 << 65,
        ) {
            let n = n % (1 << bits) + 1;
            let textbook = floor_sum(n.into(), 1 << 64, GOLDEN.into(), b);
            prop_assert_eq!(golden_floor_sum(n, b), textbook);
        }
    }
}

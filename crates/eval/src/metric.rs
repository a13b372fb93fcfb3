//! Estimates with their standard errors: every number a report shows has one.

use serde::{Deserialize, Serialize};

/// A number and how far it may be off by the choice of items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its standard error; none where a single item tells nothing of the spread.
    pub error: Option<f64>,
}

impl Estimate {
    /// The mean of some items, and its standard error with n − 1 degrees of freedom.
    ///
    /// For items that are 0 or 1 that is `√(p (1 − p) / (n − 1))`.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn mean(items: &[f64]) -> Self {
        let n = items.len() as f64;
        assert!(n > 0.0, "a mean of nothing");
        let value = items.iter().sum::<f64>() / n;
        let squares: f64 = items.iter().map(|x| (x - value).powi(2)).sum();
        let error = (items.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        Self { value, error }
    }

    /// The plain mean of independent estimates: errors add in squares.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn mean_of(estimates: &[Self]) -> Self {
        let n = estimates.len() as f64;
        assert!(n > 0.0, "a mean of nothing");
        let value = estimates.iter().map(|e| e.value).sum::<f64>() / n;
        let squares: Option<f64> = estimates.iter().map(|e| e.error.map(|e| e * e)).sum();
        Self { value, error: squares.map(|sum| sum.sqrt() / n) }
    }

    /// The sum of one thing over the sum of another, item by item.
    ///
    /// # Errors of the estimate
    ///
    /// Of the ratio estimator: `√(n/(n − 1) · Σ (x − R y)²) / Σ y`, which counts that long items
    /// have both more of `x` and more of `y`.
    ///
    /// # Source
    ///
    /// Cochran, *Sampling Techniques*, 3rd ed., chapter 6.
    ///
    /// # Panics
    ///
    /// If they differ in number, or there are none.
    pub fn ratio(x: &[f64], y: &[f64]) -> Self {
        assert_eq!(x.len(), y.len());
        let (n, below) = (x.len() as f64, y.iter().sum::<f64>());
        assert!(n > 0.0, "a ratio of nothing");
        let value = x.iter().sum::<f64>() / below;
        let squares: f64 = x.iter().zip(y).map(|(x, y)| (x - value * y).powi(2)).sum();
        let error = (x.len() > 1).then(|| (n / (n - 1.0) * squares).sqrt() / below);
        Self { value, error }
    }

    /// `(value − baseline) / (1 − baseline)`: 0 is guessing, 1 is perfect, and less than 0 stays.
    #[must_use]
    pub fn centred(self, baseline: f64) -> Self {
        let scale = 1.0 - baseline;
        Self {
            value: (self.value - baseline) / scale,
            error: self.error.map(|error| error / scale),
        }
    }
}

/// Where an accuracy lies against guessing, two standard errors being the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chance {
    /// Worse than guessing by more than two standard errors.
    Below,
    /// Within two standard errors of guessing, or of unknown error.
    At,
    /// Better by more.
    Above,
}

impl Chance {
    /// Where `accuracy` lies.
    pub fn of(accuracy: Estimate, baseline: f64) -> Self {
        let Some(error) = accuracy.error else { return Self::At };
        let distance = accuracy.value - baseline;
        if distance > 2.0 * error {
            Self::Above
        } else if distance < -2.0 * error {
            Self::Below
        } else {
            Self::At
        }
    }
}

/// The chance that one of `k` programs passes, estimated from `passed` of `samples`:
/// `1 − C(n − c, k) / C(n, k)`, as a product that neither overflows nor cancels.
///
/// # Source
///
/// Chen et al. 2021, arXiv:2107.03374, equation 1.
///
/// # Panics
///
/// If `k` or `passed` is more than `samples`.
pub fn pass_at(samples: usize, passed: usize, k: usize) -> f64 {
    assert!(passed <= samples && k <= samples, "{passed} of {samples}, {k} drawn");
    let failed = samples - passed;
    if failed < k {
        return 1.0;
    }
    let misses: f64 = (failed + 1..=samples).map(|i| 1.0 - k as f64 / i as f64).product();
    1.0 - misses
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sparkjoy_base::{Key, Purpose, Seed};

    use super::*;

    /// Uniform numbers in [0, 1) from a key: the tests' only randomness.
    fn uniform(seed: u64) -> impl FnMut() -> f64 {
        let mut drawn = 0_u64;
        move || {
            drawn += 1;
            let address = drawn.to_le_bytes();
            let [word, ..] = Key::new(Seed(seed), Purpose::HeldOutSample, &[&address]).words();
            (word >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    /// Standard deviation of `trials` values, and the mean of the errors they claim.
    fn spread(trials: usize, mut trial: impl FnMut() -> Estimate) -> (f64, f64) {
        let all: Vec<Estimate> = (0..trials).map(|_| trial()).collect();
        let mean = all.iter().map(|e| e.value).sum::<f64>() / trials as f64;
        let squares: f64 = all.iter().map(|e| (e.value - mean).powi(2)).sum();
        let claimed = all.iter().map(|e| e.error.unwrap()).sum::<f64>() / trials as f64;
        ((squares / (trials - 1) as f64).sqrt(), claimed)
    }

    proptest! {
        /// Against counting: which draws of `k` programs hold none that passed.
        #[test]
        fn pass_at_k_is_the_share_of_draws_with_a_pass(
            samples in 1_usize..12, passed in 0_usize..12, k in 1_usize..12,
        ) {
            let (passed, k) = (passed.min(samples), k.min(samples));
            let draws = (0_u32..1 << samples).filter(|set| set.count_ones() as usize == k);
            let (mut all, mut with_pass) = (0.0, 0.0);
            for set in draws {
                all += 1.0;
                with_pass += f64::from(u8::from(set & ((1 << passed) - 1) != 0));
            }
            prop_assert!((pass_at(samples, passed, k) - with_pass / all).abs() < 1e-12);
        }
    }

    #[test]
    fn pass_at_1_is_the_share_that_passed_and_large_numbers_are_no_trouble() {
        assert!((pass_at(5, 3, 1) - 0.6).abs() < 1e-15);
        let sure = [pass_at(5, 0, 1), pass_at(5, 5, 1), pass_at(5, 3, 3)];
        assert_eq!(sure.map(|p| p.to_string()), ["0", "1", "1"]);
        // 1 − Π (1 − 100/i) for i = 991..=1000; C(1000, 100) has 140 digits.
        let expected = 1.0 - (991..=1000).map(|i| 1.0 - 100.0 / f64::from(i)).product::<f64>();
        assert!((pass_at(1000, 10, 100) - expected).abs() < 1e-12);
    }

    #[test]
    fn binary_items_have_the_binomial_error() {
        let items = [1.0, 0.0, 0.0, 1.0, 0.0];
        let estimate = Estimate::mean(&items);
        assert!((estimate.value - 0.4).abs() < 1e-15);
        assert!((estimate.error.unwrap() - (0.4_f64 * 0.6 / 4.0).sqrt()).abs() < 1e-15);
        assert_eq!(Estimate::mean(&[1.0]).error, None);
    }

    #[test]
    fn claimed_errors_of_means_are_the_spread_of_repeated_trials() {
        let mut draw = uniform(1);
        let (found, claimed) = spread(2000, || {
            let items: Vec<f64> = (0..50).map(|_| f64::from(u8::from(draw() < 0.3))).collect();
            Estimate::mean(&items)
        });
        // 2,000 trials tell a deviation to within 1.6 % (one standard error).
        assert!((found / claimed - 1.0).abs() < 0.06, "{found} {claimed}");
    }

    #[test]
    fn claimed_errors_of_macro_means_are_the_spread_of_repeated_trials() {
        let mut draw = uniform(2);
        let (found, claimed) = spread(2000, || {
            let mut category = |n, p| {
                let items: Vec<f64> = (0..n).map(|_| f64::from(u8::from(draw() < p))).collect();
                Estimate::mean(&items)
            };
            Estimate::mean_of(&[category(20, 0.5), category(80, 0.2), category(40, 0.9)])
        });
        assert!((found / claimed - 1.0).abs() < 0.06, "{found} {claimed}");
    }

    #[test]
    fn claimed_errors_of_ratios_are_the_spread_of_repeated_trials() {
        let mut draw = uniform(3);
        let (found, claimed) = spread(2000, || {
            let bytes: Vec<f64> = (0..60).map(|_| 1.0 + (40.0 * draw()).floor()).collect();
            // Bits go with bytes, and scatter by half.
            let bits: Vec<f64> = bytes.iter().map(|b| b * 1.3 * (0.5 + draw())).collect();
            Estimate::ratio(&bits, &bytes)
        });
        assert!((found / claimed - 1.0).abs() < 0.06, "{found} {claimed}");
    }

    #[test]
    fn a_ratio_weighs_items_by_their_length() {
        let ratio = Estimate::ratio(&[10.0, 1.0], &[10.0, 2.0]);
        assert!((ratio.value - 11.0 / 12.0).abs() < 1e-15);
        // √(2 · ((10 − R 10)² + (1 − R 2)²)) / 12, by hand.
        let r: f64 = 11.0 / 12.0;
        let by_hand = (2.0 * ((10.0 - 10.0 * r).powi(2) + (1.0 - 2.0 * r).powi(2))).sqrt() / 12.0;
        assert!((ratio.error.unwrap() - by_hand).abs() < 1e-15);
    }

    #[test]
    fn an_unknown_error_stays_unknown_in_a_mean() {
        let known = Estimate { value: 0.5, error: Some(0.1) };
        let unknown = Estimate { value: 0.7, error: None };
        assert_eq!(Estimate::mean_of(&[known, unknown]).error, None);
        let both = Estimate::mean_of(&[known, known]);
        assert!((both.error.unwrap() - 0.1 / 2.0_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn centring_moves_guessing_to_zero_and_stretches_the_error() {
        let centred = Estimate { value: 0.4, error: Some(0.03) }.centred(0.25);
        assert!((centred.value - 0.2).abs() < 1e-15);
        assert!((centred.error.unwrap() - 0.04).abs() < 1e-15);
        assert!(Estimate { value: 0.1, error: None }.centred(0.25).value < -0.19);
    }

    #[test]
    fn chance_is_within_two_standard_errors_of_guessing() {
        let at = |value| Chance::of(Estimate { value, error: Some(0.02) }, 0.25);
        assert_eq!([at(0.20), at(0.22), at(0.28), at(0.30)].map(|c| c as u8), [0, 1, 1, 2]);
        assert_eq!(Chance::of(Estimate { value: 0.0, error: Some(0.0) }, 0.0), Chance::At);
        assert_eq!(Chance::of(Estimate { value: 0.9, error: None }, 0.0), Chance::At);
    }
}

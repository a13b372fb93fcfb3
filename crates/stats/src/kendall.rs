//! Agreement of two rankings.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, StudentsT};

use serde::{Deserialize, Serialize};

use crate::Effect;

/// Draws of the two rankings for the interval.
const DRAWS: usize = 2_000;

/// Kendall's rank correlation, with ties (τ_b): 1 for the same order, −1 for the opposite.
///
/// `None` if all values of one are equal, or if the two differ in length.
///
/// # Source
///
/// Kendall, The treatment of ties in ranking problems, Biometrika 33 (1945).
pub(crate) fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() {
        return None;
    }
    let (mut agreeing, mut in_x, mut in_y) = (0.0, 0.0_f64, 0.0_f64);
    for i in 0..x.len() {
        for j in 0..i {
            let of = |values: &[f64]| {
                f64::from(i8::from(values[i] > values[j]) - i8::from(values[i] < values[j]))
            };
            let (sign_x, sign_y) = (of(x), of(y));
            agreeing += sign_x * sign_y;
            in_x += f64::abs(sign_x);
            in_y += f64::abs(sign_y);
        }
    }
    (in_x > 0.0 && in_y > 0.0).then(|| agreeing / (in_x * in_y).sqrt())
}

/// Rank correlation of two rankings, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Kendall's τ_b of the two.
    pub tau: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// Two-sided p-value against no agreement (τ = 0): twice the share of draws on the other side
    /// of 0, or on it, one added to both counts. At least 0.001.
    pub p: f64,
}

/// Kendall's τ_b between the effects of the same arms in two places, with its interval.
///
/// The interval is a parametric bootstrap: each effect is drawn from Student's t around its mean
/// with its standard error and degrees of freedom, and the interval holds the central `confidence`
/// of the resulting τ_b. p is that of the same draws (an interval of 1 − p just reaches 0).
///
/// With three arms in the same order twice, a draw has τ_b ≤ 0 only if the first and the last arm
/// change places in one of the two, so p is then about that of the difference between these arms.
///
/// `None` if there are fewer than two arms.
///
/// # Source
///
/// Parametric bootstrap: Efron & Tibshirani, An Introduction to the Bootstrap (1993), section 6.5.
pub fn agreement(x: &[Effect], y: &[Effect], confidence: f64, seed: u64) -> Option<Agreement> {
    let means = |effects: &[Effect]| effects.iter().map(|effect| effect.mean).collect::<Vec<_>>();
    let tau = kendall(&means(x), &means(y))?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = |effect: &Effect| {
        let uniform = (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0;
        let t = StudentsT::new(0.0, 1.0, effect.freedom).expect("freedom is positive");
        effect.mean + effect.standard_error * t.inverse_cdf(uniform)
    };
    let mut taus: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            let x: Vec<f64> = x.iter().map(&mut drawn).collect();
            let y: Vec<f64> = y.iter().map(&mut drawn).collect();
            kendall(&x, &y)
        })
        .collect();
    taus.sort_unstable_by(f64::total_cmp);
    let at = |q: f64| taus[((taus.len() - 1) as f64 * q).round() as usize];
    let tail = (1.0 - confidence) / 2.0;
    let beyond = taus.iter().filter(|&&drawn| drawn * tau.signum() <= 0.0).count();
    // τ itself is one of the draws, so p is never 0; where it is 0 all draws count.
    let p = (2.0 * (beyond + 1) as f64 / (taus.len() + 1) as f64).min(1.0);
    let p = if tau == 0.0 { 1.0 } else { p };
    Some(Agreement { tau, low: at(tail).min(tau), high: at(1.0 - tail).max(tau), p })
}

//! Power analysis: the minimum detectable effect.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

use crate::Effect;

/// Power of the minimum detectable effect: 80 %, the usual choice (Cohen, Statistical Power
/// Analysis for the Behavioral Sciences, 1988, section 2.4).
const POWER: f64 = 0.8;
/// Nodes of the integral over the distribution of the estimated standard error.
const NODES: usize = 400;

/// Power of a two-sided t-test at `alpha`.
///
/// - `size`: the true difference in standard errors.
///
/// # Source
///
/// The noncentral t distribution as a mixture of normal ones over χ²/ν; Johnson, Kotz &
/// Balakrishnan, Continuous Univariate Distributions 2 (1995), chapter 31.
#[cfg(test)]
pub(crate) fn power(size: f64, freedom: f64, alpha: f64) -> f64 {
    let (normal, errors) = (Normal::standard(), errors(freedom));
    let t = StudentsT::new(0.0, 1.0, freedom).expect("freedom is positive");
    found(size, -t.inverse_cdf(alpha / 2.0), &errors, normal)
}

/// Minimum detectable effect of a t-test, in standard errors: the least true difference that is
/// significant with 80 % power.
///
/// - `comparisons`: how many are tested together. The threshold is that of the first step of Holm's
///   correction, (1 − confidence) / comparisons.
///
/// # Source
///
/// Power of the noncentral t: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2
/// (1995), chapter 31.
pub fn detectable(freedom: f64, confidence: f64, comparisons: usize) -> f64 {
    least(freedom, (1.0 - confidence) / comparisons.max(1) as f64 / 2.0)
}

/// Least margin of a test of non-inferiority, in standard errors: where nothing is lost in truth, a
/// loss of less than this is shown with 80 % power.
///
/// - `comparisons`: as in [`detectable`]; the test is one-sided.
pub fn showable(freedom: f64, confidence: f64, comparisons: usize) -> f64 {
    least(freedom, (1.0 - confidence) / comparisons.max(1) as f64)
}

/// The least true difference, in standard errors, that is found with 80 % power where chance goes
/// beyond the critical one with probability `tail` on each side.
fn least(freedom: f64, tail: f64) -> f64 {
    let (normal, errors) = (Normal::standard(), errors(freedom));
    let t = StudentsT::new(0.0, 1.0, freedom).expect("freedom is positive");
    let critical = -t.inverse_cdf(tail);
    let (mut low, mut high) = (0.0, 1.0);
    while found(high, critical, &errors, normal) < POWER {
        high *= 2.0;
    }
    while high - low > 1e-6 * high {
        let middle = f64::midpoint(low, high);
        if found(middle, critical, &errors, normal) < POWER {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Minimum detectable effect of a comparison with the uncertainty of `effect`: the least true
/// difference that is significant with 80 % power.
///
/// p-values come from Student's t of the replicates convolved with the noise of the items (see
/// [`Resampling`](crate::Resampling)). In the far tail, at the threshold of Holm's first step, the
/// few replicates dominate even if they are a small part of the standard error. So the critical
/// difference is computed from the convolution, and the ratio of detectable to critical difference
/// from Student's t.
///
/// - `comparisons`: as in [`detectable`].
///
/// # Source
///
/// As [`detectable`], with the critical value of the Behrens-Fisher distribution (Fisher, Annals of
/// Eugenics 6, 1935) in place of Student's.
pub fn detectable_like(
    effect: &Effect,
    replicates: u32,
    confidence: f64,
    comparisons: usize,
) -> f64 {
    let tail = (1.0 - confidence) / comparisons.max(1) as f64 / 2.0;
    let least = f64::from(replicates) - 1.0;
    let normal = Normal::standard();
    let student = |freedom: f64| StudentsT::new(0.0, 1.0, freedom).expect("freedom is positive");
    let (replicate, item) = (effect.replicate_error, effect.item_error);
    let t = student(least);
    let alone = [-t.inverse_cdf(tail) * replicate, -normal.inverse_cdf(tail) * item];
    let critical = if replicate == 0.0 {
        alone[1]
    } else {
        let level = |node: usize| normal.inverse_cdf((node as f64 + 0.5) / NODES as f64);
        let nodes: Vec<f64> = (0..NODES).map(|node| item * level(node)).collect();
        let beyond = |x: f64| {
            let each = nodes.iter().map(|node| t.cdf((node - x) / replicate));
            each.sum::<f64>() / NODES as f64
        };
        let (mut low, mut high) = (0.0, alone[0] + alone[1]);
        while beyond(high) > tail {
            high *= 2.0;
        }
        while high - low > 1e-6 * high {
            let middle = f64::midpoint(low, high);
            if beyond(middle) > tail { low = middle } else { high = middle }
        }
        high
    };
    let freedom = if alone[0] >= alone[1] { least } else { effect.freedom };
    critical * detectable(freedom, confidence, comparisons) / -student(freedom).inverse_cdf(tail)
}

/// Quantiles of √(χ²/ν): the estimated standard error if the true one is 1.
fn errors(freedom: f64) -> Vec<f64> {
    let chi = ChiSquared::new(freedom).expect("freedom is positive");
    let level = |node: usize| (node as f64 + 0.5) / NODES as f64;
    (0..NODES).map(|node| (chi.inverse_cdf(level(node)) / freedom).sqrt()).collect()
}

/// The share of studies in which a true difference of `size` is significant.
fn found(size: f64, critical: f64, errors: &[f64], normal: Normal) -> f64 {
    let each = errors
        .iter()
        .map(|error| normal.cdf(size - critical * error) + normal.cdf(-size - critical * error));
    each.sum::<f64>() / errors.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(replicate_error: f64, item_error: f64, freedom: f64) -> Effect {
        Effect {
            mean: 0.0,
            standard_error: replicate_error.hypot(item_error),
            replicate_error,
            item_error,
            freedom,
            low: 0.0,
            high: 0.0,
            p: 1.0,
        }
    }

    #[test]
    fn a_margin_is_shown_with_80_percent_power_where_nothing_is_lost() {
        // z(0.95) + z(0.8), and the same tail as two comparisons with two sides.
        assert!((showable(1e6, 0.95, 1) - 2.4865).abs() < 1e-3);
        assert!((showable(2.0, 0.95, 1) - detectable(2.0, 0.9, 1)).abs() < 1e-6);
        // A loss of nothing with margin m is a gain of m tested from one side at 5 %.
        let margin = showable(2.0, 0.95, 1);
        let errors = errors(2.0);
        let t = StudentsT::new(0.0, 1.0, 2.0).unwrap();
        let shown = |error: &f64| Normal::standard().cdf(margin + t.inverse_cdf(0.05) * error);
        let shown = errors.iter().map(shown).sum::<f64>() / errors.len() as f64;
        assert!((shown - POWER).abs() < 1e-3, "{shown}");
    }

    #[test]
    fn one_kind_of_noise_alone_has_the_detectable_difference_of_the_textbook() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-3, "{a} {b}");
        close(detectable_like(&effect(2.0, 0.0, 2.0), 3, 0.95, 8), 2.0 * detectable(2.0, 0.95, 8));
        close(detectable_like(&effect(0.0, 2.0, 1e6), 3, 0.95, 8), 2.0 * detectable(1e6, 0.95, 8));
    }

    #[test]
    fn what_replicates_contribute_decides_far_out() {
        // Items are nine tenths of the variance, and yet, at Holm's first step of 26, three
        // replicates keep the detectable difference far above what 20 degrees of freedom promise.
        let mixed = effect(1.0, 3.0, 20.0);
        let found = detectable_like(&mixed, 3, 0.95, 26);
        assert!(found > 1.3 * mixed.standard_error * detectable(20.0, 0.95, 26), "{found}");
        // It is no more than both by themselves together.
        assert!(found < detectable(2.0, 0.95, 26) + 3.0 * detectable(1e6, 0.95, 26), "{found}");
    }
}

//! What could have been seen.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

/// The power that "can see" means: four of five studies.
pub const POWER: f64 = 0.8;
/// Nodes of the integral over the standard error's own uncertainty.
const NODES: usize = 400;

/// How often a true difference is found: two-sided t-test at `alpha`.
///
/// - `size`: the difference in standard errors.
///
/// # Source
///
/// The noncentral t distribution as a mean of normal ones over χ²/ν; Johnson, Kotz & Balakrishnan,
/// Continuous Univariate Distributions 2 (1995), 31.
pub fn power(size: f64, freedom: f64, alpha: f64) -> f64 {
    let (normal, errors) = (Normal::standard(), errors(freedom));
    let t = StudentsT::new(0.0, 1.0, freedom).expect("freedom is positive");
    found(size, -t.inverse_cdf(alpha / 2.0), &errors, normal)
}

/// The least true difference that is found in [`POWER`] of studies, in standard errors.
///
/// - `comparisons`: how many are tested together; the first step of Holm's correction.
pub fn detectable(freedom: f64, confidence: f64, comparisons: usize) -> f64 {
    let alpha = (1.0 - confidence) / comparisons.max(1) as f64;
    let (normal, errors) = (Normal::standard(), errors(freedom));
    let t = StudentsT::new(0.0, 1.0, freedom).expect("freedom is positive");
    let critical = -t.inverse_cdf(alpha / 2.0);
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

/// Quantiles of √(χ²/ν): how large a standard error is estimated for a true one of 1.
fn errors(freedom: f64) -> Vec<f64> {
    let chi = ChiSquared::new(freedom).expect("freedom is positive");
    let level = |node: usize| (node as f64 + 0.5) / NODES as f64;
    (0..NODES).map(|node| (chi.inverse_cdf(level(node)) / freedom).sqrt()).collect()
}

fn found(size: f64, critical: f64, errors: &[f64], normal: Normal) -> f64 {
    let each = errors
        .iter()
        .map(|error| normal.cdf(size - critical * error) + normal.cdf(-size - critical * error));
    each.sum::<f64>() / errors.len() as f64
}

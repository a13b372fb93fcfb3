//! What is known about one difference.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A difference and how sure it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The difference.
    pub mean: f64,
    /// Its standard error, of replicates and items together.
    pub standard_error: f64,
    /// Degrees of freedom of the standard error: few where few replicates decide.
    pub freedom: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// The same interval, corrected for bias and skewness.
    pub bca: [f64; 2],
    /// How probable a difference at least as large would be if there were none, two-sided.
    pub p: f64,
}

/// The effect behind one value per replicate, items aside: Student's t.
///
/// None for fewer than two values.
pub fn student(values: &[f64], confidence: f64) -> Option<Effect> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let (freedom, standard_error) = (n - 1.0, (squares / (n - 1.0) / n).sqrt());
    let t = StudentsT::new(0.0, 1.0, freedom).expect("there are two values or more");
    let p = match (mean == 0.0, standard_error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        _ => (2.0 * t.cdf(-(mean / standard_error).abs())).min(1.0),
    };
    let reach = t.inverse_cdf(0.5 + confidence / 2.0) * standard_error;
    let (low, high) = (mean - reach, mean + reach);
    Some(Effect { mean, standard_error, freedom, low, high, bca: [low, high], p })
}

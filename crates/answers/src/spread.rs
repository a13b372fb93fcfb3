//! Values over replicates, and what they are worth.

use serde::{Deserialize, Serialize};

/// Values of one quantity, one per replicate, and how they are spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// One per replicate, in the order of replicates.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with n − 1; none for a single replicate.
    pub deviation: Option<f64>,
    /// The standard error of their mean, deviation / √n; none for a single replicate.
    pub standard_error: Option<f64>,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Spread {
    /// The spread of at least one value.
    pub(super) fn of(values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "a plan has at least one replicate");
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let standard_error = deviation.map(|deviation| deviation / n.sqrt());
        Self { values, mean, deviation, standard_error, min, max }
    }
}

/// What a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Better than the control: fewer bits per byte, more items right.
    Better,
    /// Worse than the control.
    Worse,
    /// It may be noise, or there is a single replicate: not ranked.
    NotSignificant,
    /// Not among the comparisons that are tested together: its interval stands for itself alone,
    /// and it is neither marked nor ranked.
    NotTested,
}

impl Verdict {
    /// Of a number that is better the less it is.
    pub(super) fn of(difference: f64, adjusted_p: f64, confidence: f64) -> Self {
        match difference {
            _ if adjusted_p > 1.0 - confidence => Self::NotSignificant,
            gain if gain < 0.0 => Self::Better,
            _ => Self::Worse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_deviation_and_error_are_those_of_the_textbook() {
        let spread = Spread::of(vec![2.0, 4.0, 9.0]);
        assert_eq!((spread.mean, spread.min, spread.max), (5.0, 2.0, 9.0));
        // (9 + 1 + 16) / 2 = 13.
        assert_eq!(spread.deviation, Some(13.0_f64.sqrt()));
        assert_eq!(spread.standard_error, Some(13.0_f64.sqrt() / 3.0_f64.sqrt()));
    }

    #[test]
    fn one_replicate_has_no_deviation() {
        let spread = Spread::of(vec![-0.5]);
        assert_eq!((spread.mean, spread.deviation, spread.standard_error), (-0.5, None, None));
    }
}

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
    /// Better than the control (fewer bits per byte, more items right) by more than two standard
    /// errors.
    Better,
    /// Worse than the control by more than two standard errors.
    Worse,
    /// Not more than two standard errors from nothing, or a single replicate: not ranked.
    WithinNoise,
}

impl Verdict {
    pub(super) fn of(difference: &Spread) -> Self {
        match difference.standard_error {
            Some(error) if difference.mean.abs() > 2.0 * error => {
                if difference.mean < 0.0 {
                    Self::Better
                } else {
                    Self::Worse
                }
            }
            _ => Self::WithinNoise,
        }
    }

    /// The same of a number that is better the greater it is.
    pub(super) fn of_gain(difference: &Spread) -> Self {
        match Self::of(difference) {
            Self::Better => Self::Worse,
            Self::Worse => Self::Better,
            Self::WithinNoise => Self::WithinNoise,
        }
    }
}

/// How often noise alone is taken for a difference: the chance that the mean of `replicates`
/// normal values around zero is more than two of its standard errors from it.
///
/// # Source
///
/// Student's t with n − 1 degrees of freedom; Abramowitz & Stegun, 26.7.3 and 26.7.4.
pub(crate) fn false_alarms(replicates: u32) -> f64 {
    let Some(freedom @ 1..) = replicates.checked_sub(1) else { return 0.0 };
    let theta = (2.0 / f64::from(freedom).sqrt()).atan();
    let (sin, cos) = theta.sin_cos();
    // Both series run over every second power of the cosine, below the degrees of freedom.
    let series = |first: u32| {
        let start = if first == 1 { cos } else { 1.0 };
        let (mut term, mut sum, mut power) = (start, 0.0, first);
        while power + 2 <= freedom {
            sum += term;
            term *= cos * cos * f64::from(power + 1) / f64::from(power + 2);
            power += 2;
        }
        sum
    };
    let within = if freedom % 2 == 1 {
        (theta + sin * series(1)) * std::f64::consts::FRAC_2_PI
    } else {
        sin * series(0)
    };
    1.0 - within
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
    fn one_replicate_has_no_error_and_is_never_ranked() {
        let spread = Spread::of(vec![-0.5]);
        assert_eq!((spread.mean, spread.deviation, spread.standard_error), (-0.5, None, None));
        assert_eq!(Verdict::of(&spread), Verdict::WithinNoise);
    }

    #[test]
    fn a_difference_must_exceed_two_standard_errors() {
        // Standard error 1 / √3 = 0.577.
        let around = |mean: f64| Spread::of(vec![mean - 1.0, mean, mean + 1.0]);
        assert_eq!(Verdict::of(&around(1.15)), Verdict::WithinNoise);
        assert_eq!(Verdict::of(&around(1.16)), Verdict::Worse);
        assert_eq!(Verdict::of(&around(-1.16)), Verdict::Better);
        assert_eq!(Verdict::of(&Spread::of(vec![0.0; 3])), Verdict::WithinNoise);
    }

    #[test]
    fn false_alarms_are_those_of_students_t() {
        // 2 · (1 − cdf(2)) of scipy.stats.t(n − 1), n = 2, 3, 4, 5, 6, 11, 31.
        for (replicates, expected) in [
            (1, 0.0),
            (2, 0.295_167_235_300_866_5),
            (3, 0.183_503_419_072_273_83),
            (4, 0.139_325_968_552_348_84),
            (5, 0.116_116_523_516_815_59),
            (6, 0.101_939_478_829_858_35),
            (11, 0.073_388_034_770_740_37),
            (31, 0.054_625_044_962_983_094),
        ] {
            let found = false_alarms(replicates);
            assert!((found - expected).abs() < 1e-9, "{replicates}: {found}, not {expected}");
        }
    }
}

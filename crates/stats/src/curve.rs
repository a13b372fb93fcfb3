//! A curve over the arms of an axis, and where it is highest.

/// Which curve is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CurveShape {
    /// It only rises or only falls, by steps: isotonic regression.
    Monotone,
    /// Quadratic in the logarithm of the share.
    Quadratic,
}

/// The curve that predicts left-out arms better; none for fewer than four arms.
///
/// - `shares`: above 0, ascending; `means`: one per share; `weights`: one over their variances.
///
/// # Source
///
/// Leave-one-out prediction: Allen, The relationship between variable selection and data
/// augmentation and a method for prediction, Technometrics 16 (1974).
pub(crate) fn shape(shares: &[f64], means: &[f64], weights: &[f64]) -> Option<CurveShape> {
    if shares.len() < 4 {
        return None;
    }
    let logs: Vec<f64> = shares.iter().map(|share| share.ln()).collect();
    let error = |shape: CurveShape| -> f64 {
        let off = |left: usize| {
            let rest = |values: &[f64]| -> Vec<f64> {
                let kept = values.iter().enumerate().filter(|(i, _)| *i != left);
                kept.map(|(_, value)| *value).collect()
            };
            let curve = Curve::fit(shape, &rest(&logs), &rest(means), &rest(weights));
            weights[left] * (curve.at(logs[left]) - means[left]).powi(2)
        };
        (0..logs.len()).map(off).sum()
    };
    let (monotone, quadratic) = (error(CurveShape::Monotone), error(CurveShape::Quadratic));
    Some(if quadratic < monotone { CurveShape::Quadratic } else { CurveShape::Monotone })
}

/// The share at which the curve is highest within the axis.
pub(crate) fn optimum(shape: CurveShape, shares: &[f64], means: &[f64], weights: &[f64]) -> f64 {
    let logs: Vec<f64> = shares.iter().map(|share| share.ln()).collect();
    Curve::fit(shape, &logs, means, weights).highest().exp()
}

enum Curve {
    /// Places and levels, ascending in place; straight lines between them.
    Steps(Vec<(f64, f64)>),
    /// Coefficients of 1, x and x², and the ends of the axis.
    Square([f64; 3], [f64; 2]),
}

impl Curve {
    fn fit(shape: CurveShape, logs: &[f64], means: &[f64], weights: &[f64]) -> Self {
        match shape {
            CurveShape::Quadratic => {
                Self::Square(quadratic(logs, means, weights), [logs[0], logs[logs.len() - 1]])
            }
            CurveShape::Monotone => {
                let rising = isotonic(means, weights);
                let negative: Vec<f64> = means.iter().map(|mean| -mean).collect();
                let falling = isotonic(&negative, weights);
                let off = |fit: &[f64], of: &[f64]| -> f64 {
                    let terms = fit.iter().zip(of).zip(weights);
                    terms.map(|((fit, mean), weight)| weight * (fit - mean).powi(2)).sum()
                };
                let falls = off(&falling, &negative) < off(&rising, means);
                let levels = if falls { falling.iter().map(|y| -y).collect() } else { rising };
                Self::Steps(logs.iter().copied().zip(levels).collect())
            }
        }
    }

    fn at(&self, x: f64) -> f64 {
        match self {
            Self::Square([a, b, c], _) => a + x * (b + x * c),
            Self::Steps(steps) => {
                let after = steps.partition_point(|(place, _)| *place < x);
                if after == 0 {
                    return steps[0].1;
                }
                let Some(&(right, high)) = steps.get(after) else { return steps[after - 1].1 };
                let (left, low) = steps[after - 1];
                low + (high - low) * (x - left) / (right - left)
            }
        }
    }

    /// Where it is highest; the least place of several.
    fn highest(&self) -> f64 {
        match self {
            Self::Square([_, b, c], [first, last]) => {
                if *c < 0.0 {
                    (-b / (2.0 * c)).clamp(*first, *last)
                } else if self.at(*last) > self.at(*first) {
                    *last
                } else {
                    *first
                }
            }
            Self::Steps(steps) => {
                let first = |best: (f64, f64), step: &(f64, f64)| {
                    if step.1 > best.1 { *step } else { best }
                };
                steps.iter().fold(steps[0], first).0
            }
        }
    }
}

/// Weighted least squares of a parabola.
fn quadratic(x: &[f64], y: &[f64], weights: &[f64]) -> [f64; 3] {
    let middle = x.iter().sum::<f64>() / x.len() as f64;
    let mut rows = [[0.0; 4]; 3];
    for ((x, y), weight) in x.iter().zip(y).zip(weights) {
        let powers = [1.0, x - middle, (x - middle).powi(2)];
        for (row, power) in rows.iter_mut().zip(powers) {
            for (cell, other) in row.iter_mut().zip([powers[0], powers[1], powers[2], *y]) {
                *cell += weight * power * other;
            }
        }
    }
    // Elimination without pivots: the matrix is positive definite for three places or more.
    for i in 0..3 {
        let pivot = rows[i];
        for (j, row) in rows.iter_mut().enumerate() {
            if j != i {
                let factor = row[i] / pivot[i];
                for (cell, other) in row.iter_mut().zip(pivot) {
                    *cell -= factor * other;
                }
            }
        }
    }
    let [a, b, c] = [0, 1, 2].map(|i| rows[i][3] / rows[i][i]);
    [a - b * middle + c * middle * middle, b - 2.0 * c * middle, c]
}

/// Isotonic regression: the nearest values that never fall.
///
/// # Source
///
/// Pool adjacent violators: Ayer et al., An empirical distribution function for sampling with
/// incomplete information, Annals of Mathematical Statistics 26 (1955).
fn isotonic(y: &[f64], weights: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (&y, &weight) in y.iter().zip(weights) {
        let mut pool = (y, weight, 1);
        while let Some(&(level, before, count)) = pools.last() {
            if level <= pool.0 {
                break;
            }
            let both = before + pool.1;
            pool = ((level * before + pool.0 * pool.1) / both, both, count + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    pools.into_iter().flat_map(|(level, _, count)| std::iter::repeat_n(level, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: [f64; 5] = [0.025, 0.05, 0.1, 0.2, 0.4];

    fn parabola(top: f64) -> Vec<f64> {
        SHARES.iter().map(|share| 1.0 - (share / top).ln().powi(2)).collect()
    }

    #[test]
    fn the_top_of_a_parabola_is_found_between_arms() {
        let (means, weights) = (parabola(0.15), [1.0; 5]);
        assert_eq!(shape(&SHARES, &means, &weights), Some(CurveShape::Quadratic));
        let top = optimum(CurveShape::Quadratic, &SHARES, &means, &weights);
        assert!((top - 0.15).abs() < 1e-9, "{top}");
    }

    #[test]
    fn a_top_beyond_the_axis_is_at_its_end() {
        let top = optimum(CurveShape::Quadratic, &SHARES, &parabola(3.0), &[1.0; 5]);
        assert!((top - 0.4).abs() < 1e-12, "{top}");
    }

    #[test]
    fn a_curve_that_levels_off_is_monotone() {
        let means = [0.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(shape(&SHARES, &means, &[1.0; 5]), Some(CurveShape::Monotone));
        assert!((optimum(CurveShape::Monotone, &SHARES, &means, &[1.0; 5]) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn pools_are_weighted_means() {
        assert_eq!(isotonic(&[1.0, 3.0, 0.0, 5.0], &[1.0, 1.0, 2.0, 1.0]), [1.0, 1.0, 1.0, 5.0]);
    }
}

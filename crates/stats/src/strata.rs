//! Strata of items, and the moments of their mean difference.

/// Items whose differences are averaged: those of a source or of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Stratum {
    /// Its weight in the mean of all strata. Weights need not sum to 1.
    pub weight: f64,
    /// Branch − control, `[replicates][items]`. Every replicate has the same items.
    pub differences: Vec<Vec<f64>>,
    /// Degrees of freedom of the variance between items: their number less one where all weigh
    /// the same, fewer where a few weigh most.
    pub freedom: f64,
}

impl Stratum {
    /// Items with one score each, for example 1 for a correct answer.
    ///
    /// - `branch`, `control`: `[replicates][items]`.
    ///
    /// # Source
    ///
    /// Differences of paired observations: the branch and the control of a replicate share data
    /// order and items.
    pub fn scores(weight: f64, branch: &[Vec<f64>], control: &[Vec<f64>]) -> Self {
        let minus = |(b, c): (&Vec<f64>, &Vec<f64>)| b.iter().zip(c).map(|(b, c)| b - c).collect();
        Self::alike(weight, branch.iter().zip(control).map(minus).collect())
    }

    /// Items that weigh the same, by their differences: `[replicates][items]`.
    pub fn alike(weight: f64, differences: Vec<Vec<f64>>) -> Self {
        let freedom = differences.first().map_or(0.0, |items| items.len() as f64 - 1.0);
        Self { weight, differences, freedom }
    }

    /// Items whose measure is a ratio of sums, for example bits per byte.
    ///
    /// The mean over items is exactly the difference D of the ratios, in every replicate. With b
    /// the share of an item in all denominators and n items, an item's value is
    /// D + n·b·(d − D)·k: d is the difference of its own ratio, and k makes the variance between
    /// items unbiased. Long items draw D to themselves, so they deviate too little from it.
    ///
    /// - `branch`, `control`: numerators, `[replicates][items]`; `base`: denominators of the items.
    ///
    /// # Source
    ///
    /// The ratio estimator: Cochran, Sampling Techniques (1977), section 6.3. Unbiased residuals
    /// and degrees of freedom where items weigh differently: Bell & `McCaffrey`, Bias reduction in
    /// standard errors for linear regression with multi-stage samples, Survey Methodology 28
    /// (2002), for items that are alike but for their weights.
    pub fn ratios(weight: f64, branch: &[Vec<f64>], control: &[Vec<f64>], base: &[f64]) -> Self {
        let all: f64 = base.iter().sum();
        let n = base.len() as f64;
        let shares: Vec<f64> = base.iter().map(|base| base / all).collect();
        let squares = shares.iter().map(|share| share * share).sum::<f64>();
        // The variance of an item's deviation from D, in units of the variance of items.
        let deviates = |share: f64| 1.0 - 2.0 * share + squares;
        let unbiased = |share: f64| ((1.0 - 1.0 / n) / deviates(share)).sqrt();
        let of = |(b, c): (&Vec<f64>, &Vec<f64>)| -> Vec<f64> {
            let change: Vec<f64> = b.iter().zip(c).map(|(b, c)| b - c).collect();
            let ratio = change.iter().sum::<f64>() / all;
            let item = |(change, share): (&f64, &f64)| {
                let deviation = change / all - ratio * share;
                if deviation == 0.0 { 0.0 } else { n * deviation * unbiased(*share) }
            };
            let items: Vec<f64> = change.iter().zip(&shares).map(item).collect();
            let mean = items.iter().sum::<f64>() / n;
            items.iter().map(|item| ratio + item - mean).collect()
        };
        let differences = branch.iter().zip(control).map(of).collect();
        // Kish's effective number knows a mean; it knows a variance less well.
        let effective = 1.0 / squares;
        let freedom = (effective * (effective / n).powf(0.25) - 1.0).max(1e-9);
        Self { weight, differences, freedom }
    }

    fn replicates(&self) -> usize {
        self.differences.len()
    }

    fn items(&self) -> usize {
        self.differences.first().map_or(0, Vec::len)
    }
}

/// The same differences with the other sign: control − branch.
pub(crate) fn negative(strata: &[Stratum]) -> Vec<Stratum> {
    let mut strata = strata.to_vec();
    for item in strata.iter_mut().flat_map(|s| s.differences.iter_mut().flatten()) {
        *item = -*item;
    }
    strata
}

/// Moments of a weighted mean over strata.
pub(crate) struct Moments {
    pub(crate) mean: f64,
    /// The mean of each replicate.
    pub(crate) levels: Vec<f64>,
    /// Variance of the mean between replicates. It includes the noise of a replicate on an item.
    pub(crate) replicate: f64,
    /// Variance of the mean between items, without that noise.
    pub(crate) item: f64,
    /// Degrees of freedom of the item part.
    pub(crate) item_freedom: f64,
    /// That, as a share of what it would be if all items weighed the same; 1 if they do.
    pub(crate) evenness: f64,
    /// Contribution of each item to the deviation of the mean, per stratum; the sum is zero in
    /// each.
    pub(crate) shifts: Vec<Vec<f64>>,
}

/// Moments of at least two replicates.
///
/// # Source
///
/// Two crossed random effects: variance between replicates plus variance between items counts their
/// interaction twice, so it is subtracted once; Cameron, Gelbach & Miller, Robust inference with
/// multiway clustering, Journal of Business & Economic Statistics 29 (2011).
pub(crate) fn moments(strata: &[Stratum]) -> Moments {
    let weights: f64 = strata.iter().map(|stratum| stratum.weight).sum();
    let replicates = strata[0].replicates();
    let r = replicates as f64;
    let mut levels = vec![0.0; replicates];
    let (mut apparent, mut interaction, mut freedom, mut even) = (0.0, 0.0, 0.0, 0.0);
    let mut shifts = Vec::with_capacity(strata.len());
    for stratum in strata {
        let (items, share) = (stratum.items(), stratum.weight / weights);
        assert!(items > 0 && stratum.replicates() == replicates, "strata are whole");
        let n = items as f64;
        let means: Vec<f64> =
            stratum.differences.iter().map(|items| items.iter().sum::<f64>() / n).collect();
        let mean = means.iter().sum::<f64>() / r;
        let mut shift = vec![0.0; items];
        for differences in &stratum.differences {
            assert_eq!(differences.len(), items, "replicates are scored on the same items");
            for (shift, difference) in shift.iter_mut().zip(differences) {
                *shift += difference / r;
            }
        }
        for shift in &mut shift {
            *shift -= mean;
        }
        let mut residual = 0.0;
        for (differences, level) in stratum.differences.iter().zip(&means) {
            let pairs = differences.iter().zip(&shift);
            residual += pairs.map(|(d, shift)| (d - level - shift).powi(2)).sum::<f64>();
        }
        for (level, mean) in levels.iter_mut().zip(&means) {
            *level += share * mean;
        }
        if items > 1 {
            // Unbiased: a sample varies less than the population it is drawn from.
            let wide = share / n * (n / (n - 1.0)).sqrt();
            let own = share * share / (n * (n - 1.0));
            let variance = own * shift.iter().map(|shift| shift * shift).sum::<f64>();
            apparent += variance;
            freedom += variance * variance / stratum.freedom;
            even += variance * variance / (n - 1.0);
            interaction += own * residual / (r * (r - 1.0));
            for shift in &mut shift {
                *shift *= wide;
            }
        } else {
            shift[0] = 0.0;
        }
        shifts.push(shift);
    }
    let mean = levels.iter().sum::<f64>() / r;
    let squares: f64 = levels.iter().map(|level| (level - mean).powi(2)).sum();
    let mut replicate = squares / (r * (r - 1.0));
    if replicate <= f64::EPSILON * mean * mean {
        // Replicates can agree by chance, for example in counts of correct answers; the noise per
        // item is then a lower bound.
        replicate = interaction;
    }
    let left = if apparent > 0.0 { (1.0 - interaction / apparent).max(0.0) } else { 0.0 };
    for shift in shifts.iter_mut().flatten() {
        *shift *= left.sqrt();
    }
    Moments {
        mean,
        levels,
        replicate,
        item: apparent * left,
        evenness: if freedom > 0.0 { even / freedom } else { 1.0 },
        item_freedom: if freedom > 0.0 { apparent * apparent / freedom } else { f64::INFINITY },
        shifts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicates_and_items_add_up_and_their_interaction_counts_once() {
        // Two replicates, three items: levels 0 and 2; items −1, 0, 1; interaction ±0.5.
        let differences = vec![vec![-1.0, 0.5, 0.5], vec![1.0, 1.5, 3.5]];
        let found = moments(&[Stratum::alike(2.0, differences)]);
        assert!((found.mean - 1.0).abs() < 1e-15);
        // (1 + 1) / (2 · 1).
        assert!((found.replicate - 1.0).abs() < 1e-15);
        // Item means 0, 1, 2: variance 1, of the mean 1/3; residuals 0, ∓0.5, ±0.5 sum to 1, their
        // mean square is 1/2, of the mean 1/12.
        assert!((found.item - (1.0 / 3.0 - 1.0 / 12.0)).abs() < 1e-15, "{}", found.item);
        let squares: f64 = found.shifts.iter().flatten().map(|shift| shift * shift).sum();
        assert!((squares - found.item).abs() < 1e-15, "shifts have the item part's variance");
        assert!((found.item_freedom - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_ratio_is_kept_exactly_and_long_items_weigh_more() {
        let branch = [vec![10.0, 30.0], vec![12.0, 34.0]];
        let control = [vec![11.0, 33.0], vec![12.0, 36.0]];
        let stratum = Stratum::ratios(1.0, &branch, &control, &[10.0, 30.0]);
        let means = stratum.differences.iter().map(|items| items.iter().sum::<f64>() / 2.0);
        for (found, expected) in means.zip([-4.0 / 40.0, -2.0 / 40.0]) {
            assert!((found - expected).abs() < 1e-15);
        }
        // Replicate 0: both items changed by a tenth of their base, so no item stands out.
        assert!((stratum.differences[0][0] - stratum.differences[0][1]).abs() < 1e-15);
    }

    #[test]
    fn agreeing_replicates_keep_the_noise_of_their_items() {
        // Both replicates lost one item of four, but not the same one.
        let differences = vec![vec![-1.0, 0.0, 0.0, 0.0], vec![0.0, -1.0, 0.0, 0.0]];
        let found = moments(&[Stratum::alike(1.0, differences)]);
        assert!(found.replicate > 0.0);
    }
}

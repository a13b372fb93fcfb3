//! Several means over the same replicates and items, drawn together.
//!
//! Arms of a question share replicates (the same data orders) and items (the same held-out text),
//! so their errors go together. Which of them is best is a question about all of them at once.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use crate::Numbered;
use crate::effect::widened;
use crate::strata::{Moments, moments};

/// The joint distribution of several means.
pub(crate) struct Joint {
    means: Vec<f64>,
    /// Per mean, its deviation in each replicate as a part of the standard error.
    replicates: Vec<Vec<f64>>,
    /// Lower triangle of the items' covariance.
    items: Vec<Vec<f64>>,
    freedom: f64,
}

impl Joint {
    /// Of means over strata; all have as many replicates, at least two.
    ///
    /// # Source
    ///
    /// Replicates: a multivariate t with the covariance of the replicates' means, as the posterior
    /// of a multivariate normal has it; Box & Tiao, Bayesian Inference in Statistical Analysis
    /// (1973), section 8.4. Items: normal with the covariance that their bootstrap has.
    pub(crate) fn new(means: &[&[Numbered]], confidence: f64) -> Self {
        let strata = |of: &&[Numbered]| of.iter().map(|(_, s)| s.clone()).collect::<Vec<_>>();
        let all: Vec<Moments> = means.iter().map(|of| moments(&strata(of))).collect();
        let count = all[0].levels.len() as f64;
        let deviations = |of: &Moments| -> Vec<f64> {
            let scale = (count * (count - 1.0)).sqrt();
            let own: Vec<f64> = of.levels.iter().map(|level| (level - of.mean) / scale).collect();
            // Where replicates agree by chance the noise on items is a lower bound: see `moments`.
            let seen: f64 = own.iter().map(|x| x * x).sum();
            if seen >= of.replicate * 0.5 {
                own
            } else {
                vec![(of.replicate / count).sqrt(); own.len()]
            }
        };
        let shifts: Vec<Vec<Vec<f64>>> = all
            .iter()
            .map(|of| {
                let wide = widened(of, confidence);
                let scaled = |shift: &Vec<f64>| shift.iter().map(|x| x * wide).collect();
                of.shifts.iter().map(scaled).collect()
            })
            .collect();
        let covariance = |one: usize, other: usize| -> f64 {
            let mut sum = 0.0;
            for ((number, _), left) in means[one].iter().zip(&shifts[one]) {
                for ((same, _), right) in means[other].iter().zip(&shifts[other]) {
                    if number == same {
                        sum += left.iter().zip(right).map(|(l, r)| l * r).sum::<f64>();
                    }
                }
            }
            sum
        };
        Self {
            means: all.iter().map(|of| of.mean).collect(),
            replicates: all.iter().map(deviations).collect(),
            items: triangle(means.len(), covariance),
            freedom: count - 1.0,
        }
    }

    /// The means themselves.
    pub(crate) fn means(&self) -> &[f64] {
        &self.means
    }

    /// The variance of some means around their common mean: what they share is left out.
    pub(crate) fn apart(&self, places: &[usize]) -> Vec<f64> {
        let count = places.len() as f64;
        let of = |row: &[Vec<f64>]| -> Vec<f64> {
            let wide = places.iter().map(|&place| row[place].len()).max().unwrap_or(0);
            let factor = |place: usize, column: usize| row[place].get(column).unwrap_or(&0.0);
            let square = |place: usize, column: usize| {
                let common = places.iter().map(|&other| factor(other, column)).sum::<f64>() / count;
                (factor(place, column) - common).powi(2)
            };
            let sum = |&place: &usize| (0..wide).map(|column| square(place, column)).sum();
            places.iter().map(sum).collect()
        };
        of(&self.replicates).iter().zip(of(&self.items)).map(|(one, other)| one + other).collect()
    }

    /// `[draws][means]`.
    pub(crate) fn draws(&self, draws: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let normal = Normal::standard();
        let chi = ChiSquared::new(self.freedom).expect("there are two replicates or more");
        let mut uniform = move || (f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0;
        let sum =
            |factors: &[f64], z: &[f64]| factors.iter().zip(z).map(|(f, z)| f * z).sum::<f64>();
        let mut draw = || -> Vec<f64> {
            let wide = (self.freedom / chi.inverse_cdf(uniform())).sqrt();
            let mut deviates =
                |n: usize| (0..n).map(|_| normal.inverse_cdf(uniform())).collect::<Vec<f64>>();
            let (replicates, items) =
                (deviates(self.replicates[0].len()), deviates(self.means.len()));
            let of = |place: usize| {
                self.means[place]
                    + wide * sum(&self.replicates[place], &replicates)
                    + sum(&self.items[place], &items)
            };
            (0..self.means.len()).map(of).collect()
        };
        (0..draws).map(|_| draw()).collect()
    }
}

/// The interval that holds draws with probability `confidence`, as much below as above it.
pub(crate) fn interval(mut draws: Vec<f64>, confidence: f64) -> [f64; 2] {
    draws.sort_by(f64::total_cmp);
    let count = draws.len();
    let quantile = |q: f64| draws[((q * count as f64) as usize).min(count - 1)];
    let tail = (1.0 - confidence) / 2.0;
    [quantile(tail), quantile(1.0 - tail)]
}

/// The Cholesky factor of a covariance that may be singular: a mean that does not vary beyond the
/// others adds no column.
fn triangle(n: usize, covariance: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(n);
    for i in 0..n {
        let mut row: Vec<f64> = Vec::with_capacity(i + 1);
        for (j, before) in rows.iter().enumerate() {
            let known: f64 = row.iter().zip(before).map(|(a, b)| a * b).sum();
            let pivot = before[j];
            row.push(if pivot > 0.0 { (covariance(i, j) - known) / pivot } else { 0.0 });
        }
        let own = covariance(i, i);
        let left = own - row.iter().map(|x| x * x).sum::<f64>();
        row.push(if left > 1e-12 * own { left.sqrt() } else { 0.0 });
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stratum;

    /// Two arms over the same replicates and items; the second is the first and a bit.
    fn pair() -> Vec<Vec<Numbered>> {
        let item = |r: usize, i: usize| 0.3 * r as f64 + ((i * 7 + r) % 11) as f64 / 5.0;
        let of = |more: f64| {
            let items = |r: usize| (0..40).map(|i| item(r, i) + more).collect();
            vec![(3, Stratum::alike(2.0, (0..4).map(items).collect()))]
        };
        vec![of(0.0), of(0.01)]
    }

    #[test]
    fn arms_that_share_their_noise_keep_their_order_in_every_draw() {
        let pair = pair();
        let means: Vec<&[Numbered]> = pair.iter().map(Vec::as_slice).collect();
        let draws = Joint::new(&means, 0.95).draws(500, 1);
        assert!(draws.iter().all(|draw| (draw[1] - draw[0] - 0.01).abs() < 1e-9));
        // By themselves they vary far more than they differ.
        let spread = draws.iter().map(|draw| (draw[0] - draws[0][0]).abs()).fold(0.0, f64::max);
        assert!(spread > 0.1, "{spread}");
    }

    #[test]
    fn one_mean_has_the_interval_of_its_effect() {
        let pair = pair();
        let strata: Vec<Stratum> = pair[0].iter().map(|(_, stratum)| stratum.clone()).collect();
        let effect = crate::Resampling::new(1).effect(&strata, 0.95).unwrap();
        let mut draws: Vec<f64> =
            Joint::new(&[&pair[0]], 0.95).draws(20_000, 2).iter().map(|draw| draw[0]).collect();
        draws.sort_by(f64::total_cmp);
        let (low, high) = (draws[500], draws[19_500]);
        let wide = effect.high - effect.low;
        // The interval of an effect is corrected for covering too much, these draws are not.
        assert!((low - effect.low).abs() < 0.12 * wide, "{low} {effect:?}");
        assert!((high - effect.high).abs() < 0.12 * wide, "{high} {effect:?}");
    }
}

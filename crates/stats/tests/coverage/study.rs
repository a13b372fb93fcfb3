//! Simulated studies with known effects, and how often intervals and tests are right about them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sparkjoy_stats::{Resampling, Stratum, holm};
use statrs::distribution::{ContinuousCDF, Normal};

/// The confidence level under test.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// Draws of the bootstraps that are shown for comparison.
const RESAMPLES: usize = 400;

/// Distribution of the item effects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Items {
    /// Normal.
    Normal,
    /// Exponential: skewness 2, a few items far out.
    Skewed,
    /// Correct or wrong answers of a task: differences are −1, 0 or 1.
    Answers,
    /// Documents of very different length (log-normal, σ = 1), whose measure is a ratio.
    Documents,
}

/// Parameters of a simulated study. Noise is in units of the noise of replicates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    /// Its name in tables.
    pub name: &'static str,
    /// Sources or tasks.
    pub strata: usize,
    /// Items in each.
    pub items: usize,
    /// Standard deviation of a replicate's level, branch and control.
    pub replicate: [f64; 2],
    /// Standard deviation of items.
    pub item: f64,
    /// Standard deviation of a replicate on an item of its own.
    pub interaction: f64,
    /// Distribution of the item effects.
    pub shape: Items,
}

/// Normal and other deviates.
pub(crate) struct Noise(ChaCha8Rng);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn uniform(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    fn normal(&mut self) -> f64 {
        // Box and Muller's: the quantile function would take longer than the statistics.
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

impl Condition {
    /// Differences between `arms` branches and one control they share, and the true difference.
    pub(crate) fn study(
        &self,
        replicates: usize,
        arms: usize,
        noise: &mut Noise,
    ) -> Vec<Vec<Stratum>> {
        let control: Vec<f64> = (0..replicates).map(|_| noise.normal()).collect();
        let arm = |noise: &mut Noise| {
            let branch: Vec<f64> = (0..replicates).map(|_| noise.normal()).collect();
            let level = |r: usize| self.replicate[0] * branch[r] - self.replicate[1] * control[r];
            let stratum = |noise: &mut Noise| {
                let items: Vec<f64> = (0..self.items).map(|_| self.deviate(noise)).collect();
                let differences: Vec<Vec<f64>> = (0..replicates)
                    .map(|r| items.iter().map(|item| self.item(level(r), *item, noise)).collect())
                    .collect();
                match self.shape {
                    Items::Documents => of_documents(&differences, noise),
                    _ => Stratum::alike(1.0, differences),
                }
            };
            (0..self.strata).map(|_| stratum(noise)).collect()
        };
        (0..arms).map(|_| arm(noise)).collect()
    }

    fn deviate(&self, noise: &mut Noise) -> f64 {
        match self.shape {
            Items::Normal | Items::Documents => self.item * noise.normal(),
            Items::Skewed => self.item * (-noise.uniform().ln() - 1.0),
            Items::Answers => noise.normal(),
        }
    }

    /// The difference of one replicate on one item; its mean over replicates and items is zero.
    fn item(&self, level: f64, item: f64, noise: &mut Noise) -> f64 {
        match self.shape {
            Items::Normal | Items::Skewed | Items::Documents => {
                level + item + self.interaction * noise.normal()
            }
            Items::Answers => {
                // Both are correct with the same probability, which depends on the item.
                let right = |noise: &mut Noise, level: f64| {
                    f64::from(u8::from(item + level + self.interaction * noise.normal() > 0.0))
                };
                right(noise, level) - right(noise, 0.0)
            }
        }
    }
}

/// Differences of documents as bits over bytes.
fn of_documents(differences: &[Vec<f64>], noise: &mut Noise) -> Stratum {
    let bytes: Vec<f64> = differences[0].iter().map(|_| noise.normal().exp()).collect();
    let bits = |items: &Vec<f64>| items.iter().zip(&bytes).map(|(d, b)| d * b).collect();
    let branch: Vec<Vec<f64>> = differences.iter().map(bits).collect();
    let control = vec![vec![0.0; bytes.len()]; branch.len()];
    Stratum::ratios(1.0, &branch, &control, &bytes)
}

/// Coverage of 95 % intervals over some studies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Coverage {
    /// Coverage of our interval.
    pub percentile: f64,
    /// Share of studies with p above 5 %.
    pub p: f64,
    /// Coverage of a bootstrap of the replicates, percentile interval.
    pub naive: f64,
    /// Coverage of a bootstrap of the replicates, BCa interval.
    pub naive_bca: f64,
    /// Coverage of a bootstrap of replicates and items, percentile interval; 0 unless computed.
    pub naive_both: f64,
}

/// Studies with one comparison whose true difference is zero.
pub(crate) fn coverage(
    condition: Condition,
    replicates: usize,
    studies: usize,
    both: bool,
) -> Coverage {
    let mut noise = Noise::new(1000 + replicates as u64);
    let mut resampling = Resampling::new(replicates as u64);
    let mut found = Coverage::default();
    let count = |held: &mut f64, [low, high]: [f64; 2]| {
        if low <= 0.0 && 0.0 <= high {
            *held += 1.0 / studies as f64;
        }
    };
    for _ in 0..studies {
        let strata = condition.study(replicates, 1, &mut noise).remove(0);
        let effect = resampling.effect(&strata, CONFIDENCE).expect("two replicates");
        count(&mut found.percentile, [effect.low, effect.high]);
        count(&mut found.p, if effect.p > 1.0 - CONFIDENCE { [0.0; 2] } else { [1.0; 2] });
        let [plain, bca] = naive(&strata, &mut noise);
        count(&mut found.naive, plain);
        count(&mut found.naive_bca, bca);
        if both {
            count(&mut found.naive_both, hierarchical(&strata, &mut noise));
        }
    }
    found
}

/// The share of questions under the global null with at least one significant comparison.
pub(crate) fn false_positives(
    condition: Condition,
    replicates: usize,
    comparisons: usize,
    questions: usize,
) -> f64 {
    let mut noise = Noise::new(2000 + replicates as u64);
    let mut resampling = Resampling::new(replicates as u64);
    let mut wrong = || {
        let arms = condition.study(replicates, comparisons, &mut noise);
        let p = |arm| resampling.effect(arm, CONFIDENCE).expect("two replicates").p;
        let p: Vec<f64> = arms.iter().map(Vec::as_slice).map(p).collect();
        holm(&p).iter().any(|p| *p <= 1.0 - CONFIDENCE)
    };
    let wrong = (0..questions).filter(|_| wrong()).count();
    wrong as f64 / questions as f64
}

/// The mean of every replicate.
fn levels(strata: &[Stratum]) -> Vec<f64> {
    let replicates = strata[0].differences.len();
    let mean = |items: &[f64]| items.iter().sum::<f64>() / items.len() as f64;
    let level = |r: usize| {
        strata.iter().map(|s| mean(&s.differences[r])).sum::<f64>() / strata.len() as f64
    };
    (0..replicates).map(level).collect()
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    sorted[below] * (1.0 - part) + sorted[(below + 1).min(sorted.len() - 1)] * part
}

/// Bootstrap intervals of the replicates: percentile and BCa.
fn naive(strata: &[Stratum], noise: &mut Noise) -> [[f64; 2]; 2] {
    let levels = levels(strata);
    let r = levels.len();
    let mut resample = || (0..r).map(|_| levels[noise.below(r)]).sum::<f64>() / r as f64;
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| resample()).collect();
    means.sort_unstable_by(f64::total_cmp);
    let mean = levels.iter().sum::<f64>() / r as f64;
    let normal = Normal::standard();
    let below = means.iter().filter(|m| **m < mean).count() as f64;
    let ties = means.iter().filter(|m| (**m - mean).abs() < 1e-15).count() as f64;
    let bias = normal.inverse_cdf((below + ties / 2.0) / RESAMPLES as f64);
    let jackknife = levels.iter().map(|level| (level - mean) / (r as f64 - 1.0));
    let (mut squares, mut cubes) = (0.0, 0.0);
    for influence in jackknife {
        squares += influence * influence;
        cubes += influence.powi(3);
    }
    let acceleration = cubes / (6.0 * squares.powf(1.5));
    let corrected = |tail: f64| {
        let z = bias + normal.inverse_cdf(tail);
        quantile(&means, normal.cdf(bias + z / (1.0 - acceleration * z)))
    };
    let tail = (1.0 - CONFIDENCE) / 2.0;
    let plain = [quantile(&means, tail), quantile(&means, 1.0 - tail)];
    [plain, [corrected(tail), corrected(1.0 - tail)]]
}

/// Bootstrap interval of replicates and items: percentile.
fn hierarchical(strata: &[Stratum], noise: &mut Noise) -> [f64; 2] {
    let replicates = strata[0].differences.len();
    let mut draw = || {
        let drawn: Vec<usize> = (0..replicates).map(|_| noise.below(replicates)).collect();
        let mut sum = 0.0;
        for stratum in strata {
            let n = stratum.differences[0].len();
            for _ in 0..n {
                let item = noise.below(n);
                let values = drawn.iter().map(|&r| stratum.differences[r][item]);
                sum += values.sum::<f64>() / (n * replicates * strata.len()) as f64;
            }
        }
        sum
    };
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    [quantile(&means, tail), quantile(&means, 1.0 - tail)]
}

const fn condition(name: &'static str, strata: usize, items: usize) -> Condition {
    let (replicate, shape) = ([0.7, 0.7], Items::Normal);
    Condition { name, strata, items, replicate, item: 0.0, interaction: 0.0, shape }
}

/// Documents that differ more than replicates do, and are of very different length.
const fn documents(name: &'static str, count: usize) -> Condition {
    let (item, interaction, shape) = (6.0, 4.0, Items::Documents);
    Condition { item, interaction, shape, ..condition(name, 1, count) }
}

/// The simulated conditions.
pub(crate) const CONDITIONS: [Condition; 13] = [
    condition("replicates only", 1, 50),
    Condition { interaction: 5.0, ..condition("replicates, noise per item", 4, 50) },
    Condition { item: 4.0, interaction: 4.0, ..condition("items matter, 50", 1, 50) },
    Condition { item: 10.0, interaction: 4.0, ..condition("items matter more, 4 × 50", 4, 50) },
    Condition { item: 20.0, interaction: 4.0, ..condition("items matter most, 50", 1, 50) },
    Condition { item: 3.0, interaction: 3.0, ..condition("few items, 12", 1, 12) },
    Condition { item: 20.0, interaction: 5.0, ..condition("many items, 1,000", 1, 1_000) },
    Condition {
        item: 6.0,
        interaction: 4.0,
        shape: Items::Skewed,
        ..condition("skewed items, 2 × 40", 2, 40)
    },
    Condition {
        replicate: [1.0, 0.3],
        item: 5.0,
        interaction: 3.0,
        ..condition("branches noisier than control", 2, 50)
    },
    Condition {
        replicate: [0.1, 0.1],
        interaction: 0.5,
        shape: Items::Answers,
        ..condition("answers of a task, 300", 1, 300)
    },
    documents("documents, 8", 8),
    documents("documents, 15", 15),
    documents("documents, 36", 36),
];

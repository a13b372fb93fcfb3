//! A distribution of possible differences: draws of items, each blurred by the replicates.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::strata::Moments;

/// Draws of the items.
const DRAWS: usize = 2_000;
/// Draws that lie together in order are one node.
const NODES: usize = 100;
/// Items of a stratum that are drawn one by one. Where there are more, they are drawn in this many
/// groups, which leaves mean, variance and skewness as they are.
const GROUPS: usize = 500;
/// Rows between the first draws of one stratum and the next; coprime to [`DRAWS`].
const STRIDE: usize = 797;
/// Share of the items' variance that blurs the draws, so that no tail ends at the farthest draw.
const BLUR: f64 = 0.01;

/// Nodes of equal weight, each the centre of a scaled Student's t.
pub(crate) struct Blend {
    /// Ascending.
    nodes: Vec<f64>,
    /// Of each t.
    scale: f64,
    kernel: Kernel,
}

impl Blend {
    /// The difference given moments: items resampled, replicates as Student's t.
    ///
    /// None where nothing varies. `widened`: factor on what items move the mean by.
    pub(crate) fn new(moments: &Moments, widened: f64, draws: &mut Draws) -> Option<Self> {
        let item = moments.item * widened * widened;
        let scale = (moments.replicate + BLUR * item).sqrt();
        if scale == 0.0 {
            return None;
        }
        let factor = widened * (1.0 - BLUR).sqrt();
        let mut draws = draws.sums(&moments.shifts);
        draws.sort_unstable_by(f64::total_cmp);
        let together = draws.chunks(DRAWS / NODES);
        let node =
            |draws: &[f64]| moments.mean + factor * draws.iter().sum::<f64>() / draws.len() as f64;
        let kernel = Kernel { freedom: moments.replicates as u32 - 1 };
        Some(Self { nodes: together.map(node).collect(), scale, kernel })
    }

    /// The probability of at most `x`.
    pub(crate) fn below(&self, x: f64) -> f64 {
        let each = self.nodes.iter().map(|node| self.kernel.below((x - node) / self.scale));
        each.sum::<f64>() / self.nodes.len() as f64
    }

    /// The probability of at least `x`, exact where it is small.
    pub(crate) fn above(&self, x: f64) -> f64 {
        let each = self.nodes.iter().map(|node| self.kernel.below((node - x) / self.scale));
        each.sum::<f64>() / self.nodes.len() as f64
    }

    /// Where the probability of less is `q`.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let far = self.scale * self.kernel.quantile(q);
        let (mut low, mut high) = (self.nodes[0] + far, self.nodes[self.nodes.len() - 1] + far);
        let off = |x: f64| self.below(x) - q;
        let (mut at_low, mut at_high) = (off(low), off(high));
        // False position; an end that stays twice counts half (Illinois).
        let (precision, mut stayed) = (1e-9 * self.scale, 0);
        for _ in 0..100 {
            if high - low <= precision || at_low >= 0.0 || at_high <= 0.0 {
                break;
            }
            let x = low - at_low * (high - low) / (at_high - at_low);
            let at = off(x);
            if at < 0.0 {
                (low, at_low) = (x, at);
                at_high *= if stayed == 1 { 0.5 } else { 1.0 };
                stayed = 1;
            } else {
                (high, at_high) = (x, at);
                at_low *= if stayed == -1 { 0.5 } else { 1.0 };
                stayed = -1;
            }
            if at.abs() < 1e-12 {
                return x;
            }
        }
        if at_low >= 0.0 {
            low
        } else if at_high <= 0.0 {
            high
        } else {
            f64::midpoint(low, high)
        }
    }
}

/// Student's t with whole degrees of freedom, at least one.
struct Kernel {
    freedom: u32,
}

impl Kernel {
    /// The probability of at most `x`, within 1e-15.
    ///
    /// A blend asks for thousands of them; the general formula takes twenty times as long.
    ///
    /// # Source
    ///
    /// Abramowitz & Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4.
    fn below(&self, x: f64) -> f64 {
        let freedom = f64::from(self.freedom);
        let squares = freedom + x * x;
        let (sin, cos_squared) = (x / squares.sqrt(), freedom / squares);
        // Both series run over every second power of the cosine, below the degrees of freedom.
        let odd = self.freedom % 2 == 1;
        let (mut term, mut power) = if odd { (cos_squared.sqrt(), 1) } else { (1.0, 0) };
        let mut sum = 0.0;
        while power + 2 <= self.freedom {
            sum += term;
            term *= cos_squared * f64::from(power + 1) / f64::from(power + 2);
            power += 2;
        }
        let within = if odd {
            ((x / freedom.sqrt()).atan() + sin * sum) * std::f64::consts::FRAC_2_PI
        } else {
            sin * sum
        };
        (0.5 * (1.0 + within)).clamp(0.0, 1.0)
    }

    fn quantile(&self, q: f64) -> f64 {
        let t = StudentsT::new(0.0, 1.0, f64::from(self.freedom));
        t.expect("there are two replicates or more").inverse_cdf(q)
    }
}

/// Which items are drawn: the same for all strata of a size, so that drawing them costs once.
pub(crate) struct Draws {
    seed: u64,
    /// By items, at most [`GROUPS`]: draws × items, each an item.
    tables: BTreeMap<usize, Vec<u16>>,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, tables: BTreeMap::new() }
    }

    /// Sums of as many shifts as there are, drawn with replacement within each stratum.
    fn sums(&mut self, shifts: &[Vec<f64>]) -> Vec<f64> {
        let mut sums = vec![0.0; DRAWS];
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        for (place, shifts) in shifts.iter().enumerate() {
            let group = grouped(shifts, &mut random);
            let table = self.table(group.len());
            for (draw, sum) in sums.iter_mut().enumerate() {
                // Strata of one size start at different rows, and so are independent.
                let row = (draw + place * STRIDE) % DRAWS * group.len();
                let items = &table[row..row + group.len()];
                *sum += items.iter().map(|&item| group[usize::from(item)]).sum::<f64>();
            }
        }
        sums
    }

    fn table(&mut self, items: usize) -> &[u16] {
        self.tables.entry(items).or_insert_with(|| {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(items as u64);
            (0..DRAWS * items).map(|_| below(items, &mut random) as u16).collect()
        })
    }
}

/// The same deviation in fewer parts, where there are many.
fn grouped(shifts: &[f64], random: &mut ChaCha8Rng) -> Vec<f64> {
    if shifts.len() <= GROUPS {
        return shifts.to_vec();
    }
    // By chance: neighbours may be alike, and every n-th item too.
    let mut groups = vec![0.0; GROUPS];
    let mut order: Vec<usize> = (0..shifts.len()).collect();
    for place in 0..order.len() {
        let left = order.len() - place;
        order.swap(place, place + below(left, random));
        groups[place % GROUPS] += shifts[order[place]];
    }
    let squares = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let (whole, parts) = (squares(shifts), squares(&groups));
    if parts > 0.0 {
        for group in &mut groups {
            *group *= (whole / parts).sqrt();
        }
    }
    groups
}

/// A number below `n`.
fn below(n: usize, random: &mut ChaCha8Rng) -> usize {
    ((u64::from(random.next_u32()) * n as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_students_t() {
        for freedom in 1..40 {
            let exact = StudentsT::new(0.0, 1.0, f64::from(freedom)).unwrap();
            for x in [-1e6, -300.0, -12.7, -4.3, -1.0, -0.1, 0.0, 0.3, 2.0, 63.0] {
                let (found, expected) = (Kernel { freedom }.below(x), exact.cdf(x));
                assert!((found - expected).abs() < 1e-13, "{freedom}, {x}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn a_quantile_is_where_the_probability_is() {
        let shifts = vec![(0..60).map(|i| f64::from(i - 20) / 60.0).collect::<Vec<f64>>()];
        for replicate in [1e-8, 1e-3, 1.0, 1e3] {
            let moments = Moments {
                mean: 0.7,
                replicates: 3,
                replicate,
                item: 0.01,
                item_freedom: 59.0,
                skewness: 0.0,
                shifts: shifts.clone(),
            };
            let blend = Blend::new(&moments, 1.0, &mut Draws::new(1)).unwrap();
            for q in [1e-9, 0.001, 0.025, 0.5, 0.9, 0.999_999] {
                let below = blend.below(blend.quantile(q));
                assert!((below - q).abs() < 1e-6 * q.max(1e-6), "{replicate}, {q}: {below}");
            }
        }
    }

    #[test]
    fn groups_of_items_keep_spread_and_skewness() {
        // Ten thousand items, exponential by their quantiles, each moving the mean by 1/n.
        let n = 10_000_usize;
        let shift = |i: usize| (-(1.0 - (i as f64 + 0.5) / n as f64).ln() - 1.0) / n as f64;
        let mut shifts: Vec<f64> = (0..n).map(shift).collect();
        // Neighbours are alike: dealt out in turn, no two groups would differ.
        let mean = shifts.iter().sum::<f64>() / n as f64;
        for shift in &mut shifts {
            *shift -= mean;
        }
        let moment = |values: &[f64], k: i32| values.iter().map(|v| v.powi(k)).sum::<f64>();
        let (mut spread, mut skewness) = (0.0, 0.0);
        for seed in 0..20 {
            let draws = Draws::new(seed).sums(std::slice::from_ref(&shifts));
            let of_one = |k: i32| moment(&draws, k) / DRAWS as f64;
            spread += (of_one(2) / moment(&shifts, 2)).sqrt() / 20.0;
            skewness += of_one(3) / moment(&shifts, 2).powf(1.5) / 20.0;
        }
        assert!((spread - 1.0).abs() < 0.01, "{spread}");
        // The skewness of a sum of n is that of one over √n, 0.02; of 500 it would be 0.09.
        assert!((skewness - 0.02).abs() < 0.03, "{skewness}");
    }
}

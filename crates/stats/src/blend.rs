//! The distribution of a difference: bootstrap draws of the items, each convolved with Student's t
//! of the replicates.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::strata::Moments;

/// Bootstrap draws of the items.
const DRAWS: usize = 2_000;
/// Nodes of the mixture: neighbouring draws, after sorting, are averaged into one node.
const NODES: usize = 100;
/// The most items of a stratum that are drawn one by one. More items are first summed into this
/// many groups, which keeps mean, variance and, nearly, skewness.
const GROUPS: usize = 500;
/// Distance between the first rows of two strata in the table of draws; coprime to [`DRAWS`].
const STRIDE: usize = 797;
/// Share of the items' variance that is moved into the scale of each t, so that the tails do not
/// end at the farthest draw.
const BLUR: f64 = 0.01;

/// A mixture of scaled Student's t distributions with equal weights, one centred at each node.
pub(crate) struct Blend {
    /// Ascending.
    nodes: Vec<f64>,
    /// The scale of each t.
    scale: f64,
    t: StudentT,
}

impl Blend {
    /// The distribution of the difference with these moments. `None` where nothing varies.
    ///
    /// - `widened`: factor on the items' share of the standard error.
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
        let t = StudentT { freedom: moments.levels.len() as u32 - 1 };
        Some(Self { nodes: together.map(node).collect(), scale, t })
    }

    /// The probability of at most `x`.
    pub(crate) fn below(&self, x: f64) -> f64 {
        let each = self.nodes.iter().map(|node| self.t.below((x - node) / self.scale));
        each.sum::<f64>() / self.nodes.len() as f64
    }

    /// The probability of at least `x`, accurate also where it is small.
    pub(crate) fn above(&self, x: f64) -> f64 {
        let each = self.nodes.iter().map(|node| self.t.below((node - x) / self.scale));
        each.sum::<f64>() / self.nodes.len() as f64
    }

    /// The quantile `q`, by the Illinois variant of false position.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let far = self.scale * self.t.quantile(q);
        let (mut low, mut high) = (self.nodes[0] + far, self.nodes[self.nodes.len() - 1] + far);
        let off = |x: f64| self.below(x) - q;
        let (mut at_low, mut at_high) = (off(low), off(high));
        // An end that stays twice counts half.
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
struct StudentT {
    freedom: u32,
}

impl StudentT {
    /// The probability of at most `x`, within 1e-15.
    ///
    /// One interval needs thousands of them; the general formula takes twenty times as long.
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

/// The table of drawn items: the same for all strata with as many items, so it is made once.
pub(crate) struct Draws {
    seed: u64,
    /// By number of items, at most [`GROUPS`]: `[draws × items]` indices of items.
    tables: BTreeMap<usize, Vec<u16>>,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, tables: BTreeMap::new() }
    }

    /// One sum per draw: within each stratum, as many shifts as it has, drawn with replacement.
    fn sums(&mut self, shifts: &[Vec<f64>]) -> Vec<f64> {
        let mut sums = vec![0.0; DRAWS];
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        for (place, shifts) in shifts.iter().enumerate() {
            let group = grouped(shifts, &mut random);
            let table = self.table(group.len());
            for (draw, sum) in sums.iter_mut().enumerate() {
                // Strata with as many items start at different rows, so they are independent.
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

/// `shifts`, summed into [`GROUPS`] random groups of the same variance if there are more.
fn grouped(shifts: &[f64], random: &mut ChaCha8Rng) -> Vec<f64> {
    if shifts.len() <= GROUPS {
        return shifts.to_vec();
    }
    // Random groups: neighbouring items may be alike, and so may every n-th item.
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
                let (found, expected) = (StudentT { freedom }.below(x), exact.cdf(x));
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
                levels: vec![0.7; 3],
                replicate,
                item: 0.01,
                item_freedom: 59.0,
                evenness: 1.0,
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
        // Neighbours are alike: with every n-th item in one group, all groups would be equal.
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

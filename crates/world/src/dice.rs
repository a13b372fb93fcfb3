//! Keyed random numbers: every document has its own generator.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sparkjoy_base::{Key, Purpose, Seed};

/// Random numbers that depend only on a seed and a key.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The generator of item `index` of kind `what`.
    pub(crate) fn new(seed: Seed, what: &str, index: u64) -> Self {
        let key = Key::new(seed, Purpose::World, &[what.as_bytes(), &index.to_le_bytes()]);
        Self(ChaCha8Rng::from_seed(key.bytes()))
    }

    /// A number below `n`, which is not 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // Biased by less than n in 2^32, far below what any test of a world can measure.
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below((high - low + 1) as usize) as u32
    }

    /// True with a probability of `percent` %.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// A random element of a slice of values.
    pub(crate) fn choose<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A random rank below `n`; the probability of rank r is about proportional to 1 / (r + 1).
    ///
    /// # Source
    ///
    /// The inverse of the continuous 1/x distribution on [1, n + 1), which has Zipf's shape.
    pub(crate) fn zipf(&mut self, n: usize) -> usize {
        let u = f64::from(self.0.next_u32()) / 2f64.powi(32);
        let rank = ((n + 1) as f64).powf(u).floor() as usize - 1;
        rank.min(n - 1)
    }

    /// Shuffles a slice (Fisher-Yates).
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}

/// Whether an exercise is withheld for the tasks: one in `one_in`, by a hash of its name, so that
/// no source of any size contains it.
pub(crate) fn is_withheld(seed: Seed, exercise: &str, one_in: u64) -> bool {
    let [word, ..] = Key::new(seed, Purpose::World, &[b"withheld", exercise.as_bytes()]).words();
    word.is_multiple_of(one_in)
}

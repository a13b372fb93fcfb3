//! CPython's `random.Random`: the generator behind every few-shot choice of the original.
//!
//! The Mersenne Twister comes from a crate; here is what Python puts on top: how an integer
//! becomes a seed, and how a number below `n` is drawn.

use rand_mt::Mt;

/// `random.Random(seed)`.
pub(crate) struct Random {
    twister: Mt,
}

impl Random {
    /// Seeds as CPython does with an integer: its 32-bit digits, least significant first.
    pub(crate) fn new(seed: u64) -> Self {
        let digits = [seed as u32, (seed >> 32) as u32];
        let used = if digits[1] == 0 { &digits[..1] } else { &digits[..] };
        Self { twister: Mt::new_with_key(used.iter().copied()) }
    }

    /// `Random._randbelow(n)`: draws of as many bits as `n` has, until one is below it.
    ///
    /// # Panics
    ///
    /// If `n` is 0 or has more than 32 bits: no task has so many rows.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u32::try_from(n).expect("fewer than 2^32 rows");
        assert!(n > 0, "nothing to draw from");
        let unused_bits = n.leading_zeros();
        loop {
            let drawn = self.twister.next_u32() >> unused_bits;
            if drawn < n {
                return drawn as usize;
            }
        }
    }

    /// `Random.sample(range(n), k)`, in the order drawn.
    ///
    /// # Source
    ///
    /// `Lib/random.py` of CPython 3.11: a list of all `n` that the drawn leave, or, where that
    /// would be larger than a set of `k`, draws that are repeated until they are new.
    pub(crate) fn sample(&mut self, n: usize, k: usize) -> Vec<usize> {
        assert!(k <= n, "a sample of {k} from {n}");
        let mut drawn = Vec::with_capacity(k);
        if n <= set_size(k) {
            let mut pool: Vec<usize> = (0..n).collect();
            for i in 0..k {
                let at = self.below(n - i);
                drawn.push(pool[at]);
                pool[at] = pool[n - i - 1];
            }
        } else {
            while drawn.len() < k {
                let new = self.below(n);
                if !drawn.contains(&new) {
                    drawn.push(new);
                }
            }
        }
        drawn
    }

    /// `Random.random()`: 53 bits in [0, 1). Only tests draw it, to see where the stream stands.
    #[cfg(test)]
    pub(crate) fn unit(&mut self) -> f64 {
        let (high, low) = (self.twister.next_u32() >> 5, self.twister.next_u32() >> 6);
        (f64::from(high) * f64::from(1 << 26) + f64::from(low)) / (1_u64 << 53) as f64
    }
}

/// The size, in list slots, that CPython ascribes to a set of `k`: 21, and a table of at least
/// `3k` entries (a power of 4) for more than five.
fn set_size(k: usize) -> usize {
    if k <= 5 {
        return 21;
    }
    let mut table = 1;
    while table < 3 * k {
        table *= 4;
    }
    21 + table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_of_one_and_two_digits_start_pythons_streams() {
        // `repr(random.Random(seed).random())` of CPython 3.11.
        let first = |seed| Random::new(seed).unit().to_string();
        assert_eq!(first(1234), "0.9664535356921388");
        assert_eq!(first((1 << 40) + 7), "0.6137037779936511");
        assert_eq!(first(0), "0.8444218515250481");
    }

    #[test]
    fn a_small_population_is_drawn_from_a_list_and_a_large_one_by_repetition() {
        assert_eq!([0, 5, 6, 10, 21, 22].map(set_size), [21, 21, 85, 85, 85, 277]);
        for (n, k) in [(21, 5), (22, 5), (85, 10), (86, 10), (7, 7)] {
            let mut drawn = Random::new(1).sample(n, k);
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), k);
            assert!(drawn.iter().all(|&i| i < n));
        }
    }
}

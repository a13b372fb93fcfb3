//! Which token comes next: the likeliest, or one drawn at random.

use sparkjoy_base::{Key, Purpose, Seed};

/// Probabilities below e^−40 of the largest are taken for none: all of a large vocabulary together
/// are less likely than one draw in 10^12.
const NEGLIGIBLE: f64 = 40.0;

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// The likeliest, the lowest id of equals.
    Greedy,
    /// Drawn from the distribution, sharpened and cut.
    Drawn {
        /// Logits are divided by it.
        temperature: f64,
        /// Only the likeliest tokens that together are at least this likely.
        top_p: f64,
    },
}

/// The likeliest token, the lowest id of equals.
pub(crate) fn greedy(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (i, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = i;
        }
    }
    best as u32
}

/// The token at `random`, uniform in [0, 1), of the tokens in descending order of likelihood.
///
/// # Source
///
/// Nucleus sampling: Holtzman et al. 2020, arXiv:1904.09751; temperature before the cut and the
/// token that crosses the cut kept, as in transformers.
pub(crate) fn drawn(logits: &[f32], temperature: f64, top_p: f64, random: f64) -> u32 {
    let largest = f64::from(logits[greedy(logits) as usize]);
    let mut likely: Vec<(f64, u32)> = logits
        .iter()
        .zip(0..)
        .map(|(&logit, id)| ((f64::from(logit) - largest) / temperature, id))
        .filter(|&(power, _)| power > -NEGLIGIBLE)
        .map(|(power, id)| (power.exp(), id))
        .collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let total: f64 = likely.iter().map(|(weight, _)| weight).sum();
    let mut sum = 0.0;
    let reaches = |(weight, _): &(f64, u32)| {
        sum += weight;
        sum >= top_p * total
    };
    let kept = likely.iter().position(reaches).map_or(likely.len(), |last| last + 1);
    likely.truncate(kept);
    let mut left = random * likely.iter().map(|(weight, _)| weight).sum::<f64>();
    for (weight, id) in &likely {
        left -= weight;
        if left < 0.0 {
            return *id;
        }
    }
    likely.last().expect("the likeliest token is kept").1
}

/// The random number of one token of one sample of an item of a task: the same on every machine,
/// whatever else is drawn.
pub(crate) fn random(seed: Seed, task: &str, item: usize, sample: usize, position: usize) -> f64 {
    let address = [item, sample, position].map(|n| (n as u64).to_le_bytes());
    let parts = [task.as_bytes(), &address[0], &address[1], &address[2]];
    let [word, ..] = Key::new(seed, Purpose::Generation, &parts).words();
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_equals_is_the_likeliest() {
        assert_eq!(greedy(&[1.0, 3.0, 3.0, -1.0]), 1);
    }

    #[test]
    fn tokens_are_drawn_as_often_as_they_are_likely() {
        let logits = [0.0_f32, 2.0_f32.ln(), -200.0, 4.0_f32.ln()];
        let share = |temperature, top_p| {
            let mut counts = [0.0; 4];
            for i in 0..7000 {
                let random = (f64::from(i) + 0.5) / 7000.0;
                counts[drawn(&logits, temperature, top_p, random) as usize] += 1.0 / 7000.0;
            }
            counts
        };
        let near = |found: [f64; 4], expected: [f64; 4]| {
            let close = found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-3);
            assert!(close, "{found:?} {expected:?}");
        };
        near(share(1.0, 1.0), [1.0 / 7.0, 2.0 / 7.0, 0.0, 4.0 / 7.0]);
        // Half the temperature squares the odds.
        near(share(0.5, 1.0), [1.0 / 21.0, 4.0 / 21.0, 0.0, 16.0 / 21.0]);
        // 4/7 does not reach 0.6, so the token that crosses it is kept.
        near(share(1.0, 0.6), [0.0, 1.0 / 3.0, 0.0, 2.0 / 3.0]);
        near(share(1.0, 0.5), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn every_part_of_the_address_of_a_random_number_counts() {
        let base = random(Seed(1), "human-eval", 3, 4, 5);
        assert!((0.0..1.0).contains(&base));
        let bits = f64::to_bits;
        assert_eq!(bits(base), bits(random(Seed(1), "human-eval", 3, 4, 5)));
        for other in [
            random(Seed(2), "human-eval", 3, 4, 5),
            random(Seed(1), "human-evil", 3, 4, 5),
            random(Seed(1), "human-eval", 4, 4, 5),
            random(Seed(1), "human-eval", 3, 5, 5),
            random(Seed(1), "human-eval", 3, 4, 6),
        ] {
            assert_ne!(bits(base), bits(other));
        }
    }
}

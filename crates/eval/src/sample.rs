//! Which held-out sequences are scored: a choice that no model has a part in.

use sparkjoy_base::{Key, Purpose, Seed, Tokens};
use sparkjoy_data::{Corpus, Part};

use crate::EvalError;

/// The ordinals of the held-out sequences of `corpus` that are scored, ascending.
///
/// As many as `budget` pays for, or all there are. They lie evenly over the held-out part, so that
/// every file and every stretch of it is heard; where the first one lies follows from the seed and
/// the content of the part.
///
/// # Guarantees
///
/// Distinct ordinals. The same content, seed, context and budget give the same ordinals for every
/// model and on every machine.
///
/// # Errors
///
/// [`EvalError::Budget`] if `budget` is less than one sequence, [`EvalError::TooShort`] if the
/// held-out part is.
pub fn sample(
    corpus: &Corpus,
    context: usize,
    seed: Seed,
    budget: Tokens,
) -> Result<Vec<u64>, EvalError> {
    let wanted = budget.0 / context as u64;
    if wanted == 0 {
        return Err(EvalError::Budget { budget, context });
    }
    let sequences = corpus.sequences(Part::Validation, context);
    if sequences == 0 {
        return Err(EvalError::TooShort {
            source_name: corpus.name().clone(),
            tokens: corpus.tokens(Part::Validation),
            context,
        });
    }
    let content = corpus.fingerprint(Part::Validation);
    let [random, ..] = Key::new(seed, Purpose::HeldOutSample, &[content.as_bytes()]).words();
    Ok(spread(sequences, wanted.min(sequences), random))
}

/// `count` ordinals below `sequences`, one in each of `count` equal stretches, all at the same
/// place of their stretch; `random` says which place.
///
/// # Source
///
/// Systematic sampling with a random start; Cochran, *Sampling Techniques*, 3rd ed., chapter 8.
fn spread(sequences: u64, count: u64, random: u64) -> Vec<u64> {
    assert!(0 < count && count <= sequences, "{count} of {sequences} sequences");
    let start = u128::from(random % sequences);
    (0..u128::from(count))
        .map(|i| ((i * u128::from(sequences) + start) / u128::from(count)) as u64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_distinct_and_evenly_spread() {
        for sequences in 1..60 {
            for count in 1..=sequences {
                for random in [0, 1, 17, 58, u64::MAX] {
                    let ordinals = spread(sequences, count, random);
                    assert_eq!(ordinals.len() as u64, count);
                    assert!(*ordinals.last().unwrap() < sequences, "{sequences} {count} {random}");
                    let (least, most) = (sequences / count, sequences.div_ceil(count));
                    for pair in ordinals.windows(2) {
                        let gap = pair[1] - pair[0];
                        assert!(least <= gap && gap <= most, "{sequences} {count} {random}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_sequence_can_be_drawn() {
        let mut drawn: Vec<u64> = (0..12).flat_map(|random| spread(12, 3, random)).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn a_budget_for_all_takes_all() {
        assert_eq!(spread(5, 5, 3), [0, 1, 2, 3, 4]);
    }
}

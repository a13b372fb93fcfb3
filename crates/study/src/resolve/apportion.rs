//! Splits a share in whole parts per million, so that nothing is lost to rounding.

use std::collections::BTreeMap;

use sparkjoy_base::{Ppm, SourceName};

/// Splits `whole` in proportion to `weights`, of which at least one is not zero.
///
/// Largest remainders: each source first gets the whole part of its quota; the parts left over go
/// one each to the largest remainders, ties to the name that sorts first.
///
/// # Guarantees
///
/// The parts sum to `whole`, each is within one part of its exact quota, and the result depends on
/// the arguments alone: integers only.
///
/// # Source
///
/// Hamilton's method; Balinski & Young, *Fair Representation*, 2nd ed., 2001.
pub fn apportion(whole: Ppm, weights: &BTreeMap<SourceName, u64>) -> BTreeMap<SourceName, Ppm> {
    let total: u128 = weights.values().map(|&w| u128::from(w)).sum();
    assert!(total > 0, "a share of {whole} has nobody to go to");
    let quota = |weight: u64| u128::from(whole.0) * u128::from(weight);
    let mut parts: BTreeMap<SourceName, Ppm> = weights
        .iter()
        .map(|(name, &weight)| (name.clone(), Ppm((quota(weight) / total) as u32)))
        .collect();
    let given: u32 = parts.values().map(|part| part.0).sum();
    let mut by_remainder: Vec<&SourceName> = weights.keys().collect();
    by_remainder.sort_by_key(|&name| std::cmp::Reverse(quota(weights[name]) % total));
    for name in by_remainder.into_iter().take((whole.0 - given) as usize) {
        parts.get_mut(name).expect("a part per weight").0 += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(whole: u32, weights: &[(&str, u64)]) -> Vec<u32> {
        let weights = weights.iter().map(|&(n, w)| (SourceName::new(n).unwrap(), w)).collect();
        apportion(Ppm(whole), &weights).values().map(|part| part.0).collect()
    }

    #[test]
    fn what_is_left_over_goes_to_the_largest_remainders() {
        // Quotas 3.33, 1.67, 5.
        assert_eq!(parts(10, &[("a", 2), ("b", 1), ("c", 3)]), [3, 2, 5]);
    }

    #[test]
    fn ties_go_to_the_name_that_sorts_first() {
        assert_eq!(parts(100, &[("a", 1), ("b", 1), ("c", 1)]), [34, 33, 33]);
        assert_eq!(parts(1, &[("b", 7), ("c", 7)]), [1, 0]);
    }

    #[test]
    fn parts_sum_to_the_whole_whatever_the_weights() {
        for whole in [0, 1, 71_700, 1_000_000] {
            for seed in 1..50_u64 {
                let weight =
                    |i: u64| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(i as u32);
                let weights = [("a", weight(7) >> 20), ("b", weight(19)), ("c", 0), ("d", seed)];
                let parts = parts(whole, &weights);
                assert_eq!(parts.iter().sum::<u32>(), whole, "{weights:?}");
                assert_eq!(parts[2], 0);
            }
        }
    }
}

//! Correction for multiple comparisons.

/// Holm's adjusted p-values, in the order of `p`.
///
/// # Guarantees
///
/// If comparisons with an adjusted p-value of at most α are called significant, the probability of
/// one false positive or more is at most α, for any dependence between the comparisons.
///
/// # Source
///
/// Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
/// Statistics 6 (1979).
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        least = least.max(((p.len() - rank) as f64 * p[index]).min(1.0));
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_p_is_multiplied_most_and_order_is_kept() {
        let adjusted = holm(&[0.04, 0.01, 0.03, 0.5]);
        // 4 · 0.01; 3 · 0.03; 2 · 0.04 would be less than 0.09; 1 · 0.5.
        let expected = [0.09, 0.04, 0.09, 0.5];
        for (found, expected) in adjusted.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}

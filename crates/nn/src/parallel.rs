//! Work cut by index, never by arrival.

/// Rows an elementwise pass takes at a time.
pub(crate) const ROWS: usize = 64;
/// Values an elementwise pass over flat buffers takes at a time.
pub(crate) const VALUES: usize = 16_384;

/// `Σ leaf(part)` over parts of [`VALUES`] values, added in a tree that depends on the length
/// alone.
pub(crate) fn tree_sum(values: &[f32], leaf: &(impl Fn(&[f32]) -> f64 + Sync)) -> f64 {
    if values.len() <= VALUES {
        return leaf(values);
    }
    let half = values.len().div_ceil(VALUES).div_ceil(2) * VALUES;
    let (left, right) = values.split_at(half);
    let (left, right) = rayon::join(|| tree_sum(left, leaf), || tree_sum(right, leaf));
    left + right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_adds_every_value_once() {
        for n in [0, 1, VALUES, VALUES + 1, 5 * VALUES + 3] {
            let values = vec![1.0; n];
            let sum = tree_sum(&values, &|part| part.iter().map(|&v| f64::from(v)).sum());
            assert_eq!(sum, n as f64);
        }
    }
}

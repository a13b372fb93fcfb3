//! Items that are not independent: sequences of one document, questions about one passage.

use std::collections::BTreeMap;

/// Items in groups that are independent of each other. Groups are then the items of statistics.
pub(crate) struct Clusters {
    /// Of each item.
    cluster: Vec<usize>,
    count: usize,
}

impl Clusters {
    /// Items with equal numbers are one cluster. Each item is one where there are no numbers, or
    /// where all are equal: nothing can be learnt from a single cluster.
    ///
    /// - `numbers`: one per item, or empty; `items`: how many there are.
    pub(crate) fn of(numbers: &[u64], items: usize) -> Self {
        let mut known = BTreeMap::new();
        let mut place = |number| {
            let next = known.len();
            *known.entry(number).or_insert(next)
        };
        let cluster: Vec<usize> = numbers.iter().map(&mut place).collect();
        match known.len() {
            0 | 1 => Self { cluster: (0..items).collect(), count: items },
            count => Self { cluster, count },
        }
    }

    /// Whether each item is a cluster of its own.
    pub(crate) fn are_items(&self) -> bool {
        self.count == self.cluster.len()
    }

    /// Sums of `values`, one per item, over each cluster.
    pub(crate) fn sums(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.count];
        for (value, &cluster) in values.iter().zip(&self.cluster) {
            sums[cluster] += value;
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_one_cluster_are_summed_and_a_single_cluster_is_none() {
        let clusters = Clusters::of(&[7, 7, 9], 3);
        assert!(!clusters.are_items());
        assert_eq!(clusters.sums(&[1.0, 2.0, 4.0]), [3.0, 4.0]);
        for alone in [&[][..], &[5, 5, 5]] {
            let clusters = Clusters::of(alone, 3);
            assert!(clusters.are_items());
            assert_eq!(clusters.sums(&[1.0, 2.0, 4.0]), [1.0, 2.0, 4.0]);
        }
    }
}

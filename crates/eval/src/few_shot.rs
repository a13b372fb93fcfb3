//! Which other rows are shown as examples before a row: the original's choice, bit for bit.
//!
//! One generator per file (per subcategory where a task has them) is consumed in the order of the
//! rows, so the examples of a row depend on how many rows came before it and on nothing else.

use crate::int_set::IntSet;
use crate::random::Random;

/// The choice of examples for the rows of one file, in their order.
pub(crate) struct FewShot {
    random: Random,
    rows: usize,
    shots: usize,
    next: usize,
}

impl FewShot {
    /// # Panics
    ///
    /// If there are not more rows than shots: no row may be its own example.
    pub(crate) fn new(seed: u64, rows: usize, shots: usize) -> Self {
        assert!(shots < rows, "{shots} examples from {rows} rows");
        Self { random: Random::new(seed), rows, shots, next: 0 }
    }

    /// The examples of the next row, in the order they are shown.
    ///
    /// # Source
    ///
    /// `get_fewshot_sample_idxs` of LLM Foundry (`llmfoundry/eval/datasets/utils.py`): a sample of
    /// all rows as a Python set; where it holds the row itself, that is replaced by the first draw
    /// that is neither in it nor the row.
    pub(crate) fn draw(&mut self) -> Vec<usize> {
        let row = self.next;
        self.next += 1;
        if self.shots == 0 {
            return Vec::new(); // Not even the generator is asked.
        }
        let mut chosen = IntSet::new();
        for index in self.random.sample(self.rows, self.shots) {
            chosen.add(index);
        }
        if chosen.contains(row) {
            chosen.remove(row);
            let replacement = loop {
                let index = self.random.below(self.rows);
                if index != row && !chosen.contains(index) {
                    break index;
                }
            };
            chosen.add(replacement);
        }
        chosen.in_order()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::*;

    /// What CPython chose for one file.
    #[derive(Deserialize)]
    struct Vector {
        dataset_size: usize,
        num_fewshot: usize,
        seed: u64,
        first8_in_iteration_order: Vec<Vec<usize>>,
        /// Rows that were in their own sample.
        collision_examples: Vec<(usize, Vec<usize>)>,
        /// The generator's next number after all rows.
        rng_check_random_after_all: f64,
    }

    #[derive(Deserialize)]
    struct Golden {
        vectors: Vec<Vector>,
    }

    fn assert_equal_to(golden: &str) {
        let golden: Golden = serde_json::from_str(golden).unwrap();
        assert!(golden.vectors.len() >= 10);
        for vector in golden.vectors {
            let Vector { dataset_size: rows, num_fewshot: shots, seed, .. } = vector;
            let place = format!("{shots} of {rows}, seed {seed}");
            let mut few_shot = FewShot::new(seed, rows, shots);
            let drawn: Vec<Vec<usize>> = (0..rows).map(|_| few_shot.draw()).collect();
            let first = &vector.first8_in_iteration_order;
            assert_eq!(drawn[..first.len()], first[..], "{place}");
            for (row, expected) in &vector.collision_examples {
                assert_eq!(drawn[*row], *expected, "{place}, row {row}");
            }
            let next = few_shot.random.unit();
            let golden = vector.rng_check_random_after_all;
            assert_eq!(next.to_bits(), golden.to_bits(), "{place}: {next}, expected {golden}");
        }
    }

    #[test]
    fn choices_are_those_of_cpython_from_6_rows_to_50000() {
        assert_equal_to(include_str!("../testdata/few_shot.json"));
    }

    #[test]
    fn choices_are_the_published_golden_ones() {
        let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
        let file = Path::new(shared).join("eval/golden/fewshot_idx_golden.json");
        let Ok(golden) = std::fs::read_to_string(&file) else {
            eprintln!("SKIPPED golden few-shot choices: no file at {}", file.display());
            return;
        };
        assert_equal_to(&golden);
    }

    #[test]
    fn no_row_is_its_own_example() {
        for (rows, shots) in [(6, 5), (7, 3), (30, 25), (100, 10)] {
            let mut few_shot = FewShot::new(1, rows, shots);
            for row in 0..rows {
                let mut drawn = few_shot.draw();
                assert!(!drawn.contains(&row));
                drawn.sort_unstable();
                drawn.dedup();
                assert_eq!(drawn.len(), shots);
            }
        }
    }
}

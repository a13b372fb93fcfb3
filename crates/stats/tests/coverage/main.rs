//! How often intervals hold the truth, and how often nothing is taken for something, over studies
//! made up with known effects.

mod study;

use study::{CONDITIONS, coverage, false_positives};

/// Studies per condition, as many as the claim is about.
const STUDIES: usize = 2_000;

#[test]
fn intervals_of_95_percent_hold_the_truth_in_93_to_97_percent_of_studies() {
    for (condition, replicates) in CONDITIONS.iter().zip([3, 3, 3, 2, 4, 5, 3, 3, 3, 3]) {
        let found = coverage(*condition, replicates, STUDIES, false);
        let (name, held) = (condition.name, [found.percentile, found.bca]);
        assert!(
            held.iter().all(|held| (0.93..=0.97).contains(held)),
            "{name}, {replicates} replicates: percentile and BCa intervals hold {held:?}"
        );
        // p is on the safe side.
        assert!(found.p >= 0.94, "{name}, {replicates} replicates: p holds {}", found.p);
    }
}

#[test]
fn three_replicates_resampled_hold_the_truth_in_less_than_three_of_four_studies() {
    let found = coverage(CONDITIONS[0], 3, STUDIES, false);
    assert!(found.naive < 0.75 && found.naive_bca < 0.75, "{found:?}");
}

#[test]
fn a_question_in_which_nothing_differs_says_so_in_95_percent_of_studies() {
    for (condition, replicates) in [(CONDITIONS[1], 3), (CONDITIONS[2], 3), (CONDITIONS[3], 2)] {
        let wrong = false_positives(condition, replicates, 12, STUDIES / 2);
        // 5 % and two standard errors of 1,000 questions.
        assert!(wrong <= 0.064, "{}, {replicates} replicates: {wrong}", condition.name);
    }
}

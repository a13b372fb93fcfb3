//! Coverage of the intervals, and the rate of false positives, over simulated studies with known
//! effects.

mod study;

use study::{CONDITIONS, coverage, false_positives};

/// Studies per condition, as many as the claim is about.
const STUDIES: usize = 2_000;

#[test]
fn intervals_of_95_percent_hold_the_truth_in_93_to_97_percent_of_studies() {
    for (condition, replicates) in CONDITIONS.iter().zip([3, 3, 3, 2, 4, 5, 3, 3, 3, 3, 5, 5, 5]) {
        let found = coverage(*condition, replicates, STUDIES, false);
        let (name, held) = (condition.name, found.percentile);
        assert!(
            (0.93..=0.97).contains(&held),
            "{name}, {replicates} replicates: intervals hold {held}"
        );
        // p is conservative.
        assert!(found.p >= 0.94, "{name}, {replicates} replicates: p holds {}", found.p);
    }
}

#[test]
fn a_bootstrap_of_three_replicates_covers_less_than_75_percent() {
    let found = coverage(CONDITIONS[0], 3, STUDIES, false);
    assert!(found.naive < 0.75 && found.naive_bca < 0.75, "{found:?}");
}

#[test]
fn a_question_without_a_true_effect_has_a_false_positive_in_at_most_5_percent_of_studies() {
    for (condition, replicates) in [(CONDITIONS[1], 3), (CONDITIONS[2], 3), (CONDITIONS[3], 2)] {
        let wrong = false_positives(condition, replicates, 12, STUDIES / 2);
        // 5 % and two standard errors of 1,000 questions.
        assert!(wrong <= 0.064, "{}, {replicates} replicates: {wrong}", condition.name);
    }
}

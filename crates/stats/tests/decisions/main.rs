//! How often the decision rule is right, against rules that people use.

mod study;

use study::{RULES, Rule, TRUTHS, Tally, tallies};

const STUDIES: usize = 150;

fn of(tallies: &[Tally; 4], rule: Rule) -> Tally {
    tallies[RULES.iter().position(|other| *other == rule).expect("one of them")]
}

#[test]
fn a_guard_that_does_not_hold_is_chosen_in_few_studies() {
    for truth in [TRUTHS[0], TRUTHS[4]] {
        let found = tallies(truth, 3, STUDIES);
        // 5 % and two standard errors of a share of 150.
        assert!(of(&found, Rule::Objective).broken <= 0.086, "{}: {found:?}", truth.name);
        assert!(of(&found, Rule::LargestMean).broken > 0.9, "{}: {found:?}", truth.name);
        assert!(of(&found, Rule::LargestSignificant).broken > 0.9, "{}: {found:?}", truth.name);
    }
}

#[test]
fn where_nothing_gains_nothing_is_chosen() {
    let found = tallies(TRUTHS[3], 3, STUDIES);
    assert!(of(&found, Rule::Objective).chosen <= 0.086, "{found:?}");
    assert!(of(&found, Rule::LargestMean).chosen > 0.5, "{found:?}");
}

#[test]
fn with_five_replicates_the_best_is_chosen_in_two_of_three_studies() {
    for truth in [TRUTHS[0], TRUTHS[1], TRUTHS[2]] {
        let found = of(&tallies(truth, 5, STUDIES), Rule::Objective);
        assert!(found.best > 0.65 && found.regret < 0.9, "{}: {found:?}", truth.name);
    }
}

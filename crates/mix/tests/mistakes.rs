//! What an order refuses, and the words it uses.

use sparkjoy_base::Hint;
use sparkjoy_mix::{Ledger, MixError, Order, Phase, Source};

use crate::study::{SEED, branch, ledger, phase, source, trunk};

/// The error of a trunk, with its hint.
fn refused(sources: Vec<Source>, phases: Vec<Phase>) -> String {
    let error = trunk(sources, phases).unwrap_err();
    format!("{error}\n{}", error.hint().unwrap())
}

#[test]
fn an_unknown_source_is_refused_with_the_names_there_are() {
    let shown = refused(
        vec![source("web", 10), source("math", 10)],
        vec![phase(&[("maths", 500_000), ("web", 500_000)], 10)],
    );
    insta::assert_snapshot!(shown, @r"
        the mixture of phase 0 names source `maths`, expected one of `math`, `web`
        correct the name in the mixture, or define `maths` among the sources
        ");
}

#[test]
fn a_source_without_a_sequence_is_refused() {
    insta::assert_snapshot!(refused(vec![source("web", 0)], vec![]), @r"
        source `web` has 0 sequences, expected at least 1
        give `web` at least one context length of text, or take it out of the study
        ");
}

#[test]
fn two_sources_of_one_name_are_refused() {
    let sources = vec![source("web", 1), source("code", 1), source("web", 2)];
    insta::assert_snapshot!(refused(sources, vec![]), @r"
        source `web` is given more than once, expected one source per name
        rename or delete one of the sources called `web`
        ");
}

#[test]
fn a_phase_without_slots_is_refused() {
    let phases = vec![phase(&[("web", 1_000_000)], 0)];
    insta::assert_snapshot!(refused(vec![source("web", 1)], phases), @r"
        phase 0 has 0 sequences, expected at least 1
        lengthen the phase to at least one step, or take it out
        ");
}

#[test]
fn a_starved_source_is_refused_with_its_proportion() {
    let shown = refused(
        vec![source("web", 9_000), source("math", 10)],
        vec![phase(&[("web", 999_999), ("math", 1)], 1_024)],
    );
    insta::assert_snapshot!(shown, @r"
        source `math` has proportion 0.0001 % but gets none of the 1,024 sequences of phase 0
        lengthen the phase, raise the proportion of `math`, or take it out of the mixture
        ");
}

#[test]
fn a_phase_is_named_by_its_number_in_the_run() {
    let opening = ledger(&[("web", 4)]);
    let error =
        branch(1, vec![source("web", 9)], opening, phase(&[("web", 1_000_000)], 0)).unwrap_err();
    assert_eq!(error, MixError::EmptyPhase { phase: 1 });
}

#[test]
fn counts_that_would_overflow_are_refused() {
    let web = vec![source("web", 9)];
    let phases = vec![phase(&[("web", 1_000_000)], u64::MAX); 2];
    insta::assert_snapshot!(refused(web.clone(), phases), @r"
        source `web` could be drawn up to 36893488147419103230 times, expected at most 2^60
        check the token budget and the counts of the opening ledger
        ");

    let opening = ledger(&[("web", (1 << 60) - 5)]);
    let whole = |slots| vec![phase(&[("web", 1_000_000)], slots)];
    let order = |slots| Order::new(SEED, 1, web.clone(), opening.clone(), 1, whole(slots));
    assert_eq!(order(5).unwrap().ledger_at(5), ledger(&[("web", 1 << 60)]));
    assert!(matches!(order(6), Err(MixError::TooLong { .. })));
}

#[test]
fn an_order_without_phases_is_its_opening_ledger() {
    let opening = ledger(&[("web", 4), ("gone", 7)]);
    let order = Order::new(SEED, 0, vec![source("web", 9)], opening.clone(), 0, vec![]).unwrap();
    assert_eq!((order.slots(), order.counts(0..0)), (0, vec![0]));
    assert_eq!(order.ledger_at(0), opening);
    assert_eq!(order.sequences(0..0).count(), 0);
    assert!(Order::new(SEED, 0, vec![], Ledger::default(), 0, vec![]).is_ok());
}

#[test]
#[should_panic(expected = "slot 10 of an order of 10")]
fn a_slot_past_the_end_is_our_mistake() {
    let order = trunk(vec![source("web", 3)], vec![phase(&[("web", 1_000_000)], 10)]).unwrap();
    let _ = order.sequence_at(10);
}

#[test]
#[should_panic(expected = "slots 5..11 of an order of 10")]
fn a_range_past_the_end_is_our_mistake() {
    let order = trunk(vec![source("web", 3)], vec![phase(&[("web", 1_000_000)], 10)]).unwrap();
    let _ = order.sequences(5..11).count();
}

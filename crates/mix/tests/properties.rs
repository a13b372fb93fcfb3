//! Whatever the sources, mixtures, lengths and seeds: the order is what enumeration says it is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sparkjoy_mix::{Draw, MixError, Order, rank_slots};

use crate::study::{Study, all, enumerated, studies};

/// The order of a study, unless one of its sources is starved; checked for that claim too.
fn order(study: &Study) -> Option<Order> {
    match study.order() {
        Ok(order) => Some(order),
        Err(MixError::Starved { phase, source_name, .. }) => {
            let index = (phase - u64::from(study.first_phase)) as usize;
            let sources = enumerated(study.seed, study.replicate, phase, &study.phases[index]);
            assert!(!sources.contains(&source_name), "`{source_name}` is not starved");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_sources_of_all_slots_are_the_enumerated_ones(study in studies()) {
        let Some(order) = order(&study) else { return Ok(()) };
        let expected = (u64::from(study.first_phase)..).zip(&study.phases);
        let expected = expected.flat_map(|(i, p)| enumerated(study.seed, study.replicate, i, p));
        let draws = all(&order);
        let found = draws.iter().map(|draw| order.sources()[draw.source].name.clone());
        prop_assert!(found.eq(expected));
    }

    #[test]
    fn counts_and_ledgers_are_what_was_drawn(study in studies(), cuts: (u64, u64)) {
        let Some(order) = order(&study) else { return Ok(()) };
        let (a, b) = (cuts.0 % (order.slots() + 1), cuts.1 % (order.slots() + 1));
        let mut counted = vec![0; order.sources().len()];
        for draw in order.sequences(a.min(b)..a.max(b)) {
            counted[draw.source] += 1;
        }
        prop_assert_eq!(order.counts(a.min(b)..a.max(b)), counted);

        let ledger = order.ledger_at(b);
        let before = order.counts(0..b);
        for (source, before) in order.sources().iter().zip(before) {
            prop_assert_eq!(ledger.drawn(&source.name), study.opening.drawn(&source.name) + before);
        }
    }

    #[test]
    fn asking_for_one_slot_equals_reading_up_to_it(study in studies(), start: u64) {
        let Some(order) = order(&study) else { return Ok(()) };
        let start = start % order.slots();
        for (slot, draw) in (start..).zip(order.sequences(start..order.slots())) {
            prop_assert_eq!(draw, order.sequence_at(slot), "slot {}", slot);
        }
    }

    #[test]
    fn no_sequence_comes_twice_in_an_epoch_and_epochs_follow_each_other(study in studies()) {
        let Some(order) = order(&study) else { return Ok(()) };
        let mut cursors: Vec<u64> =
            order.sources().iter().map(|s| study.opening.drawn(&s.name)).collect();
        let mut seen = BTreeSet::new();
        for Draw { source, epoch, ordinal } in all(&order) {
            let sequences = order.sources()[source].sequences;
            prop_assert_eq!(epoch, cursors[source] / sequences);
            prop_assert!(ordinal < sequences);
            prop_assert!(seen.insert((source, epoch, ordinal)));
            cursors[source] += 1;
        }
    }

    #[test]
    fn a_branch_reads_nothing_its_trunk_has_read_before_the_source_is_exhausted(
        study in studies(), cut: u64, replicate in 0..3_u32,
    ) {
        let Some(trunk) = order(&Study { replicate: 0, first_phase: 0, ..study.clone() })
            else { return Ok(()) };
        let cut = cut % trunk.slots();
        let branch = Study {
            replicate,
            first_phase: 1,
            opening: trunk.ledger_at(cut),
            phases: study.phases.iter().rev().cloned().collect(),
            ..study
        };
        let Some(branch) = order(&branch) else { return Ok(()) };
        let drawn = trunk.sequences(0..cut);
        let mut seen: BTreeSet<_> = drawn.map(|d| (d.source, d.epoch, d.ordinal)).collect();
        for draw in all(&branch) {
            prop_assert!(seen.insert((draw.source, draw.epoch, draw.ordinal)), "{:?} again", draw);
        }
    }

    #[test]
    fn a_phase_does_not_know_its_length_nor_what_follows(study in studies(), slots: u64) {
        let Some(long) = order(&study) else { return Ok(()) };
        let mut short = study;
        short.phases.truncate(1);
        short.phases[0].slots = slots % short.phases[0].slots + 1;
        let Some(short) = order(&short) else { return Ok(()) };
        prop_assert!(all(&short).into_iter().eq(long.sequences(0..short.slots())));
    }

    #[test]
    fn a_replicate_reads_what_the_trunk_would_have_read_of_an_open_epoch(study in studies()) {
        let orders = [0, 1].map(|replicate| order(&Study { replicate, ..study.clone() }));
        let [Some(first), Some(second)] = orders else { return Ok(()) };
        let by_epoch = |order: &Order| {
            let mut read = BTreeMap::<_, BTreeSet<u64>>::new();
            for draw in all(order) {
                read.entry((draw.source, draw.epoch)).or_default().insert(draw.ordinal);
            }
            read
        };
        let (first, second) = (by_epoch(&first), by_epoch(&second));
        for (index, source) in study.sources.iter().enumerate() {
            let drawn = study.opening.drawn(&source.name);
            let epoch = drawn / source.sequences;
            let left = source.sequences - drawn % source.sequences;
            let reads = [&first, &second].map(|read| read.get(&(index, epoch)));
            if let [Some(a), Some(b)] = reads && a.len() as u64 == left && b.len() as u64 == left {
                prop_assert_eq!(a, b, "the rest of `{}`", &source.name);
            }
        }
    }

    #[test]
    fn ranks_of_any_world_read_the_batch_between_them(study in studies(), world in 1..40_u64) {
        let Some(order) = order(&study) else { return Ok(()) };
        let batch = 0..order.slots().min(64);
        let slots = |rank| rank_slots(batch.clone(), rank, world);
        let ranks = (0..world).flat_map(|rank| order.sequences(slots(rank)));
        prop_assert!(ranks.eq(order.sequences(batch.clone())));
    }
}

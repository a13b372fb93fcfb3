//! The paper's scale: 1T tokens in 244,140,625 sequences of 4,096 from 18 sources.
//!
//! Nothing here visits every slot; what takes time in these tests would take time in `plan`.

use sparkjoy_base::{Ppm, Seed};
use sparkjoy_mix::{Ledger, Mixture, Order, Phase, Source};

use crate::study::{all, mixture, name, phase, source, trunk};

const SLOTS: u64 = 244_140_625;

/// 18 sources: the largest with a quarter, each next with a quarter of what is left.
fn proportions() -> Vec<u32> {
    let mut left = Ppm::ONE.0;
    let mut parts: Vec<u32> = (0..17)
        .map(|_| {
            left -= left / 4;
            left / 3
        })
        .collect();
    parts.push(Ppm::ONE.0 - parts.iter().sum::<u32>());
    parts
}

fn paper_scale(seed: u64) -> Order {
    let names = || (0..18).map(|i| format!("source-{i:02}"));
    let parts = proportions();
    let sources = names().zip(&parts).map(|(s, &ppm)| source(&s, u64::from(ppm) * 100));
    let mixture = names().zip(&parts).map(|(s, &ppm)| (name(&s), Ppm(ppm))).collect();
    let phase = Phase { mixture: Mixture::new(mixture).unwrap(), slots: SLOTS };
    Order::new(Seed(seed), 0, sources.collect(), Ledger::default(), 0, vec![phase]).unwrap()
}

/// The largest distance of a count from its exact share of `slots`, in sequences.
fn off_share(counts: &[u64], slots: u64) -> f64 {
    let share = |ppm: u32| u128::from(slots) * u128::from(ppm);
    let distance = |(&count, ppm): (&u64, u32)| {
        (u128::from(count) * 1_000_000).abs_diff(share(ppm)) as f64 / 1e6
    };
    counts.iter().zip(proportions()).map(distance).fold(0.0, f64::max)
}

#[test]
fn no_prefix_of_a_trillion_tokens_is_off_a_share_by_6_sequences() {
    for seed in 0..3 {
        let order = paper_scale(seed);
        let prefixes = (1..=2_000).map(|i| SLOTS / 2_000 * i).chain((0..30).map(|i| SLOTS >> i));
        for slots in prefixes {
            let counts = order.counts(0..slots);
            assert_eq!(counts.iter().sum::<u64>(), slots);
            let off = off_share(&counts, slots);
            assert!(off < 6.0, "seed {seed}: off by {off} after {slots}");
        }
    }
}

#[test]
fn no_batch_of_960_is_off_a_share_by_more_than_3_sequences() {
    let order = paper_scale(17);
    for step in (0..SLOTS / 960).step_by(101) {
        let off = off_share(&order.counts(960 * step..960 * (step + 1)), 960);
        assert!(off <= 3.5, "off by {off} in step {step}");
    }
}

#[test]
fn the_last_sequences_of_a_trillion_tokens_are_found_without_the_first() {
    let order = paper_scale(17);
    let draws: Vec<_> = order.sequences(SLOTS - 500..SLOTS).collect();
    for (slot, draw) in (SLOTS - 500..).zip(&draws) {
        assert_eq!(*draw, order.sequence_at(slot));
    }
    let counts = order.counts(0..SLOTS);
    for (count, source) in counts.iter().zip(order.sources()) {
        assert_eq!(order.ledger_at(SLOTS).drawn(&source.name), *count);
        // 100 sequences per part per million is 2.44 epochs of everything.
        assert_eq!(count / source.sequences, 2);
    }
}

#[test]
fn sources_of_one_and_of_2_to_the_60_sequences_stand_side_by_side() {
    let sources = vec![source("one", 1), source("two", 2), source("huge", 1 << 60)];
    let third = [("one", 333_333), ("two", 333_333), ("huge", 333_334)];
    let order = trunk(sources, vec![phase(&third, 300), phase(&third, (1 << 60) - 300)]).unwrap();
    for draw in order.sequences(0..1_000) {
        assert!(draw.ordinal < order.sources()[draw.source].sequences);
    }
    let last = (1 << 60) - 1;
    assert_eq!(order.sequence_at(last), order.sequences(last..last + 1).next().unwrap());
    let counts = order.counts(0..1 << 60);
    assert_eq!(counts.iter().sum::<u64>(), 1 << 60);
    let shares = mixture(&third);
    for (count, ppm) in
        counts.iter().zip(["huge", "one", "two"].map(|s| shares.proportions()[&name(s)]))
    {
        let share = (u128::from(ppm.0) << 60) / 1_000_000;
        assert!(u128::from(*count).abs_diff(share) < 100, "{count} of {share}");
    }
}

#[test]
fn a_mixture_of_one_source_reads_it_through() {
    let order = trunk(vec![source("web", 40)], vec![phase(&[("web", 1_000_000)], 100)]).unwrap();
    let mut first: Vec<u64> = all(&order)[..40].iter().map(|draw| draw.ordinal).collect();
    first.sort_unstable();
    assert!(first.into_iter().eq(0..40));
    assert_eq!(order.counts(10..90), [80]);
}

/// Sources are compared by name alone, so a list in another order is the same study.
#[test]
fn sources_come_back_sorted_by_name() {
    let order = trunk(vec![source("web", 1), source("math", 1)], vec![]).unwrap();
    let names: Vec<&str> = order.sources().iter().map(|s: &Source| s.name.as_str()).collect();
    assert_eq!(names, ["math", "web"]);
}

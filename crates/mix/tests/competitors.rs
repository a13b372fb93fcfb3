//! The ordering faults of other systems, each kept out of this one by a test.
//!
//! A test's number is the row of the table of faults it answers; what is at fault there is in the
//! line above it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sparkjoy_base::{Fingerprint, Hint, Seed, SourceName};
use sparkjoy_mix::{Draw, Ledger, Mixture, Order, Phase, Source, rank_slots};

use crate::study::{SEED, all, branch, ledger, mixture, name, phase, read_of, source, trunk};

/// 13 sources: two large, the others tiny, the least of them at 1 in 5,000.
fn heavy_tail() -> Vec<(&'static str, u32)> {
    vec![
        ("arxiv", 41_000),
        ("books", 9_300),
        ("code", 120_000),
        ("crawl", 606_300),
        ("email", 200),
        ("forum", 460),
        ("law", 210),
        ("math", 850),
        ("news", 1_700),
        ("patents", 5_980),
        ("qa", 14_000),
        ("web", 180_000),
        ("wiki", 20_000),
    ]
}

fn heavy_sources() -> Vec<Source> {
    heavy_tail().iter().map(|(name, ppm)| source(name, u64::from(ppm / 20))).collect()
}

/// The largest distance, in sequences, of a source's count from its share of a prefix of `phase`;
/// every prefix is looked at.
fn farthest_from_its_share(order: &Order, mixture: &Mixture) -> f64 {
    let shares: Vec<f64> = mixture.proportions().values().map(|p| f64::from(p.0) / 1e6).collect();
    let mut counts = vec![0.0; shares.len()];
    let mut farthest: f64 = 0.0;
    for (slots, draw) in (1..).zip(order.sequences(0..order.slots())) {
        counts[draw.source] += 1.0;
        for (count, share) in counts.iter().zip(&shares) {
            farthest = farthest.max((count - share * f64::from(slots)).abs());
        }
    }
    farthest
}

// Row 1: Levanter and Grain round weights, so that small ones become zero and caps are broken.
#[test]
fn row_01_a_tiny_source_survives_and_every_prefix_keeps_every_share() {
    let order = trunk(heavy_sources(), vec![phase(&heavy_tail(), 400_000)]).unwrap();
    let farthest = farthest_from_its_share(&order, &mixture(&heavy_tail()));
    assert!(farthest < 4.0, "off by {farthest}");
    let email = order.counts(0..400_000)[4];
    assert!((78..=82).contains(&email), "{email} of an exact 80");
}

// Row 2: Levanter and Marin move a phase boundary to a block edge.
#[test]
fn row_02_a_phase_begins_exactly_at_any_requested_sequence() {
    for boundary in [1, 2, 3, 63, 64, 65, 999, 1_000, 2_047, 2_048, 2_049] {
        let phases =
            vec![phase(&[("web", 1_000_000)], boundary), phase(&[("math", 1_000_000)], 1_000)];
        let order = trunk(vec![source("web", 500), source("math", 500)], phases).unwrap();
        let (math, web) = (0, 1);
        assert_eq!(order.sequence_at(boundary - 1).source, web);
        assert_eq!(order.sequence_at(boundary).source, math);
        assert_eq!(order.counts(0..boundary), [0, boundary]);
    }
}

// Row 3: Megatron, OLMo-core, Marin and LLM-Foundry begin a second phase where the first began.
#[test]
fn row_03_a_second_phase_reads_on_where_the_first_stopped() {
    let sources = || vec![source("code", 700), source("math", 300), source("web", 2_000)];
    let base = phase(&[("code", 200_000), ("math", 50_000), ("web", 750_000)], 2_000);
    let upsampled = phase(&[("code", 300_000), ("math", 200_000), ("web", 500_000)], 900);

    let both = trunk(sources(), vec![base.clone(), upsampled.clone()]).unwrap();
    let first = trunk(sources(), vec![base]).unwrap();
    for replicate in 0..4 {
        let opening = first.ledger_at(2_000);
        let second = branch(replicate, sources(), opening, upsampled.clone()).unwrap();
        for source in ["code", "math", "web"] {
            let read: BTreeSet<_> = read_of(&first, source).into_iter().collect();
            let again = read_of(&second, source).into_iter().filter(|draw| read.contains(draw));
            assert_eq!(again.count(), 0, "`{source}`, replicate {replicate}");
            if replicate == 0 {
                let joined = [read_of(&first, source), read_of(&second, source)].concat();
                let common = joined.len().min(read_of(&both, source).len());
                assert_eq!(joined[..common], read_of(&both, source)[..common]);
            }
        }
    }
}

// Row 4: Levanter, OLMo-core, Fast-LLM, DoReMi and torchtitan key a source's order by its place in
// a list, so that adding or removing one reshuffles the others.
#[test]
fn row_04_adding_removing_or_reordering_sources_leaves_the_others_in_their_order() {
    let sources = || vec![source("code", 90), source("math", 300), source("web", 1_000)];
    let slots = 1_500;
    let full = phase(&[("code", 100_000), ("math", 200_000), ("web", 700_000)], slots);
    let without = phase(&[("code", 150_000), ("web", 850_000)], slots);
    let opening = || ledger(&[("code", 40), ("math", 10), ("web", 1_700)]);
    for replicate in 0..3 {
        let order =
            |sources, phase: &Phase| branch(replicate, sources, opening(), phase.clone()).unwrap();
        let all_three = order(sources(), &full);
        let removed = order(sources(), &without);
        let never_there = order(vec![source("web", 1_000), source("code", 90)], &without);
        let reordered = order(sources().into_iter().rev().collect(), &full);
        for source in ["code", "web"] {
            let expected = read_of(&all_three, source);
            for other in [&removed, &never_there, &reordered] {
                let found = read_of(other, source);
                let common = found.len().min(expected.len());
                assert!(common > 50);
                assert_eq!(found[..common], expected[..common], "`{source}`");
            }
        }
        assert_eq!(all(&all_three), all(&reordered));
    }
}

// Row 5: in litData, Energon, torchtitan, nanochat and llm.c the order depends on the world size.
#[test]
fn row_05_any_world_size_reads_the_same_order() {
    let order = trunk(heavy_sources(), vec![phase(&heavy_tail(), 96 * 400)]).unwrap();
    let expected = all(&order);
    for world in [1, 3, 8, 96, 100] {
        let steps = (0..400).map(|step| 96 * step..96 * (step + 1));
        let read = steps
            .flat_map(|batch| (0..world).map(move |rank| rank_slots(batch.clone(), rank, world)));
        let read: Vec<Draw> = read.flat_map(|slots| order.sequences(slots)).collect();
        assert_eq!(read, expected, "world of {world}");
    }
}

// Row 6: in nanochat, llm.c, DoReMi and OLMo-core resuming is approximate.
#[test]
fn row_06_stopping_and_resuming_at_every_step_equals_never_stopping() {
    let phases =
        || vec![phase(&heavy_tail(), 20_000), phase(&[("math", 500_000), ("web", 500_000)], 777)];
    let expected = all(&trunk(heavy_sources(), phases()).unwrap());
    let mut read = Vec::new();
    while read.len() < expected.len() {
        // A new process knows the step and nothing else.
        let order = trunk(heavy_sources(), phases()).unwrap();
        let start = read.len() as u64;
        read.extend(order.sequences(start..order.slots().min(start + 480)));
    }
    assert_eq!(read, expected);
}

// Row 6: in OLMo-core a permutation built late changes the order of what is resumed.
#[test]
fn row_06_what_was_asked_before_changes_no_answer() {
    let order = trunk(heavy_sources(), vec![phase(&heavy_tail(), 20_000)]).unwrap();
    let forwards: Vec<Draw> = (0..order.slots()).map(|slot| order.sequence_at(slot)).collect();
    let mut backwards: Vec<Draw> =
        (0..order.slots()).rev().map(|slot| order.sequence_at(slot)).collect();
    backwards.reverse();
    assert_eq!(forwards, backwards);
}

// Row 8: several systems normalise whatever weights they are given, or warn at most.
#[test]
fn row_08_a_bad_sum_a_zero_a_negative_and_an_unknown_name_are_errors() {
    for (json, text) in [
        (r#"{"math":250000,"web":720000}"#, "proportions sum to 97 %, expected exactly 100 %"),
        (r#"{"math":250000,"web":750001}"#, "proportions sum to 100.0001 %, expected exactly"),
        (r#"{"math":0,"web":1000000}"#, "source `math` has proportion 0, expected more than 0"),
        (r#"{"math":-250000,"web":1250000}"#, "invalid value: integer `-250000`"),
        ("{}", "the mixture names no source"),
    ] {
        let error = serde_json::from_str::<Mixture>(json).unwrap_err().to_string();
        assert!(error.contains(text), "{json}: {error}");
    }
    let error = trunk(vec![source("web", 10)], vec![phase(&[("wbe", 1_000_000)], 10)]).unwrap_err();
    assert!(error.to_string().contains("names source `wbe`, expected one of `web`"), "{error}");
    assert!(error.hint().unwrap().contains("`wbe`"));
}

// Row 9: in Levanter and OLMo-core every epoch has the same order.
#[test]
fn row_09_every_epoch_has_an_order_of_its_own() {
    let order = trunk(vec![source("web", 200)], vec![phase(&[("web", 1_000_000)], 12 * 200)]);
    let read = read_of(&order.unwrap(), "web");
    let epochs: BTreeSet<Vec<u64>> =
        read.chunks(200).map(|epoch| epoch.iter().map(|&(_, ordinal)| ordinal).collect()).collect();
    assert_eq!(epochs.len(), 12);
}

// Row 10: in OLMo-core and Megatron identity is a name and a size, or a path, not content.
#[test]
fn row_10_content_is_identity_a_new_name_keeps_the_order_and_new_bytes_change_it() {
    let named = |called: &str, content: &[u8]| {
        let fingerprint = Fingerprint::of_bytes(content);
        let source = Source { name: name(called), fingerprint, sequences: 500 };
        let order = trunk(vec![source], vec![phase(&[(called, 1_000_000)], 1_200)]).unwrap();
        read_of(&order, called)
    };
    let original = named("web", b"the same bytes");
    assert_eq!(named("crawl", b"the same bytes"), original);
    assert_ne!(named("web", b"other bytes"), original);
}

// Row 12: fms-fsdp makes up for the past after a switch: 0 % and 100 % instead of 50 and 50.
#[test]
fn row_12_after_a_switch_from_90_10_to_50_50_every_prefix_is_50_50() {
    let sources = || vec![source("code", 40_000), source("web", 90_000)];
    let trunk = trunk(sources(), vec![phase(&[("code", 100_000), ("web", 900_000)], 80_000)]);
    let half = phase(&[("code", 500_000), ("web", 500_000)], 20_000);
    for seed in 0..8 {
        let opening = trunk.as_ref().unwrap().ledger_at(80_000);
        let order = Order::new(Seed(seed), 0, sources(), opening, 1, vec![half.clone()]).unwrap();
        let farthest = farthest_from_its_share(&order, &half.mixture);
        assert!(farthest <= 3.5, "seed {seed}: off by {farthest}");
    }
}

// Row 13: nanotron repeats the first slice of a large source for ever.
#[test]
fn row_13_a_source_larger_than_its_budget_is_never_repeated() {
    let slots = 30_000;
    let phases = vec![
        phase(&[("small", 900_000), ("large", 100_000)], slots),
        phase(&[("small", 500_000), ("large", 500_000)], slots),
    ];
    let order = trunk(vec![source("small", 100), source("large", 20_000)], phases).unwrap();
    let large = read_of(&order, "large");
    let distinct: BTreeSet<_> = large.iter().collect();
    assert!(large.len() > 17_000);
    assert_eq!(distinct.len(), large.len());
    assert!(read_of(&order, "small").len() > 100 * 400);
}

// Row 14: nanotron counts what later stages have read from the wrong slice.
#[test]
fn row_14_after_each_of_three_phases_the_ledger_is_what_was_read() {
    let sources = vec![source("code", 70), source("math", 30), source("web", 2_000)];
    let phases = vec![
        phase(&[("web", 1_000_000)], 501),
        phase(&[("code", 333_333), ("math", 333_333), ("web", 333_334)], 303),
        phase(&[("code", 900_000), ("math", 100_000)], 212),
    ];
    let opening = ledger(&[("web", 1_234), ("math", 29)]);
    let order = Order::new(SEED, 0, sources, opening.clone(), 0, phases).unwrap();
    for boundary in [0, 501, 804, 1_016] {
        let mut read: std::collections::BTreeMap<SourceName, u64> =
            opening.iter().map(|(name, drawn)| (name.clone(), drawn)).collect();
        for draw in order.sequences(0..boundary) {
            *read.entry(order.sources()[draw.source].name.clone()).or_default() += 1;
        }
        assert_eq!(order.ledger_at(boundary), Ledger::new(read), "at {boundary}");
    }
}

// Row 15: in OLMo-core the seed changes nothing about which tokens are used: files' first ones.
#[test]
fn row_15_another_seed_reads_other_sequences_and_none_prefers_the_front_of_a_source() {
    let read = |seed| {
        let sources = vec![source("web", 10_000)];
        let phases = vec![phase(&[("web", 1_000_000)], 2_000)];
        let order = Order::new(Seed(seed), 0, sources, Ledger::default(), 0, phases).unwrap();
        read_of(&order, "web").into_iter().map(|(_, ordinal)| ordinal).collect::<BTreeSet<_>>()
    };
    let (one, other) = (read(1), read(2));
    // Two random fifths share a fifth of a fifth: 400, with a standard deviation of 16.
    let common = one.intersection(&other).count();
    assert!((336..464).contains(&common), "{common} in common");
    for read in [one, other] {
        for tenth in 0..10 {
            // A tenth of the source gets a tenth of 2,000, give or take 12.
            let inside = read.range(1_000 * tenth..1_000 * (tenth + 1)).count();
            assert!((150..250).contains(&inside), "{inside} in tenth {tenth}");
        }
    }
}

// Row 16: Megatron shuffles epochs together, so that a document may recur within a few steps.
#[test]
fn row_16_no_sequence_of_an_epoch_comes_before_the_last_of_the_epoch_before() {
    let phases = vec![phase(&heavy_tail(), 60_000), phase(&[("law", 1_000_000)], 100)];
    let order = trunk(heavy_sources(), phases).unwrap();
    for (source, _) in heavy_tail() {
        let read = read_of(&order, source);
        assert!(read.is_sorted_by_key(|&(epoch, _)| epoch), "`{source}`");
        let sequences = order.sources().iter().find(|s| s.name == name(source)).unwrap().sequences;
        for (i, epoch) in (0..).zip(read.chunks(sequences as usize)) {
            assert!(epoch.iter().all(|draw| draw.0 == i), "`{source}`, epoch {i}");
        }
    }
}

// Row 17: lingua discards what lies beyond the world size.
#[test]
fn row_17_every_sequence_of_every_source_is_reached_at_any_world_size() {
    let order = trunk(
        vec![source("a", 3), source("b", 50)],
        vec![phase(&[("a", 60_000), ("b", 940_000)], 64)],
    );
    let order = order.unwrap();
    for world in [1, 2, 7, 64, 1_000] {
        let ranks = (0..world).map(|rank| rank_slots(0..64, rank, world));
        let reached: BTreeSet<(usize, u64)> =
            ranks.flat_map(|slots| order.sequences(slots)).map(|d| (d.source, d.ordinal)).collect();
        assert_eq!(reached.len(), 53, "world of {world}");
    }
}

// Row 18: in Megatron a longer run is another order from its first step.
#[test]
fn row_18_a_longer_or_another_later_phase_leaves_every_earlier_one_as_it_was() {
    let first = phase(&heavy_tail(), 10_000);
    let expected = all(&trunk(heavy_sources(), vec![first.clone()]).unwrap());
    for later in [phase(&heavy_tail(), 6_000), phase(&[("qa", 1_000_000)], 9)] {
        let order = trunk(heavy_sources(), vec![first.clone(), later]).unwrap();
        assert_eq!(order.sequences(0..10_000).collect::<Vec<_>>(), expected);
    }
    // The same for one phase: a 5 % window is a prefix of the 30 % window from the same point.
    let window = |slots| {
        branch(2, heavy_sources(), ledger(&[("math", 30)]), phase(&heavy_tail(), slots)).unwrap()
    };
    assert_eq!(all(&window(10_000)), all(&window(60_000))[..10_000]);
}

/// Standard scores of an order of `0..n` against a random one: the serial correlation at `lag`,
/// and the mean distance between neighbours that far apart.
fn scores(order: &[u64], lag: usize) -> (f64, f64) {
    let n = order.len() as f64;
    let mean = (n - 1.0) / 2.0;
    let variance = (n * n - 1.0) / 12.0;
    let pairs = order.iter().zip(&order[lag..]).map(|(&a, &b)| (a as f64, b as f64));
    let (products, distances) = pairs.fold((0.0, 0.0), |(products, distances), (a, b)| {
        (products + (a - mean) * (b - mean), distances + (a - b).abs())
    });
    let count = n - lag as f64;
    let correlation = products / count / variance;
    // Without replacement the expectation is -1 / (n - 1), the deviation close to 1 / sqrt(n).
    let serial = (correlation + 1.0 / (n - 1.0)) * count.sqrt();
    // Distances have mean (n + 1) / 3 and variance n² / 18. Every place is a neighbour twice, so
    // what a distance owes to one of its two places alone cancels in the sum; 2n² / 45 is left.
    let distance = (distances / count - (n + 1.0) / 3.0) / (n * (2.0 / 45.0 / count).sqrt());
    (serial, distance)
}

// Row 19: the shuffles of Levanter look unshuffled: a linear congruence, an affine Feistel.
#[test]
fn row_19_the_order_of_a_source_looks_shuffled_at_every_lag() {
    let mut worst: f64 = 0.0;
    for sequences in [257, 1_000, 1_024, 4_096, 10_007, 65_537] {
        for seed in 0..6 {
            let web = vec![source("web", sequences)];
            let whole = vec![phase(&[("web", 1_000_000)], sequences)];
            let order = Order::new(Seed(seed), 0, web, Ledger::default(), 0, whole).unwrap();
            let read: Vec<u64> = read_of(&order, "web").into_iter().map(|(_, o)| o).collect();
            for lag in [1, 2, 3, 4, 7, 16, 32, 64, 101, 128, 256] {
                let (serial, distance) = scores(&read, lag);
                worst = worst.max(serial.abs()).max(distance.abs());
                assert!(
                    serial.abs() < 4.5 && distance.abs() < 4.5,
                    "{sequences} sequences, seed {seed}, lag {lag}: {serial:.1}, {distance:.1}"
                );
            }
        }
    }
    // 792 scores of a random order reach 3 or so; far less would be too even to be random.
    assert!(worst > 2.0, "no score above {worst:.1}");
}

// Row 19: what the statistics above are worth: they catch the shuffles at fault.
#[test]
fn row_19_the_statistics_tell_a_linear_congruence_from_a_shuffle() {
    let n = 65_537;
    let congruence: Vec<u64> = (0..n).map(|i| (75 * i + 74) % n).collect();
    let (serial, distance) = scores(&congruence, 1);
    let (unshuffled, _) = scores(&(0..n).collect::<Vec<u64>>(), 1);
    assert!(serial.abs() > 3.0 || distance.abs() > 3.0, "{serial:.1}, {distance:.1}");
    assert!(unshuffled > 100.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // Row 3 and design: nothing is read twice before its source is exhausted, however often a
    // run is branched.
    #[test]
    fn row_03_a_chain_of_branches_reads_each_source_through_before_it_repeats(
        cuts in prop::collection::vec(1..400_u64, 1..5),
        shares in prop::collection::vec(1..999_999_u32, 5),
    ) {
        let sources = || vec![source("code", 300), source("web", 700)];
        let mut opening = Ledger::default();
        let mut seen = BTreeSet::new();
        for (cut, code) in cuts.into_iter().zip(shares) {
            let mixture = mixture(&[("code", code), ("web", 1_000_000 - code)]);
            let window = Phase { mixture, slots: 2_000_000 };
            let order = branch(0, sources(), opening, window).unwrap();
            for draw in order.sequences(0..cut) {
                prop_assert!(seen.insert((draw.source, draw.epoch, draw.ordinal)));
            }
            opening = order.ledger_at(cut);
        }
    }
}

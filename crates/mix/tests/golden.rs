//! The order is the same on every machine and in every version: numbers computed by
//! `testdata/order.py`, which shares no code with this crate.

use std::collections::BTreeMap;

use sparkjoy_mix::{Ledger, Order, Phase, Source};

use crate::study::{SEED, all, ledger, phase, source};

fn sources() -> Vec<Source> {
    vec![source("web", 2_500), source("code", 40), source("math", 7)]
}

fn base() -> Phase {
    phase(&[("web", 700_000), ("code", 200_000), ("math", 100_000)], 120)
}

fn upsampled() -> Phase {
    phase(&[("web", 333_334), ("code", 333_333), ("math", 333_333)], 90)
}

#[test]
fn orders_equal_those_of_an_independent_program() {
    let golden: BTreeMap<String, Vec<(usize, u64, u64)>> =
        serde_json::from_str(include_str!("../testdata/order.json")).unwrap();
    let read = || ledger(&[("web", 83), ("code", 25), ("math", 12)]);
    let orders = [
        ("trunk", Order::new(SEED, 0, sources(), Ledger::default(), 0, vec![base(), upsampled()])),
        ("branch", Order::new(SEED, 0, sources(), read(), 1, vec![upsampled()])),
        ("replicate", Order::new(SEED, 2, sources(), read(), 1, vec![upsampled()])),
    ];
    assert_eq!(golden.len(), orders.len());
    for (name, order) in orders {
        let draws = all(&order.unwrap()).into_iter().map(|d| (d.source, d.epoch, d.ordinal));
        assert_eq!(draws.collect::<Vec<_>>(), golden[name], "{name}");
    }
}

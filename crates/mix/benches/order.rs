//! What a slot costs at the paper's scale: 1T tokens in sequences of 4,096, 18 sources.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sparkjoy_base::{Fingerprint, Ppm, Seed, SourceName};
use sparkjoy_mix::{Ledger, Mixture, Order, Phase, Source};

/// 960 sequences a step, 254,313 steps.
const SLOTS: u64 = 254_313 * 960;

/// 18 sources with heavy-tailed proportions; the largest is read once, the others up to four times.
fn paper_scale(replicate: u32) -> Order {
    let name = |i: u32| SourceName::new(&format!("source-{i:02}")).expect("a plain name");
    let mut left = Ppm::ONE.0;
    let proportions: Vec<Ppm> = (0..18)
        .map(|i| {
            let part = if i == 17 { left } else { left / 4 };
            left -= part;
            Ppm(part)
        })
        .collect();
    let sources = (0..18).zip(&proportions).map(|(i, ppm)| Source {
        name: name(i),
        fingerprint: Fingerprint::of_bytes(&i.to_le_bytes()),
        sequences: SLOTS * u64::from(ppm.0) / u64::from(Ppm::ONE.0) / (1 + u64::from(i) % 4),
    });
    let mixture = Mixture::new((0..18).map(name).zip(proportions.iter().copied()).collect());
    let phase = Phase { mixture: mixture.expect("sums to one"), slots: SLOTS };
    Order::new(Seed(17), replicate, sources.collect(), Ledger::default(), 0, vec![phase])
        .expect("no source is starved")
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("1T tokens, 18 sources");
    group.bench_function("build the order", |b| b.iter(|| paper_scale(0)));
    let order = paper_scale(0);
    group.bench_function("counts of the whole run", |b| b.iter(|| order.counts(0..SLOTS - 1)));
    let replicate = paper_scale(1);
    for (label, order) in [("trunk", &order), ("replicate", &replicate)] {
        group.throughput(Throughput::Elements(1));
        let mut slot = 0;
        group.bench_function(format!("sequence_at, {label}"), |b| {
            b.iter(|| {
                // A stride that visits slots all over the run.
                slot = (slot + 97_003_241) % SLOTS;
                order.sequence_at(black_box(slot))
            });
        });
        for (name, slots) in [("65,536 in a row", 65_536), ("one step of 960", 960)] {
            group.throughput(Throughput::Elements(slots));
            group.bench_function(format!("sequences, {name}, {label}"), |b| {
                let draws = || order.sequences(SLOTS / 10..SLOTS / 10 + slots);
                b.iter(|| draws().map(|draw| draw.ordinal).fold(0, u64::wrapping_add));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);

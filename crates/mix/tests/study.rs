//! Small studies for the tests of this crate, and an order made by plain enumeration.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sparkjoy_base::{Fingerprint, Key, Ppm, Purpose, Seed, SourceName};
use sparkjoy_mix::{Draw, Ledger, MixError, Mixture, Order, Phase, Source};

pub(crate) const SEED: Seed = Seed(17);

pub(crate) fn name(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

/// A source whose content is its name.
pub(crate) fn source(called: &str, sequences: u64) -> Source {
    Source { name: name(called), fingerprint: Fingerprint::of_bytes(called.as_bytes()), sequences }
}

pub(crate) fn mixture(proportions: &[(&str, u32)]) -> Mixture {
    Mixture::new(proportions.iter().map(|&(source, ppm)| (name(source), Ppm(ppm))).collect())
        .unwrap()
}

pub(crate) fn phase(proportions: &[(&str, u32)], slots: u64) -> Phase {
    Phase { mixture: mixture(proportions), slots }
}

pub(crate) fn ledger(drawn: &[(&str, u64)]) -> Ledger {
    Ledger::new(drawn.iter().map(|&(source, drawn)| (name(source), drawn)).collect())
}

/// A trunk: replicate 0, nothing read before.
pub(crate) fn trunk(sources: Vec<Source>, phases: Vec<Phase>) -> Result<Order, MixError> {
    Order::new(SEED, 0, sources, Ledger::default(), 0, phases)
}

/// A branch of one phase from `opening`.
pub(crate) fn branch(
    replicate: u32,
    sources: Vec<Source>,
    opening: Ledger,
    phase: Phase,
) -> Result<Order, MixError> {
    Order::new(SEED, replicate, sources, opening, 1, vec![phase])
}

pub(crate) fn all(order: &Order) -> Vec<Draw> {
    order.sequences(0..order.slots()).collect()
}

/// What is read of `source`, in order, as (epoch, ordinal).
pub(crate) fn read_of(order: &Order, source: &str) -> Vec<(u64, u64)> {
    let index = order.sources().iter().position(|s| s.name == name(source)).unwrap();
    let draws = all(order).into_iter().filter(|draw| draw.source == index);
    draws.map(|draw| (draw.epoch, draw.ordinal)).collect()
}

/// The source of every slot of a phase, by walking from slot to slot.
pub(crate) fn enumerated(
    seed: Seed,
    replicate: u32,
    number: u64,
    phase: &Phase,
) -> Vec<SourceName> {
    let address: [&[u8]; 2] = [&number.to_le_bytes(), &replicate.to_le_bytes()];
    let [theta, ..] = Key::new(seed, Purpose::PhaseOffset, &address).words();
    let mut point = u128::from(theta);
    let mut sources = Vec::new();
    for _ in 0..phase.slots {
        let mut up_to = 0;
        let owner = phase.mixture.proportions().iter().find(|(_, ppm)| {
            up_to += u128::from(ppm.0);
            point < (up_to << 64) / 1_000_000
        });
        sources.push(owner.unwrap().0.clone());
        point = (point + 11_400_714_819_323_198_485) % (1 << 64);
    }
    sources
}

/// Sources with 1 to a few hundred sequences, some of them already read, and up to three phases
/// over some of them.
#[derive(Clone, Debug)]
pub(crate) struct Study {
    pub(crate) seed: Seed,
    pub(crate) replicate: u32,
    pub(crate) sources: Vec<Source>,
    pub(crate) opening: Ledger,
    pub(crate) first_phase: u32,
    pub(crate) phases: Vec<Phase>,
}

impl Study {
    pub(crate) fn order(&self) -> Result<Order, MixError> {
        let Self { seed, replicate, sources, opening, first_phase, phases } = self.clone();
        Order::new(seed, replicate, sources, opening, first_phase, phases)
    }
}

prop_compose! {
    fn phases(sources: usize)(
        weights in prop::collection::vec(0..1_000_u64, sources),
        favourite in 0..sources,
        slots in 1..1_500_u64,
    ) -> Phase {
        let mut weights = weights;
        weights[favourite] += 1;
        let total: u64 = weights.iter().sum();
        let mut proportions: BTreeMap<SourceName, Ppm> = BTreeMap::new();
        let mut left = Ppm::ONE.0;
        for (i, weight) in weights.iter().enumerate() {
            let part = (1_000_000 * weight / total) as u32;
            left -= part;
            proportions.insert(name(&format!("s{i}")), Ppm(part));
        }
        proportions.get_mut(&name(&format!("s{favourite}"))).unwrap().0 += left;
        proportions.retain(|_, ppm| ppm.0 > 0);
        Phase { mixture: Mixture::new(proportions).unwrap(), slots }
    }
}

prop_compose! {
    pub(crate) fn studies()(sources in 1..9_usize)(
        phases in prop::collection::vec(phases(sources), 1..4),
        sizes in prop::collection::vec((1..300_u64, 0..500_u64), sources),
        seed in any::<u64>(),
        replicate in 0..3_u32,
        first_phase in 0..2_u32,
    ) -> Study {
        let names = (0..sizes.len()).map(|i| format!("s{i}"));
        let sources = names.zip(&sizes).map(|(s, &(sequences, _))| source(&s, sequences));
        let opening = sizes.iter().enumerate().map(|(i, &(_, drawn))| (name(&format!("s{i}")), drawn));
        Study {
            seed: Seed(seed),
            replicate,
            sources: sources.collect(),
            opening: Ledger::new(opening.collect()),
            first_phase,
            phases,
        }
    }
}

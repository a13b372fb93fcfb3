//! Simulated studies of four windows whose gains and losses are known, and the rules that choose
//! one of them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sparkjoy_stats::{Candidate, Effect, Numbered, Order, Resampling, Stratum, holm};
use statrs::distribution::{ContinuousCDF, Normal};

const CONFIDENCE: f64 = 0.95;
/// Held-out documents of what is aimed at, and of what is guarded.
const ITEMS: usize = 60;
/// The most that what is guarded may lose, in percent.
pub(crate) const MARGIN: f64 = 0.75;

/// What is true of the four windows, in percent.
#[derive(Clone, Copy)]
pub(crate) struct Truth {
    pub name: &'static str,
    pub gains: [f64; 4],
    pub losses: [f64; 4],
}

pub(crate) const TRUTHS: [Truth; 5] = [
    Truth {
        name: "the longest window breaks the guard",
        gains: [1.0, 2.0, 3.0, 4.0],
        losses: [0.0, 0.0, 0.1, 1.5],
    },
    Truth { name: "the gain has its top inside", gains: [1.0, 3.0, 2.0, 0.5], losses: [0.0; 4] },
    Truth { name: "longer is better", gains: [0.5, 1.0, 2.0, 3.5], losses: [0.0; 4] },
    Truth { name: "nothing gains", gains: [0.0; 4], losses: [0.0; 4] },
    Truth {
        name: "two windows lose exactly the margin",
        gains: [1.0, 2.0, 3.0, 4.0],
        losses: [0.0, 0.1, MARGIN, MARGIN],
    },
];

/// How a window is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// [`Resampling::decide`].
    Objective,
    /// The largest mean gain.
    LargestMean,
    /// The largest mean gain of those whose mean loss is below the margin.
    LargestMeanWithin,
    /// The largest gain that is significant after Holm, whatever is lost: the rule of version 0.2.
    LargestSignificant,
}

pub(crate) const RULES: [Rule; 4] =
    [Rule::Objective, Rule::LargestMean, Rule::LargestMeanWithin, Rule::LargestSignificant];

/// Shares of studies, and what is given away.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Tally {
    /// The best window whose guard truly holds was chosen; nothing, where none gains.
    pub best: f64,
    /// A window was chosen whose guard is truly broken.
    pub broken: f64,
    /// A window was chosen.
    pub chosen: f64,
    /// What the best gains more than what was chosen, where no guard was broken; mean, in percent.
    pub regret: f64,
}

struct Source(ChaCha8Rng);

impl Source {
    fn normal(&mut self) -> f64 {
        let uniform = (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0;
        Normal::standard().inverse_cdf(uniform)
    }

    /// `[windows][replicates][items]`: windows share a part of what is particular about items.
    fn differences(&mut self, means: [f64; 4], replicates: usize) -> [Vec<Vec<f64>>; 4] {
        let shared: Vec<f64> = (0..ITEMS).map(|_| 1.4 * self.normal()).collect();
        means.map(|mean| {
            let own: Vec<f64> = shared.iter().map(|item| item + 0.7 * self.normal()).collect();
            let replicate = |_| {
                let level = mean + 0.3 * self.normal();
                own.iter().map(|item| level + item + self.normal()).collect()
            };
            (0..replicates).map(replicate).collect()
        })
    }
}

/// Of studies of one truth, per rule.
pub(crate) fn tallies(truth: Truth, replicates: usize, studies: usize) -> [Tally; 4] {
    let mut tallies = [Tally::default(); 4];
    for study in 0..studies {
        let mut source = Source(ChaCha8Rng::seed_from_u64(study as u64));
        let gains = source.differences(truth.gains, replicates);
        let losses = source.differences(truth.losses, replicates);
        let candidate = |(gain, loss): (Vec<Vec<f64>>, Vec<Vec<f64>>)| Candidate {
            objective: vec![(0, Stratum::alike(1.0, gain))],
            guards: vec![(vec![(1, Stratum::alike(1.0, loss))], MARGIN)],
        };
        let candidates: Vec<Candidate> = gains.into_iter().zip(losses).map(candidate).collect();
        for (tally, rule) in tallies.iter_mut().zip(RULES) {
            tally.add(truth, choose(rule, &candidates, study as u64), studies as f64);
        }
    }
    tallies
}

fn effect(of: &[Numbered], seed: u64) -> Effect {
    let strata: Vec<Stratum> = of.iter().map(|(_, stratum)| stratum.clone()).collect();
    Resampling::new(seed).effect(&strata, CONFIDENCE).expect("there are replicates")
}

fn choose(rule: Rule, candidates: &[Candidate], seed: u64) -> Option<usize> {
    if rule == Rule::Objective {
        let decision = Resampling::new(seed).decide(candidates, Order::Ascending, CONFIDENCE, seed);
        return decision.expect("there are replicates").chosen;
    }
    let gains: Vec<Effect> = candidates.iter().map(|it| effect(&it.objective, seed)).collect();
    let losses: Vec<Effect> = candidates.iter().map(|it| effect(&it.guards[0].0, seed)).collect();
    let p: Vec<f64> = gains.iter().chain(&losses).map(|effect| effect.p).collect();
    let adjusted = holm(&p);
    let may = |place: &usize| {
        gains[*place].mean > 0.0
            && match rule {
                Rule::LargestMeanWithin => losses[*place].mean < MARGIN,
                Rule::LargestSignificant => adjusted[*place] <= 1.0 - CONFIDENCE,
                Rule::LargestMean | Rule::Objective => true,
            }
    };
    let mean = |place: &usize| gains[*place].mean;
    (0..candidates.len()).filter(may).max_by(|a, b| mean(a).total_cmp(&mean(b)))
}

impl Tally {
    fn add(&mut self, truth: Truth, chosen: Option<usize>, studies: f64) {
        let holds = |place: usize| truth.losses[place] < MARGIN;
        let value = |place: Option<usize>| place.map_or(0.0, |place| truth.gains[place]);
        let best = (0..4)
            .filter(|&place| holds(place) && truth.gains[place] > 0.0)
            .max_by(|&a, &b| truth.gains[a].total_cmp(&truth.gains[b]));
        let one = 1.0 / studies;
        self.chosen += if chosen.is_some() { one } else { 0.0 };
        if chosen.is_some_and(|place| !holds(place)) {
            self.broken += one;
            return;
        }
        self.best += if chosen == best { one } else { 0.0 };
        self.regret += one * (value(best) - value(chosen));
    }
}

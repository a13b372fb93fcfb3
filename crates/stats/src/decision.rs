//! Which of several candidates to choose under an objective and guards.
//!
//! The rule: a candidate is *allowed* when every guard is shown to hold (non-inferiority, corrected
//! over the candidates or tested in a fixed order), and it is chosen when its gain in the objective
//! is significant (corrected over the candidates) and the largest among the allowed ones. Where
//! there is none, nothing is chosen: that is no evidence for the base either.
//! `docs/results/decisions.md` shows by simulation how often the rule is right.

use serde::{Deserialize, Serialize};

use crate::curve::{self, CurveShape};
use crate::joint::{Joint, interval};
use crate::strata::negative;
use crate::{Effect, Resampling, Stratum, holm};

/// Draws behind the probability of being best.
pub(crate) const DRAWS: usize = 4_000;

/// A stratum with the number of what it measures: strata with equal numbers have the same items in
/// the same order, whichever candidate they are of.
pub type Numbered = (usize, Stratum);

/// Whether candidates come in an order that was known before they were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Each reads more of what is aimed at than the one before it, so what is guarded is lost by
    /// the last ones first: their guards are tested in this order as long as they hold.
    Ascending,
    /// In none: guards are corrected by Holm over the candidates.
    None,
}

/// What may be chosen in place of the base.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Gain in the objective, candidate − base; more is better.
    pub objective: Vec<Numbered>,
    /// Per guard its loss, candidate − base, and the margin that the loss must stay below.
    pub guards: Vec<(Vec<Numbered>, f64)>,
}

/// What is known of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardState {
    /// The loss is shown to be less than the margin.
    Holds,
    /// The loss is shown to be more than the margin.
    Broken,
    /// Neither is shown.
    Open,
}

/// A guard of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guarded {
    /// The loss.
    pub loss: Effect,
    /// What it must stay below.
    pub margin: f64,
    /// One-sided p that it does, corrected over the candidates.
    pub adjusted_p: f64,
    /// What follows.
    pub state: GuardState,
}

/// A candidate, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Gain in the objective.
    pub gain: Effect,
    /// Its two-sided p, corrected over the candidates.
    pub adjusted_p: f64,
    /// Whether the gain is significant and above 0.
    pub improves: bool,
    /// Its guards, as given.
    pub guards: Vec<Guarded>,
    /// Whether all guards hold.
    pub allowed: bool,
    /// The probability that it is the best of those whose guards hold, the base among them.
    pub best: f64,
}

/// Which candidate to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The candidates, as given.
    pub candidates: Vec<Judged>,
    /// The probability that the base is better than all candidates whose guards hold.
    pub base: f64,
    /// The one to choose; none where no allowed one has a significant gain.
    pub chosen: Option<usize>,
    /// Other allowed candidates whose gain is not significantly less than that of the chosen one.
    pub alike: Vec<usize>,
}

/// Where along an axis the objective is highest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimum {
    /// The curve that predicts left-out arms better.
    pub shape: CurveShape,
    /// The share at which it is highest.
    pub at: f64,
    /// Ends of the interval of that share.
    pub interval: [f64; 2],
}

impl Resampling {
    /// Judges the candidates and chooses one; none for fewer than two replicates.
    ///
    /// # Guarantees
    ///
    /// - Where a guard of some candidates is truly broken, one of them is allowed with a
    ///   probability of at most 1 − `confidence`.
    ///
    /// # Source
    ///
    /// All guards must hold, so the p of a candidate is the largest of theirs (intersection-union
    /// test): Berger, Technometrics 24 (1982). Tests in a fixed order need no correction: Maurer,
    /// Hothorn & Lehmacher, Multiple comparisons in drug clinical trials and preclinical assays:
    /// a-priori ordered hypotheses (1995).
    pub fn decide(
        &mut self,
        candidates: &[Candidate],
        order: Order,
        confidence: f64,
        seed: u64,
    ) -> Option<Decision> {
        let strata = |of: &[Numbered]| of.iter().map(|(_, s)| s.clone()).collect::<Vec<_>>();
        let alpha = 1.0 - confidence;
        let gains: Vec<Effect> = candidates
            .iter()
            .map(|of| self.effect(&strata(&of.objective), confidence))
            .collect::<Option<_>>()?;
        let adjusted = holm(&gains.iter().map(|gain| gain.p).collect::<Vec<_>>());
        let mut guards: Vec<Vec<Guarded>> = Vec::new();
        for candidate in candidates {
            let judged = candidate.guards.iter().map(|(loss, margin)| {
                let loss = strata(loss);
                let p = self.p_below(&loss, *margin, confidence)?;
                let over = self.p_below(&negative(&loss), -margin, confidence)?;
                let state = if over <= alpha { GuardState::Broken } else { GuardState::Open };
                let loss = self.effect(&loss, confidence)?;
                Some(Guarded { loss, margin: *margin, adjusted_p: p, state })
            });
            guards.push(judged.collect::<Option<_>>()?);
        }
        let largest = |guards: &Vec<Guarded>| {
            guards.iter().map(|guard| guard.adjusted_p).fold(f64::MIN_POSITIVE, f64::max)
        };
        let worst: Vec<f64> = guards.iter().map(largest).collect();
        let corrected = holm(&worst);
        let mut before: f64 = 0.0;
        for (place, guards) in guards.iter_mut().enumerate() {
            for guard in guards.iter_mut() {
                guard.adjusted_p = match order {
                    Order::Ascending => guard.adjusted_p.max(before),
                    Order::None => (guard.adjusted_p * corrected[place] / worst[place]).min(1.0),
                };
                if guard.adjusted_p <= alpha {
                    guard.state = GuardState::Holds;
                }
            }
            before = before.max(worst[place]);
        }
        let (best, base) = best(candidates, confidence, seed);
        let judged: Vec<Judged> = gains
            .into_iter()
            .zip(adjusted)
            .zip(guards)
            .zip(best)
            .map(|(((gain, adjusted_p), guards), best)| {
                let allowed = guards.iter().all(|guard| guard.state == GuardState::Holds);
                let improves = adjusted_p <= alpha && gain.mean > 0.0;
                Judged { gain, adjusted_p, improves, guards, allowed, best }
            })
            .collect();
        let chosen = (0..judged.len())
            .filter(|&place| judged[place].allowed && judged[place].improves)
            .max_by(|&a, &b| judged[a].gain.mean.total_cmp(&judged[b].gain.mean));
        let mut alike = Vec::new();
        if let Some(chosen) = chosen {
            for place in (0..judged.len()).filter(|&place| place != chosen && judged[place].allowed)
            {
                let [one, other] = [chosen, place].map(|place| &candidates[place].objective);
                let less = minus(one, other).and_then(|less| self.effect(&less, confidence));
                if less.is_some_and(|less| less.p > alpha) {
                    alike.push(place);
                }
            }
        }
        Some(Decision { candidates: judged, base, chosen, alike })
    }
}

/// The optimum of the gain along an axis; none for fewer than four candidates.
///
/// - `shares`: place of each candidate on the axis, above 0, ascending.
///
/// # Guarantees
///
/// - The interval comes from joint draws of all gains: noise that candidates share moves no
///   optimum.
pub fn optimum(
    candidates: &[Candidate],
    shares: &[f64],
    confidence: f64,
    seed: u64,
) -> Option<Optimum> {
    let gains: Vec<&[Numbered]> = candidates.iter().map(|of| &of.objective[..]).collect();
    let joint = Joint::new(&gains, confidence);
    let draws = joint.draws(DRAWS, seed);
    // A draw of few replicates has no mean to speak of, so the curve is of the means themselves. It
    // bends by what candidates differ in: their common noise is left out of weights.
    let places: Vec<usize> = (0..shares.len()).collect();
    let apart = joint.apart(&places);
    let weights: Vec<f64> = apart.iter().map(|it| 1.0 / it.max(f64::MIN_POSITIVE)).collect();
    let means = joint.means();
    let shape = curve::shape(shares, means, &weights)?;
    let at = curve::optimum(shape, shares, means, &weights);
    let each = draws.iter().map(|draw| curve::optimum(shape, shares, draw, &weights));
    Some(Optimum { shape, at, interval: interval(each.collect(), confidence) })
}

/// How often each candidate is the best of those whose guards hold, and how often the base is.
fn best(candidates: &[Candidate], confidence: f64, seed: u64) -> (Vec<f64>, f64) {
    let mut means: Vec<&[Numbered]> = Vec::new();
    for candidate in candidates {
        means.push(&candidate.objective);
        means.extend(candidate.guards.iter().map(|(loss, _)| &loss[..]));
    }
    let mut wins = vec![0_u32; candidates.len()];
    for draw in Joint::new(&means, confidence).draws(DRAWS, seed) {
        let mut values = draw.into_iter();
        let mut winner = (0.0, None);
        for (place, candidate) in candidates.iter().enumerate() {
            let gain = values.next().unwrap_or_default();
            let losses: Vec<f64> = values.by_ref().take(candidate.guards.len()).collect();
            let holds = losses.iter().zip(&candidate.guards).all(|(loss, (_, m))| loss < m);
            if holds && gain > winner.0 {
                winner = (gain, Some(place));
            }
        }
        if let Some(place) = winner.1 {
            wins[place] += 1;
        }
    }
    let all = DRAWS as f64;
    let base = 1.0 - f64::from(wins.iter().sum::<u32>()) / all;
    (wins.into_iter().map(|wins| f64::from(wins) / all).collect(), base)
}

/// The difference of two means over the same strata; none where they are not the same.
fn minus(one: &[Numbered], other: &[Numbered]) -> Option<Vec<Stratum>> {
    if one.len() != other.len() {
        return None;
    }
    let pair = |((number, one), (same, other)): (&Numbered, &Numbered)| {
        if number != same {
            return None;
        }
        let mut stratum = one.clone();
        for (items, others) in stratum.differences.iter_mut().zip(&other.differences) {
            if items.len() != others.len() {
                return None;
            }
            for (item, other) in items.iter_mut().zip(others) {
                *item -= other;
            }
        }
        Some(stratum)
    };
    one.iter().zip(other).map(pair).collect()
}

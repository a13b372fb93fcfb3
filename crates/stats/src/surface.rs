//! A surface over mixtures that lie on a simplex, and where on it the objective is highest.
//!
//! What is between the measured mixtures is predicted by a polynomial in their shares: it says what
//! to train next, and nothing is chosen by it.

pub(crate) mod polynomial;
#[cfg(test)]
pub(crate) mod tests;

use serde::{Deserialize, Serialize};

use self::polynomial::{Response, terms};
use crate::Numbered;
use crate::decision::{Candidate, DRAWS};
use crate::joint::{Joint, interval};

pub use self::polynomial::{Polynomial, SurfaceShape};

/// Where candidates lie on a simplex.
#[derive(Clone, Copy, Debug)]
pub struct Lattice<'a> {
    /// Per candidate its share of each corner; the sum is 1.
    pub compositions: &'a [Vec<f64>],
    /// Compositions that are the base itself: there gain and losses are exactly 0.
    pub unchanged: &'a [Vec<f64>],
    /// Compositions all over the simplex, at which the highest gain is looked for.
    pub fine: &'a [Vec<f64>],
}

/// What the gain and the losses of guards are over the simplex, fitted to the candidates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// The gain in the objective.
    pub gain: Polynomial,
    /// How far the gain of a candidate lies from what a surface without it predicts: the root of
    /// the mean square.
    pub error: f64,
    /// The loss of each guard.
    pub losses: Vec<Polynomial>,
    /// What each loss must stay below.
    pub margins: Vec<f64>,
    /// Where the gain is highest; none where some guard is predicted to break everywhere.
    pub optimum: Option<SurfaceOptimum>,
}

/// The composition with the highest predicted gain, of those at which all predicted losses stay
/// below their margins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurfaceOptimum {
    /// Its share of each corner; the sum is 1.
    pub composition: Vec<f64>,
    /// The ends of the interval of each share.
    pub intervals: Vec<[f64; 2]>,
    /// Whether some corner has no share in it.
    pub edge: bool,
    /// The gain there.
    pub gain: Predicted,
    /// The loss of each guard there.
    pub losses: Vec<Predicted>,
    /// The probability that all guards hold there.
    pub hold: f64,
    /// The measured candidate with the largest gain of those whose mean losses are below the
    /// margins; none where the base is better.
    pub rival: Option<usize>,
    /// The probability that the gain there is more than that of the rival.
    pub better: f64,
    /// Whether it was measured.
    pub spot: Spot,
}

/// What is known of a composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    /// Nothing was measured there.
    New,
    /// It is that of a candidate.
    Candidate(usize),
    /// It is the base.
    Base,
}

/// A prediction by a surface, with its interval: the noise of what it is fitted to, without what
/// the polynomial cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// The prediction.
    pub mean: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl SurfaceOptimum {
    /// Whether the data say where it is: not where it may be all of one corner or all of another.
    pub fn is_determined(&self) -> bool {
        let open = self.intervals.iter().filter(|[low, high]| *low <= 0.0 && *high >= 1.0);
        open.count() < 2
    }
}

/// The surface over candidates on a simplex; none for too few of them.
///
/// - `candidates`: all have the same guards.
///
/// # Guarantees
///
/// - Intervals and probabilities come from joint draws of all gains and losses.
///
/// # Source
///
/// Canonical polynomials: Scheffé, Experiments with mixtures, Journal of the Royal Statistical
/// Society B 20 (1958).
pub fn surface(
    candidates: &[Candidate],
    lattice: Lattice<'_>,
    confidence: f64,
    seed: u64,
) -> Option<Surface> {
    let margins: Vec<f64> = candidates.first()?.guards.iter().map(|(_, margin)| *margin).collect();
    let mut all: Vec<&[Numbered]> = Vec::new();
    for candidate in candidates {
        all.push(&candidate.objective);
        all.extend(candidate.guards.iter().map(|(loss, _)| &loss[..]));
    }
    let joint = Joint::new(&all, confidence);
    let stride = 1 + margins.len();
    let of = |what: usize| (0..candidates.len()).map(move |place| place * stride + what);
    let response = |what: usize| {
        let places: Vec<usize> = of(what).collect();
        let means: Vec<f64> = places.iter().map(|&place| joint.means()[place]).collect();
        Response::fit(lattice, &means, &weights(&joint.apart(&places)))
    };
    let responses: Vec<Response> = (0..stride).map(response).collect::<Option<_>>()?;
    let fine = lattice.fine;
    let rows: Vec<Vec<f64>> = fine.iter().map(|at| terms(at)).collect();
    let point: Vec<&[f64]> = responses.iter().map(|r| &r.polynomial.coefficients[..]).collect();
    let optimum = highest(&rows, &point, &margins).map(|at| {
        let measured = |place: usize, what: usize| joint.means()[place * stride + what];
        let holds =
            |place: &usize| (1..stride).all(|what| measured(*place, what) < margins[what - 1]);
        let rival = (0..candidates.len())
            .filter(|place| measured(*place, 0) > 0.0 && holds(place))
            .max_by(|a, b| measured(*a, 0).total_cmp(&measured(*b, 0)));
        let (mut shares, mut there) = (vec![Vec::new(); fine[at].len()], vec![Vec::new(); stride]);
        let (mut hold, mut better) = (0_u32, 0_u32);
        for draw in joint.draws(DRAWS, seed) {
            let fitted: Vec<Vec<f64>> = (0..stride)
                .map(|what| responses[what].of(&of(what).map(|at| draw[at]).collect::<Vec<_>>()))
                .collect();
            let fitted: Vec<&[f64]> = fitted.iter().map(Vec::as_slice).collect();
            if let Some(at) = highest(&rows, &fitted, &margins) {
                for (shares, share) in shares.iter_mut().zip(&fine[at]) {
                    shares.push(*share);
                }
            }
            let values: Vec<f64> = fitted.iter().map(|of| value(&rows[at], of)).collect();
            hold += u32::from(below(&values[1..], &margins));
            better += u32::from(values[0] > rival.map_or(0.0, |place| draw[place * stride]));
            there.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
        }
        let mut predicted = point.iter().zip(there).map(|(of, draws)| {
            let [low, high] = interval(draws, confidence);
            Predicted { mean: value(&rows[at], of), low, high }
        });
        SurfaceOptimum {
            intervals: shares.into_iter().map(|draws| interval(draws, confidence)).collect(),
            edge: fine[at].contains(&0.0),
            gain: predicted.next().expect("the gain is the first response"),
            losses: predicted.collect(),
            hold: f64::from(hold) / DRAWS as f64,
            rival,
            better: f64::from(better) / DRAWS as f64,
            spot: spot(&fine[at], lattice),
            composition: fine[at].clone(),
        }
    });
    let mut responses = responses.into_iter();
    let gain = responses.next()?;
    Some(Surface {
        error: gain.error,
        gain: gain.polynomial,
        losses: responses.map(|response| response.polynomial).collect(),
        margins,
        optimum,
    })
}

/// Weights of a fit from the variances of what it is fitted to.
///
/// Variances over few replicates vary far more than the noise does, and a mean whose replicates
/// agree by chance must not decide alone: each is taken half for itself and half for all.
///
/// # Source
///
/// Moderated variances: Smyth, Linear models and empirical Bayes methods for assessing differential
/// expression in microarray experiments, Statistical Applications in Genetics and Molecular Biology
/// 3 (2004).
fn weights(variances: &[f64]) -> Vec<f64> {
    let common = variances.iter().sum::<f64>() / variances.len() as f64;
    // In units of the common one: 2 for the least, 1 for the usual.
    let weight = |own: &f64| if common > 0.0 { 2.0 * common / (own + common) } else { 1.0 };
    variances.iter().map(weight).collect()
}

/// The row with the highest gain of those whose losses are below their margins. `fitted`:
/// coefficients of the gain, then of each loss.
pub(crate) fn highest(rows: &[Vec<f64>], fitted: &[&[f64]], margins: &[f64]) -> Option<usize> {
    let mut best = None;
    let mut most = f64::NEG_INFINITY;
    for (place, row) in rows.iter().enumerate() {
        let gain = value(row, fitted[0]);
        if gain > most {
            let losses = fitted[1..].iter().map(|of| value(row, of));
            if losses.zip(margins).all(|(loss, margin)| loss < *margin) {
                (best, most) = (Some(place), gain);
            }
        }
    }
    best
}

fn below(losses: &[f64], margins: &[f64]) -> bool {
    losses.iter().zip(margins).all(|(loss, margin)| loss < margin)
}

/// The terms of a linear polynomial are the first of a quadratic one.
fn value(row: &[f64], coefficients: &[f64]) -> f64 {
    row.iter().zip(coefficients).map(|(term, of)| term * of).sum()
}

fn spot(composition: &[f64], lattice: Lattice<'_>) -> Spot {
    let same = |other: &Vec<f64>| other.iter().zip(composition).all(|(a, b)| (a - b).abs() < 1e-9);
    match lattice.compositions.iter().position(same) {
        Some(place) => Spot::Candidate(place),
        None if lattice.unchanged.iter().any(same) => Spot::Base,
        None => Spot::New,
    }
}

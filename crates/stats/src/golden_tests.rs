//! Comparison with SciPy and statsmodels; `testdata/golden.py` computes the expected numbers.

use serde::Deserialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::kendall::kendall;
use crate::power::power;
use crate::surface::highest;
use crate::surface::polynomial::{Response, terms};
use crate::surface::tests::over_three_corners;
use crate::{Lattice, Resampling, Stratum, holm};

#[derive(Deserialize)]
struct Golden {
    bootstrap: Sample,
    t: Vec<Test>,
    holm: Adjusted,
    power: Vec<Power>,
    kendall: Ranks,
    surface: Fitted,
}

#[derive(Deserialize)]
struct Sample {
    values: Vec<f64>,
    percentile: [f64; 2],
}

#[derive(Deserialize)]
struct Test {
    values: Vec<f64>,
    p: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Adjusted {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Power {
    size: f64,
    freedom: f64,
    alpha: f64,
    found: f64,
}

#[derive(Deserialize)]
struct Ranks {
    x: Vec<f64>,
    y: Vec<f64>,
    tau: f64,
}

#[derive(Deserialize)]
struct Fitted {
    compositions: Vec<Vec<f64>>,
    gains: Vec<f64>,
    losses: Vec<f64>,
    weights: Vec<f64>,
    quadratic: Vec<f64>,
    linear: Vec<f64>,
    left_out: LeftOut,
    highest: Vec<Top>,
}

#[derive(Deserialize)]
struct LeftOut {
    quadratic: f64,
    linear: f64,
}

#[derive(Deserialize)]
struct Top {
    margin: f64,
    at: Vec<f64>,
    gain: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../testdata/golden.json")).unwrap()
}

fn close(found: f64, expected: f64, within: f64, what: &str) {
    assert!((found - expected).abs() <= within, "{what}: {found}, expected {expected}");
}

#[test]
fn replicates_alone_are_a_t_test() {
    for test in golden().t {
        // One item: the variance of items is unknown.
        let differences = test.values.iter().map(|value| vec![*value]).collect();
        let strata = [Stratum::alike(3.0, differences)];
        let effect = Resampling::new(1).effect(&strata, 0.95).unwrap();
        close(effect.p, test.p, 1e-12, "p");
        for (found, expected) in [(effect.low, test.low), (effect.high, test.high)] {
            close(found, expected, 1e-8, "interval");
        }
    }
}

#[test]
fn items_alone_are_a_bootstrap() {
    let sample = golden().bootstrap;
    let n = sample.values.len() as f64;
    let mean = sample.values.iter().sum::<f64>() / n;
    let squares: f64 = sample.values.iter().map(|value| (value - mean).powi(2)).sum();
    let error = (squares / (n * (n - 1.0))).sqrt();
    // Many replicates with almost no noise.
    let noise = |r: usize| 1e-9 * (r as f64 - 99.5);
    let replicate = |r: usize| sample.values.iter().map(|value| value + noise(r)).collect();
    let strata = [Stratum::alike(1.0, (0..200).map(replicate).collect())];
    // One interval of 2,000 draws is off by a few tenths of a standard error; 40 are averaged.
    let mut ends = [0.0; 2];
    for seed in 0..40 {
        let effect = Resampling::new(seed).effect(&strata, 0.95).unwrap();
        close(effect.standard_error, error, 1e-8, "standard error");
        for (mean, found) in ends.iter_mut().zip([effect.low, effect.high]) {
            *mean += found / 40.0;
        }
    }
    // Our intervals are corrected for the small sample of 40 items, SciPy's are not.
    let t = StudentsT::new(0.0, 1.0, n - 1.0).unwrap().inverse_cdf(0.975);
    let wider = t / Normal::standard().inverse_cdf(0.975) * (n / (n - 1.0)).sqrt();
    for (found, expected) in ends.into_iter().zip(sample.percentile) {
        close(found, mean + (expected - mean) * wider, 0.15 * error, "end of an interval");
    }
}

#[test]
fn corrections_are_those_of_statsmodels() {
    let golden = golden().holm;
    for (found, expected) in holm(&golden.p).into_iter().zip(golden.adjusted) {
        close(found, expected, 1e-12, "adjusted p");
    }
}

#[test]
fn power_is_that_of_the_noncentral_t() {
    for case in golden().power {
        close(power(case.size, case.freedom, case.alpha), case.found, 2e-3, "power");
    }
}

#[test]
fn surfaces_are_those_of_numpy_and_their_tops_those_of_scipy() {
    let golden = golden().surface;
    let (unchanged, fine) = ([vec![1.0 / 3.0; 3]], over_three_corners(60));
    let lattice =
        Lattice { compositions: &golden.compositions, unchanged: &unchanged, fine: &fine };
    let fit = |means: &[f64]| Response::fit(lattice, means, &golden.weights).unwrap();
    let (gain, loss) = (fit(&golden.gains), fit(&golden.losses));
    for (found, expected, off) in [
        (&gain, &golden.quadratic, golden.left_out.quadratic),
        (&loss, &golden.linear, golden.left_out.linear),
    ] {
        assert_eq!(found.polynomial.coefficients.len(), expected.len());
        for (found, expected) in found.polynomial.coefficients.iter().zip(expected) {
            close(*found, *expected, 1e-9, "coefficient");
        }
        close(found.error, off, 1e-9, "error of what is left out");
    }
    let rows: Vec<Vec<f64>> = fine.iter().map(|at| terms(at)).collect();
    let fitted = [&gain.polynomial.coefficients[..], &loss.polynomial.coefficients[..]];
    for top in golden.highest {
        let at = highest(&rows, &fitted, &[top.margin]).unwrap();
        for (found, expected) in fine[at].iter().zip(&top.at) {
            // Along the margin of a loss the nearest of the compositions may be two steps off.
            close(*found, *expected, 2.0 / 60.0, "share at the top");
        }
        close(gain.polynomial.at(&fine[at]), top.gain, 0.02, "gain at the top");
    }
}

#[test]
fn ranks_with_ties_correlate_as_in_scipy() {
    let golden = golden().kendall;
    close(kendall(&golden.x, &golden.y).unwrap(), golden.tau, 1e-12, "tau");
    assert_eq!(kendall(&[1.0, 1.0], &[1.0, 2.0]), None);
}

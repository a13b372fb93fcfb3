//! Comparison with SciPy and statsmodels; `testdata/golden.py` computes the expected numbers.

use serde::Deserialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::kendall::kendall;
use crate::power::power;
use crate::{Resampling, Stratum, holm};

#[derive(Deserialize)]
struct Golden {
    bootstrap: Sample,
    t: Vec<Test>,
    holm: Adjusted,
    power: Vec<Power>,
    kendall: Ranks,
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
fn ranks_with_ties_correlate_as_in_scipy() {
    let golden = golden().kendall;
    close(kendall(&golden.x, &golden.y).unwrap(), golden.tau, 1e-12, "tau");
    assert_eq!(kendall(&[1.0, 1.0], &[1.0, 2.0]), None);
}

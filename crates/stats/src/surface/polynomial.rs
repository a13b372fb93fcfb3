//! Polynomials over a simplex, fitted by weighted least squares.

use serde::{Deserialize, Serialize};

use super::{Lattice, value};

/// Which polynomial is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SurfaceShape {
    /// A blend is the weighted mean of its corners.
    Linear,
    /// Each pair of corners may be better or worse together than that.
    Quadratic,
}

/// A canonical polynomial of Scheffé.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Polynomial {
    /// Which.
    pub shape: SurfaceShape,
    /// One per corner, the value there; for a quadratic one then one per pair of corners, by the
    /// first and the second of them.
    pub coefficients: Vec<f64>,
}

impl Polynomial {
    /// Its value where the shares of the corners are these.
    pub fn at(&self, composition: &[f64]) -> f64 {
        value(&terms(composition), &self.coefficients)
    }
}

/// What the coefficients are multiplied with: shares, then products of two shares.
pub(crate) fn terms(composition: &[f64]) -> Vec<f64> {
    let pairs = composition.iter().enumerate();
    let pairs = pairs.flat_map(|(i, one)| composition[i + 1..].iter().map(move |two| one * two));
    composition.iter().copied().chain(pairs).collect()
}

/// A polynomial and how it follows from the means it is fitted to.
pub(crate) struct Response {
    pub(crate) polynomial: Polynomial,
    /// Root of the mean square of what is left of each mean by a fit without it.
    pub(crate) error: f64,
    /// `[coefficients][means]`.
    operator: Vec<Vec<f64>>,
}

impl Response {
    /// The polynomial that predicts left-out means better, of those that the others determine.
    pub(crate) fn fit(lattice: Lattice<'_>, means: &[f64], weights: &[f64]) -> Option<Self> {
        let shapes = [SurfaceShape::Linear, SurfaceShape::Quadratic];
        let tried = shapes.into_iter().filter_map(|shape| {
            let off = left_out(shape, lattice, means, weights)?;
            let weighed =
                off.iter().zip(weights).map(|(off, weight)| weight * off * off).sum::<f64>();
            Some((shape, off, weighed))
        });
        let (shape, off, _) = tried.min_by(|a, b| a.2.total_cmp(&b.2))?;
        let operator = operator(shape, lattice.compositions, lattice.unchanged, weights)?;
        let squares = off.iter().map(|off| off * off).sum::<f64>();
        let error = (squares / off.len() as f64).sqrt();
        let coefficients = Vec::new();
        let mut response = Self { polynomial: Polynomial { shape, coefficients }, error, operator };
        response.polynomial.coefficients = response.of(means);
        Some(response)
    }

    /// The coefficients for other means with the same weights.
    pub(crate) fn of(&self, means: &[f64]) -> Vec<f64> {
        coefficients(&self.operator, means)
    }
}

fn coefficients(operator: &[Vec<f64>], means: &[f64]) -> Vec<f64> {
    let row = |row: &Vec<f64>| value(row, means);
    operator.iter().map(row).collect()
}

/// Each mean minus what a fit without it predicts; none where some mean is needed for a fit.
fn left_out(
    shape: SurfaceShape,
    lattice: Lattice<'_>,
    means: &[f64],
    weights: &[f64],
) -> Option<Vec<f64>> {
    let off = |left: usize| {
        let rest: Vec<usize> = (0..means.len()).filter(|place| *place != left).collect();
        let compositions: Vec<Vec<f64>> =
            rest.iter().map(|&place| lattice.compositions[place].clone()).collect();
        let others: Vec<f64> = rest.iter().map(|&place| weights[place]).collect();
        let operator = operator(shape, &compositions, lattice.unchanged, &others)?;
        let kept: Vec<f64> = rest.iter().map(|&place| means[place]).collect();
        let fitted = coefficients(&operator, &kept);
        Some(means[left] - value(&terms(&lattice.compositions[left]), &fitted))
    };
    (0..means.len()).map(off).collect()
}

/// How coefficients follow from means, `[coefficients][means]`: least squares, exactly 0 at the
/// compositions `unchanged`. None where the means do not determine them.
fn operator(
    shape: SurfaceShape,
    compositions: &[Vec<f64>],
    unchanged: &[Vec<f64>],
    weights: &[f64],
) -> Option<Vec<Vec<f64>>> {
    let corners = compositions.first()?.len();
    let row = |composition: &Vec<f64>| -> Vec<f64> {
        let mut row = terms(composition);
        if shape == SurfaceShape::Linear {
            row.truncate(corners);
        }
        row
    };
    let rows: Vec<Vec<f64>> = compositions.iter().map(row).collect();
    let exact = independent(unchanged.iter().map(row));
    // The normal equations with a multiplier for each exact point.
    let (count, size) = (rows[0].len(), rows[0].len() + exact.len());
    let mut system = vec![vec![0.0; size + rows.len()]; size];
    for (place, (row, weight)) in rows.iter().zip(weights).enumerate() {
        for (cells, term) in system.iter_mut().zip(row) {
            cells.iter_mut().zip(row).for_each(|(cell, other)| *cell += weight * term * other);
            cells[size + place] = weight * term;
        }
    }
    for (place, row) in exact.iter().enumerate() {
        for (i, term) in row.iter().enumerate() {
            system[i][count + place] = *term;
            system[count + place][i] = *term;
        }
    }
    let solved = solved(system, size)?;
    Some(solved.into_iter().take(count).map(|row| row[size..].to_vec()).collect())
}

/// The rows that are no sum of others before them.
fn independent(rows: impl Iterator<Item = Vec<f64>>) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (mut kept, mut directions): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for row in rows {
        let mut rest = row.clone();
        for direction in &directions {
            let part = dot(&rest, direction);
            rest.iter_mut().zip(direction).for_each(|(x, of)| *x -= part * of);
        }
        let length = dot(&rest, &rest).sqrt();
        if length > 1e-9 {
            directions.push(rest.into_iter().map(|x| x / length).collect());
            kept.push(row);
        }
    }
    kept
}

/// The first `size` columns made the identity by elimination; none where they are singular.
fn solved(mut system: Vec<Vec<f64>>, size: usize) -> Option<Vec<Vec<f64>>> {
    for column in 0..size {
        let pivot = (column..size)
            .max_by(|a, b| system[*a][column].abs().total_cmp(&system[*b][column].abs()))?;
        // Weights are about 1 and shares are up to 1.
        if system[pivot][column].abs() < 1e-9 {
            return None;
        }
        system.swap(column, pivot);
        let scale = system[column][column];
        system[column].iter_mut().for_each(|cell| *cell /= scale);
        let row = system[column].clone();
        for (other, cells) in system.iter_mut().enumerate() {
            let factor = cells[column];
            if other != column && factor != 0.0 {
                cells.iter_mut().zip(&row).for_each(|(cell, of)| *cell -= factor * of);
            }
        }
    }
    Some(system)
}

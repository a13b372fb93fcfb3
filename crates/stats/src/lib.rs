//! Statistics of differences between models: confidence intervals, p-values, correction for
//! multiple comparisons, power analysis.
//!
//! Pure computation: no file, no clock, and no random numbers except from a seed. A study compares
//! models by their scores on items (held-out sequences, questions of tasks). Each model is trained
//! a few times, in different data orders. The estimate is the difference over all data orders and
//! all items of the same kind.
//!
//! There are many items, so they are resampled (bootstrap). There are few replicates: three
//! resampled values never leave their own range, and such intervals cover 75 % at most. So the
//! noise of replicates is modelled as normal with unknown variance, which gives Student's t, and it
//! is integrated instead of drawn. `docs/results/statistics.md` shows the coverage by simulation.

mod blend;
mod curve;
mod decision;
mod effect;
#[cfg(test)]
mod golden_tests;
mod holm;
mod joint;
mod kendall;
mod power;
mod strata;
mod surface;

pub use curve::CurveShape;
pub use decision::{
    Candidate, Decision, GuardState, Guarded, Judged, Numbered, Optimum, Order, optimum,
};
pub use effect::{Effect, Resampling};
pub use holm::holm;
pub use kendall::{Agreement, agreement};
pub use power::{detectable, detectable_like, showable};
pub use strata::Stratum;
pub use surface::{
    Lattice, Polynomial, Predicted, Spot, Surface, SurfaceOptimum, SurfaceShape, surface,
};

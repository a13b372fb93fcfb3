//! Says how sure a difference is: intervals, corrections, what could have been seen.
//!
//! Pure computation: no file, no clock, and no randomness but from a seed. A study compares two
//! models by their scores on items (held-out sequences, items of tasks), each trained a few times
//! in other data orders. What is estimated is the difference that would be found with all data
//! orders and all items like these.
//!
//! Items are many and are resampled as they are. Replicates are few: three values resampled never
//! reach past their own range, and intervals made that way cover 75 % at most. So the level of the
//! replicates is drawn from normal noise whose size is itself uncertain, which is Student's t, and
//! is integrated rather than drawn. `docs/results/statistics.md` has the coverage by simulation.

mod blend;
mod effect;
#[cfg(test)]
mod golden_tests;
mod holm;
mod kendall;
mod power;
mod strata;

pub use effect::{Effect, Resampling};
pub use holm::holm;
pub use kendall::{Agreement, agreement};
pub use power::{detectable, detectable_like};
pub use strata::Stratum;

//! Says how sure a difference is: intervals, corrections, what could have been seen.
//!
//! Pure computation: no file, no clock, and no randomness but from a seed. A study compares two
//! models by their scores on items (held-out sequences, items of tasks), each trained a few times
//! in other data orders. What is estimated is the difference that would be found with all data
//! orders and all items like these.

mod effect;
mod holm;

pub use effect::{Effect, student};
pub use holm::holm;

//! Scores a model on held-out text, the same text for every model.
//!
//! The Gauntlet and its tasks belong here too. This crate reads tokens and computes numbers; it
//! writes nothing, and which models are compared with which is not its business.

mod draw;
mod error;
mod held_out;
mod sample;
#[cfg(test)]
mod tests;

pub use error::EvalError;
pub use held_out::{HeldOutScore, held_out};
pub use sample::sample;

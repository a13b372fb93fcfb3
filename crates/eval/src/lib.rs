//! Scores a model on held-out text and tasks, with an error bar on every number.

mod contract;

pub use contract::{EvalError, HeldOutScore, held_out};

//! Makes a small world up, deterministically from a seed: sources that teach known skills, and the
//! tasks that ask for them.
//!
//! It is the wind tunnel of the laboratory: what the laboratory finds in it can be compared with
//! what was built in. Knows nothing of models and studies.

mod code;
mod dice;
mod error;
mod facts;
mod science;
mod source;
mod studies;
mod sums;
mod tasks;
mod truth;
mod web;
mod words;
mod write;

pub use error::WorldError;
pub use source::{Document, Part, Skill, Source, World};
pub use studies::{FULL, QUICKSTART, study};
pub use tasks::{PROGRAMS, TASKS};
pub use truth::{Comparison, Expectation, Expected, expectations};
pub use write::{SourceTruth, TaskTruth, Truth};

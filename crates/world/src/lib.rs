//! Generates a synthetic world from a seed: sources that teach known skills, and tasks that measure
//! these skills.
//!
//! Its effects are known because they are built in, so the findings of the laboratory can be
//! compared with them. This crate knows nothing of models and studies.

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

//! Says what a run is, and what an engine and a language model must be able to do.
//!
//! Plain types whose JSON is their identity, and two ports. It computes nothing, reads no text and
//! knows no engine.

mod engine;
mod language_model;
mod model;
mod optimizer;
mod precision;
mod promise;
mod run;
mod schedule;
mod shape;
mod step;

pub use engine::{Engine, Job, KernelChange, Observer, Outcome, Signal, Tolerated};
pub use language_model::{
    ChooseToken, Computed, LanguageModel, LanguageModelError, LanguageModelInfo, OUR_KERNELS,
    Prompt, ScoredSequence, TokenScore,
};
pub use model::Model;
pub use optimizer::OptimizerKind;
pub use precision::Precision;
pub use promise::Promise;
pub use run::{Anneal, Moments, RunSpec, Start};
pub use schedule::{Schedule, ScheduleKind};
pub use shape::{Shape, ShapeError, Tensor};
pub use step::StepRecord;

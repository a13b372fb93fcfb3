//! Says what a run is, and what an engine and a language model must be able to do.
//!
//! Plain types whose JSON is their identity, and two ports. It computes nothing, reads no text and
//! knows no engine.

mod language_model;

pub use language_model::{
    ChooseToken, Computed, LanguageModel, LanguageModelError, LanguageModelInfo, Promise, Prompt,
    ScoredSequence, TokenScore,
};

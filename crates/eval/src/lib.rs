//! Scores a model on held-out text and on tasks, the same for every model.
//!
//! This crate reads tokens and rows and computes numbers; it writes nothing, and which models are
//! compared with which is not its business. Who computes is a
//! [`LanguageModel`](sparkjoy_spec::LanguageModel): any of ours, or a [`Worker`] process. A task's
//! way: `task` (data from a file, read by `definition`), `dataset` (its rows), `prompt` (token
//! sequences for the model), `session` (asks the model), `judge` (whether an item is right),
//! `score` (a number with its error), `aggregate` (averages).

mod aggregate;
mod answer;
mod code;
mod dataset;
mod definition;
mod documents;
mod doubtful;
mod error;
mod few_shot;
mod generation;
mod held_out;
mod int_set;
mod judge;
mod metric;
mod next_token;
mod overlap;
mod passage;
mod prompt;
mod random;
mod sample;
mod score;
mod scorecard;
mod session;
mod suite;
mod task;
#[cfg(test)]
mod tests;
mod text;
mod worker;

pub use aggregate::{Average, CategoryScore, SuiteScore, average};
pub use dataset::{Dataset, PlacedRow, Row};
pub use doubtful::{AnsweredBefore, Tied};
pub use error::EvalError;
pub use held_out::{HeldOutScore, MOST_NATS, held_out};
pub use judge::{AnswerMatch, ChoiceResult, ItemResult, Response, Sample, judge};
pub use metric::{Chance, Estimate, pass_at};
pub use overlap::{
    COVERED_PERCENT, Found, ItemTexts, LEAST, OVERLAP_VERSION, Overlap, OverlapIndex, RUN, Search,
    hash_of_words, item_texts,
};
pub use prompt::{AskedTexts, Item, Sequence, Work, asked_texts, items};
pub use sample::sample;
pub use score::{OtherRule, PassAt, Subcategory, TaskScore, score};
pub use scorecard::{FailedTask, MissingTask, Scorecard};
pub use session::{Session, TokenizedModel, answer};
pub use sparkjoy_sandbox::{
    HIDDEN_ARGUMENT, Interpreter, Limits, ProgramVerdict, Protection, Sandbox, SandboxError,
    confined,
};
pub use sparkjoy_spec::{Computed, LanguageModel, LanguageModelError};
pub use suite::{Catalog, Category, Selection, Suite};
pub use task::{
    Aggregation, Baseline, BaselineVersion, Baselines, ChoiceRule, Delimiters, FewShotRule, Format,
    Generation, MatchRule, Sampling, Task, TaskKind,
};
pub use worker::{PATIENCE, Worker};

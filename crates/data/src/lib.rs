//! Turns text into hashed token shards, and reads them back sequence by sequence.
//!
//! Knows no model. What it refuses: text that is not UTF-8, documents without their text, files
//! that break off, shards that are not as they were written.

mod corpus;
mod encode;
mod error;
mod intake;
mod json;
mod lines;
mod making;
mod manifest;
mod packed;
mod pipeline;
mod prepare;
mod rows;
mod sample;
mod shard;
mod source;
mod survey;
#[cfg(test)]
mod tests;
mod tokenizer;
mod walk;

pub use corpus::{Corpus, Part, ShardInfo};
pub use error::{
    BadDocument, DataError, Fault, InputChange, InputError, Place, PrepareError, ShardError,
};
pub use prepare::{PrepareOptions, PrepareProgress, prepare};
pub use sample::sample_documents;
pub use source::{OnBadDocument, SourceFiles, SourceSummary, Validation, scan};
pub use survey::{LeftOut, Survey, Surveyed, count_tokens, survey};
pub use tokenizer::{
    Encoder, ModelEncoder, ModelTokenizer, Tokenizer, TokenizerError, TokenizerKind,
};
pub use walk::{Stretch, Text};

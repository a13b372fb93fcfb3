//! Turns text into hashed token shards, and reads them back sequence by sequence.

mod contract;
mod tokenizer;

pub use contract::{
    Corpus, DataError, OnBadDocument, Part, PrepareOptions, PrepareProgress, SourceFiles,
    SourceSummary, Validation, prepare, scan,
};
pub use tokenizer::{Encoder, Tokenizer, TokenizerError, TokenizerKind};

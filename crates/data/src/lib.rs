//! Turns text into hashed token shards, and reads them back sequence by sequence.

mod contract;

pub use contract::{
    Corpus, DataError, Encoder, OnBadDocument, Part, PrepareOptions, PrepareProgress, SourceFiles,
    SourceSummary, Tokenizer, TokenizerKind, Validation, prepare, scan,
};

//! Turns text into hashed token shards, and reads them back sequence by sequence.
//!
//! Knows no model. What it refuses: text that is not UTF-8, documents without their text, files
//! that break off, shards that are not as they were written.

mod blocks;
mod compression;
mod corpus;
mod document_reader;
mod encode;
mod error;
mod filter;
mod folder_writer;
mod guard;
mod held_out;
mod json;
mod kinds;
mod line_blocks;
mod manifest;
mod parquet_column;
mod parquet_pages;
mod parquet_text;
mod pipeline;
mod prepare;
mod row_text;
mod sample;
mod shard;
mod sniff;
mod source;
mod survey;
#[cfg(test)]
mod tests;
mod tokenizer;

pub use corpus::{Corpus, Part, ShardInfo};
pub use document_reader::{Text, TokenRange};
pub use error::{Absence, BadDocument, DataError, Fault, Place};
pub use filter::Filter;
pub use held_out::{HeldOutDocument, NearCopies, OnlyWhole, TextHash, TrainedOn, check_files};
pub use prepare::{PrepareOptions, PrepareProgress, prepare};
pub use row_text::{BLANK_LINE, LeftOutRows, MESSAGE, RowText, Rows, Template};
pub use sample::sample_documents;
pub use source::{OnBadDocument, SourceFiles, SourceSummary, Validation, scan};
pub use survey::{Broken, LeftOut, Shared, Survey, SurveyedSource, count_tokens, survey};
pub use tokenizer::{
    Encoder, ModelEncoder, ModelTokenizer, Tokenizer, TokenizerError, TokenizerKind,
};

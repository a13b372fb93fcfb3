//! Does a question stand in a text? The measure behind the contamination check.
//!
//! Texts are compared as words: lower case, letters and digits only, so that neither case nor
//! punctuation nor line breaks hide a question. A word of a question is covered if it lies in a run
//! of [`RUN`] of its words that stands in the text; the question stands in the text if
//! [`COVERED_PERCENT`] percent of its words are covered. A question shorter than a run must stand
//! there whole, and one shorter than [`LEAST`] is too short to tell: so few words meet by chance.
//! Matches are made on the words themselves; hashes only say where to look.
//!
//! # Source
//!
//! Brown et al. 2020, arXiv:2005.14165, appendix C: runs of up to 13 words, no shorter than 8
//! because shorter ones collide by chance. Touvron et al. 2023, arXiv:2307.09288, appendix A.6: the
//! share of covered words, and 80 % of them for a question that is "dirty".

mod found;
mod index;
mod search;
#[cfg(test)]
mod tests;
mod texts;
mod words;

pub use found::{Found, Overlap};
pub use index::OverlapIndex;
pub use search::{Search, hash_of_words};
pub use texts::{ItemTexts, item_texts};

/// Words of a run.
pub const RUN: usize = 13;
/// Words of the shortest question that is looked for.
pub const LEAST: usize = 8;
/// Percent of a question's words that stand in a text where the question does.
pub const COVERED_PERCENT: u64 = 80;
/// The version of the measure: two records with it equal were made by the same rules.
pub const OVERLAP_VERSION: u32 = 1;

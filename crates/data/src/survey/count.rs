//! Counts every token of a source that is small enough to be read twice.

use crate::blocks;
use crate::encode::{each_document, side};
use crate::prepare::Sizes;
use crate::source::{SourceFiles, Validation, list};
use crate::{DataError, Part, Tokenizer};

/// Tokens of a source to train on, and held out, as [`crate::prepare`] would find them: each
/// document with the token that ends it, broken documents left out.
///
/// # Errors
///
/// As [`crate::prepare`] for files that cannot be read.
pub fn count_tokens(source: &SourceFiles, tokenizer: &Tokenizer) -> Result<(u64, u64), DataError> {
    let split = match source.validation {
        Validation::Split(share) => share.0,
        Validation::Files(_) | Validation::All => 0,
    };
    let mut encoder = tokenizer.encoder();
    let mut ids = Vec::new();
    let (mut train, mut held_out) = (0, 0);
    for input in list(source)? {
        blocks::read(0, &input, &source.rows, &Sizes::USUAL, |block| {
            let counted = each_document(&block, &source.rows, |_, text| {
                let Ok(text) = text else { return Ok(()) };
                ids.clear();
                encoder.encode(&text, &mut ids);
                let tokens = ids.len() as u64 + 1;
                match input.part.unwrap_or_else(|| side(&text, split)) {
                    Part::Train => train += tokens,
                    Part::Validation => held_out += tokens,
                }
                Ok(())
            });
            counted.is_ok()
        })?;
    }
    Ok((train, held_out))
}

//! A byte-level BPE of the study's own text.

use std::collections::BTreeSet;

use splintr::core::byte_level::{byte_level_decode, byte_level_encode, get_byte_level_char};
use splintr::{CL100K_BASE_PATTERN, FxHashMap};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::{Model, Trainer};

use super::error::vocab_too_small;
use super::{END_OF_TEXT, Tokenizer, TokenizerError, TokenizerKind, cl100k};

/// The 256 bytes and end-of-text.
const SMALLEST: u32 = 257;

/// `cl100k_base` has none longer. Without a limit one page of a million equal characters would
/// become tokens of thousands.
const TOKEN_BYTES_MAX: usize = 128;

/// A longer word is cut in training: the trainer takes time with the square of its length. Encoding
/// cuts nothing.
const WORD_BYTES_MAX: usize = 1024;

pub(super) fn train(texts: &[String], vocab: u32) -> Result<Tokenizer, TokenizerError> {
    if vocab < SMALLEST {
        return Err(vocab_too_small(vocab).into());
    }
    let text_bytes = texts.iter().map(|text| text.len() as u64).sum::<u64>();
    // Every merge shortens the text, so more entries than this cannot come about; the trainer
    // reserves memory for what it is asked.
    let bound = u32::try_from(u64::from(SMALLEST) + text_bytes).unwrap_or(u32::MAX);
    let tokens = train_ranks(texts, vocab.min(bound) - 1);

    let found = tokens.len() as u32 + 1;
    if found < vocab {
        return Err(TokenizerError::TooLittleText { text_bytes, found, expected: vocab });
    }
    Ok(from_ranks(tokens).expect("the alphabet comes first and the merges after it"))
}

/// The bytes of each token, by rank.
///
/// The trainer counts words in hash maps, but every merge is the most frequent pair, the lowest
/// ids first among equals, and the first ids are the bytes in a fixed order: neither the order of
/// the maps nor that of the texts reaches the ranks.
fn train_ranks(texts: &[String], size: u32) -> Vec<Vec<u8>> {
    let mut trainer = BpeTrainer::builder()
        .vocab_size(size as usize)
        .initial_alphabet((0..=u8::MAX).map(get_byte_level_char).collect())
        .max_token_length(Some(TOKEN_BYTES_MAX))
        .show_progress(false)
        .build();
    let split = |text: &str| {
        let mut words = Vec::new();
        cl100k::shared().0.bpe.for_each_pre_token(text, |piece| {
            words.extend(piece.as_bytes().chunks(WORD_BYTES_MAX).map(byte_level_encode));
        });
        Ok(words)
    };
    trainer.feed(texts.iter(), split).expect("splitting text cannot fail");
    let mut model = BPE::default();
    trainer.train(&mut model).expect("training on counted words cannot fail");

    (0..model.get_vocab_size() as u32)
        .map(|id| {
            let token = model.id_to_token(id).expect("the trainer's ids have no gap");
            byte_level_decode(&token).expect("every symbol of the alphabet is a byte")
        })
        .collect()
}

/// The tokenizer whose ids are the ranks of `tokens`, end-of-text after them; `None` where these
/// cannot be ranks: the 256 bytes come first, longer tokens up to the limit after them.
pub(super) fn from_ranks(tokens: Vec<Vec<u8>>) -> Option<Tokenizer> {
    let (bytes, merged) = tokens.split_at_checked(256)?;
    let bytes: BTreeSet<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    let lengths = |token: &Vec<u8>| (2..=TOKEN_BYTES_MAX).contains(&token.len());
    if bytes.len() != 256 || bytes.iter().any(|b| b.len() != 1) || !merged.iter().all(lengths) {
        return None;
    }

    let end_of_text = tokens.len() as u32;
    let ranks: FxHashMap<Vec<u8>, u32> = tokens.into_iter().zip(0..).collect();
    let bpe = splintr::Tokenizer::new(ranks, FxHashMap::default(), CL100K_BASE_PATTERN)
        .expect("the split of cl100k compiles");
    let kind = TokenizerKind::Bpe { vocab: end_of_text + 1 };
    Some(Tokenizer::new(bpe, kind, vec![(end_of_text, END_OF_TEXT)]))
}

//! GPT-4's `cl100k_base`, embedded: nothing is downloaded, at build time or later.

use std::sync::LazyLock;

use splintr::PretrainedVocab;

use super::{END_OF_TEXT, Tokenizer, TokenizerKind};

/// The special token with the largest id, which no other vocabulary has.
pub(super) const LAST: &str = "<|endofprompt|>";

/// The special tokens of tiktoken's `cl100k_base`, by id.
const SPECIALS: [(u32, &str); 5] = [
    (100_257, END_OF_TEXT),
    (100_258, "<|fim_prefix|>"),
    (100_259, "<|fim_middle|>"),
    (100_260, "<|fim_suffix|>"),
    (100_276, LAST),
];

/// The one copy of a process: unpacking the ranks takes tens of milliseconds.
pub(super) fn shared() -> &'static Tokenizer {
    static SHARED: LazyLock<Tokenizer> = LazyLock::new(unpack);
    &SHARED
}

fn unpack() -> Tokenizer {
    let packed = splintr::from_vocab(PretrainedVocab::Cl100kBase)
        .expect("the vocabulary is compiled in and its tests passed");
    let splintr::Backend::Bpe(bpe) = packed.into_backend() else { unreachable!("cl100k is a BPE") };
    Tokenizer::new(bpe, TokenizerKind::Cl100k, SPECIALS.to_vec())
}

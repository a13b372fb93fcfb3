//! What a tokenizer promises, checked from outside.

use sparkjoy_data::{Tokenizer, TokenizerKind};

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encoder().encode(text, &mut ids);
    ids
}

fn texts() -> Vec<String> {
    let rust = include_str!("../src/tokenizer/mod.rs");
    rust.lines().map(str::to_owned).collect()
}

#[test]
fn cl100k_gives_the_ids_of_tiktoken() {
    let tokenizer = Tokenizer::cl100k();
    assert_eq!(ids(&tokenizer, "hello world"), [15_339, 1_917]);
    assert_eq!(ids(&tokenizer, "<|endoftext|>"), [27, 91, 8862, 728, 428, 91, 29]);
}

#[test]
fn opening_what_was_saved_gives_the_same_tokenizer() {
    let trained = Tokenizer::train_bpe(&texts(), 400).unwrap();
    assert_eq!(trained.kind(), &TokenizerKind::Bpe { vocab: 400 });
    for tokenizer in [Tokenizer::cl100k(), trained] {
        let folder = tempfile::tempdir().unwrap();
        tokenizer.save(folder.path()).unwrap();
        let opened = Tokenizer::open(folder.path()).unwrap();
        assert_eq!(opened.fingerprint(), tokenizer.fingerprint());
        assert_eq!(opened.kind(), tokenizer.kind());
        let text = "Grüße, 世界! <|endoftext|> \n\n x";
        assert_eq!(ids(&opened, text), ids(&tokenizer, text));
        assert_eq!(opened.decode(&ids(&opened, text)), text);
    }
}

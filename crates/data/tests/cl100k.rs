//! `cl100k_base` against what Python's tiktoken says; `testdata/tokenizer/cl100k.py` made the file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sparkjoy_data::Tokenizer;

#[derive(Deserialize)]
struct Golden {
    tricky: Vec<Tricky>,
    mixed: Vec<Mixed>,
    documents: Vec<Document>,
}

#[derive(Deserialize)]
struct Tricky {
    text: String,
    ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Mixed {
    text: String,
    fold: String,
}

/// Line `line` (from 0) of a file of the corpora.
#[derive(Deserialize)]
struct Document {
    path: PathBuf,
    line: usize,
    tokens: usize,
    fold: String,
}

/// A line of the corpora.
#[derive(Deserialize)]
struct Line {
    text: String,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../testdata/tokenizer/cl100k.json")).unwrap()
}

/// Encodes with one encoder, as a thread would.
fn encoding() -> impl FnMut(&str) -> Vec<u32> {
    let mut encoder = Tokenizer::cl100k().encoder();
    move |text| {
        let mut ids = Vec::new();
        encoder.encode(text, &mut ids);
        ids
    }
}

/// The same few lines as in the program that made the golden file.
fn fold(ids: &[u32]) -> String {
    let mix = |hash: u64, &id: &u32| (hash ^ u64::from(id)).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", ids.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}

#[test]
fn tricky_texts_give_the_ids_of_tiktoken() {
    let mut encode = encoding();
    for Tricky { text, ids } in golden().tricky {
        assert_eq!(encode(&text), ids, "{text:?}");
        assert_eq!(Tokenizer::cl100k().decode(&ids), text);
    }
}

#[test]
fn mixtures_of_tricky_characters_give_the_ids_of_tiktoken() {
    let mut encode = encoding();
    for Mixed { text, fold: expected } in golden().mixed {
        assert_eq!(fold(&encode(&text)), expected, "{text:?}");
    }
}

#[test]
fn documents_of_every_source_give_the_ids_of_tiktoken() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    if !corpora.is_dir() {
        eprintln!("SKIPPED documents_of_every_source: no corpora at {}", corpora.display());
        return;
    }
    let mut encode = encoding();
    for Document { path, line, tokens, fold: expected } in golden().documents {
        let file = zstd::Decoder::new(File::open(corpora.join(&path)).unwrap()).unwrap();
        let json = BufReader::new(file).lines().nth(line).unwrap().unwrap();
        let ids = encode(&serde_json::from_str::<Line>(&json).unwrap().text);
        assert_eq!(ids.len(), tokens, "{}", path.display());
        assert_eq!(fold(&ids), expected, "{}", path.display());
    }
}

#[test]
fn ids_without_text_have_no_length_and_decode_to_nothing() {
    let tokenizer = Tokenizer::cl100k();
    assert_eq!(tokenizer.vocab(), 100_277);
    assert_eq!(tokenizer.end_of_text(), 100_257);
    let lengths = tokenizer.byte_lengths();
    assert_eq!(lengths.len(), 100_277);
    assert!(lengths[..100_256].iter().all(|&length| length > 0));
    assert!(lengths[100_256..].iter().all(|&length| length == 0));
    assert_eq!(*lengths.iter().max().unwrap(), 128);
    assert_eq!(
        tokenizer.decode(&[15_339, 100_256, 100_257, 100_270, 100_276, 200_000, 1_917]),
        "hello world"
    );
}

#[test]
fn half_a_character_decodes_to_a_replacement() {
    let ids = encoding()("\u{10ffff}");
    assert!(ids.len() > 1);
    assert_eq!(Tokenizer::cl100k().decode(&ids[1..]).chars().next(), Some('\u{fffd}'));
}

#[test]
fn its_fingerprint_is_the_same_on_every_machine() {
    insta::assert_snapshot!(Tokenizer::cl100k().fingerprint(), @"5bafedc5");
}

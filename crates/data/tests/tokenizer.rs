//! What both kinds of tokenizer promise, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use sparkjoy_base::Hint;
use sparkjoy_data::{DataError, Tokenizer, TokenizerError, TokenizerKind};

/// Something to train on: this crate's own source.
fn texts() -> Vec<String> {
    let files = [include_str!("../src/tokenizer/mod.rs"), include_str!("../src/tokenizer/file.rs")];
    files.iter().flat_map(|file| file.lines()).map(str::to_owned).collect()
}

fn trained() -> Tokenizer {
    Tokenizer::train_bpe(&texts(), 600).unwrap()
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encoder().encode(text, &mut ids);
    ids
}

/// The same text in the Hugging Face library, from the saved files.
fn encode_elsewhere(saved: &tokenizers::Tokenizer, text: &str) -> Vec<u32> {
    saved.encode_fast(text, false).unwrap().get_ids().to_vec()
}

fn saved(tokenizer: &Tokenizer) -> tokenizers::Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    tokenizer.save(folder.path()).unwrap();
    let mut saved = tokenizers::Tokenizer::from_file(folder.path().join("tokenizer.json")).unwrap();
    saved.set_encode_special_tokens(true);
    saved
}

/// Texts that cross every branch of the split, and any text at all.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab'sSlLvVtT \\n\\r\\t0-3!.\u{17f}\u{e9}\u{301}\u{4e16}\u{a0}\u{2028}\u{663}<|>]{0,40}",
        any::<String>(),
    ]
}

#[test]
fn any_text_decodes_to_itself_and_its_lengths_add_up() {
    for tokenizer in [Tokenizer::cl100k(), trained()] {
        let encoder = RefCell::new(tokenizer.encoder());
        proptest!(|(text in text())| {
            let mut ids = Vec::new();
            encoder.borrow_mut().encode(&text, &mut ids);
            prop_assert_eq!(tokenizer.decode(&ids), &text[..]);
            let lengths = ids.iter().map(|&id| usize::from(tokenizer.byte_lengths()[id as usize]));
            prop_assert_eq!(lengths.sum::<usize>(), text.len());
            prop_assert!(!ids.contains(&tokenizer.end_of_text()));
        });
    }
}

#[test]
fn the_hugging_face_library_gives_the_same_ids_from_the_saved_files() {
    for tokenizer in [Tokenizer::cl100k(), trained()] {
        let saved = saved(&tokenizer);
        let encoder = RefCell::new(tokenizer.encoder());
        let check = |text: &str| {
            let mut ids = Vec::new();
            encoder.borrow_mut().encode(text, &mut ids);
            assert_eq!(ids, encode_elsewhere(&saved, text), "{text:?}");
        };
        for text in ["", "<|endoftext|> x", "tail \n ", "can't CAN'T 12345", &texts().join("\n")] {
            check(text);
        }
        proptest!(|(text in text())| check(&text));
        let id = saved.token_to_id("<|endoftext|>");
        assert_eq!(id, Some(tokenizer.end_of_text()));
        assert!(saved.get_added_tokens_decoder()[&id.unwrap()].special);
    }
}

#[test]
fn runs_and_overlaps_train_into_ranks_that_both_libraries_read_alike() {
    let runs = "[ab ]{1,60}|(ab|aba|bb){1,20}|a{1,300}|[a \n]{1,40}";
    proptest!(ProptestConfig::with_cases(32), |(
        words in prop::collection::vec(runs, 1..6),
        text in runs,
    )| {
        let Err(error) = Tokenizer::train_bpe(&words, 100_000) else {
            return Err(TestCaseError::fail("a few words cannot fill 100,000 entries"));
        };
        let DataError::Tokenizer(TokenizerError::TooLittleText { found, .. }) = error else {
            return Err(TestCaseError::fail(error.to_string()));
        };
        let tokenizer = Tokenizer::train_bpe(&words, found).unwrap();
        let saved = saved(&tokenizer);
        for text in words.iter().chain([&text]) {
            prop_assert_eq!(encode(&tokenizer, text), encode_elsewhere(&saved, text));
        }
    });
}

#[test]
fn training_on_one_long_word_ends() {
    let long: Vec<String> = ["a", " ", "é"].map(|run| run.repeat(200_000)).into();
    let tokenizer = Tokenizer::train_bpe(&long, 270).unwrap();
    assert_eq!(tokenizer.decode(&encode(&tokenizer, &long[2])), long[2]);
}

#[test]
fn the_same_texts_in_any_order_give_the_same_files() {
    let mut texts = texts();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        Tokenizer::train_bpe(&texts, 600).unwrap().save(folder.path()).unwrap();
        texts.reverse();
    }
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        let [one, two] =
            folders.each_ref().map(|folder| fs::read(folder.path().join(name)).unwrap());
        assert!(one == two, "{name} differs");
    }
}

#[test]
fn opening_what_was_saved_gives_the_same_tokenizer() {
    for tokenizer in [Tokenizer::cl100k(), trained()] {
        let folder = tempfile::tempdir().unwrap();
        tokenizer.save(folder.path()).unwrap();
        let opened = Tokenizer::open(folder.path()).unwrap();
        assert_eq!(opened.fingerprint(), tokenizer.fingerprint());
        assert_eq!(opened.kind(), tokenizer.kind());
        assert_eq!(opened.byte_lengths(), tokenizer.byte_lengths());
    }
}

#[test]
fn an_encoder_appends_and_remembers_nothing_that_changes_ids() {
    let tokenizer = trained();
    let mut encoder = tokenizer.encoder();
    let mut ids = Vec::new();
    for text in ["unseen words", "in two texts", "unseen words"] {
        encoder.encode(text, &mut ids);
    }
    let apart = ["unseen words", "in two texts", "unseen words"].map(|t| encode(&tokenizer, t));
    assert_eq!(ids, apart.concat());
}

#[test]
fn end_of_text_is_the_last_entry_of_a_trained_vocabulary() {
    let tokenizer = trained();
    assert_eq!(tokenizer.kind(), &TokenizerKind::Bpe { vocab: 600 });
    assert_eq!((tokenizer.vocab(), tokenizer.end_of_text()), (600, 599));
    assert_eq!(tokenizer.byte_lengths()[599], 0);
    assert!(encode(&tokenizer, &texts().join("\n")).len() < texts().join("\n").len() / 2);
}

#[test]
fn the_smallest_vocabulary_is_bytes() {
    let tokenizer = Tokenizer::train_bpe(&[], 257).unwrap();
    assert_eq!(encode(&tokenizer, "aé").len(), 3);
    assert_eq!(tokenizer.decode(&encode(&tokenizer, "aé")), "aé");
}

#[test]
fn other_ranks_have_another_fingerprint() {
    let other = Tokenizer::train_bpe(&texts(), 601).unwrap();
    let other_text = Tokenizer::train_bpe(&["aaaa bbbb cccc dddd".repeat(20)], 260).unwrap();
    let fingerprints =
        [&Tokenizer::cl100k(), &trained(), &other, &other_text].map(Tokenizer::fingerprint);
    let distinct: std::collections::BTreeSet<_> = fingerprints.iter().collect();
    assert_eq!(distinct.len(), 4);
    assert_eq!(trained().fingerprint(), trained().fingerprint());
}

#[test]
fn a_million_equal_characters_are_one_piece_and_still_quick() {
    for tokenizer in [Tokenizer::cl100k(), trained()] {
        for text in ["a".repeat(1_000_000), " ".repeat(1_000_000), "=".repeat(1_000_000)] {
            assert_eq!(tokenizer.decode(&encode(&tokenizer, &text)), text);
        }
    }
}

fn refusal(result: Result<Tokenizer, DataError>) -> String {
    let error = result.unwrap_err();
    format!("{error}\nhint: {}", error.hint().unwrap())
}

#[test]
fn a_vocabulary_too_small_for_the_bytes_is_refused() {
    insta::assert_snapshot!(refusal(Tokenizer::train_bpe(&texts(), 256)), @"
    a vocabulary of 256 is too small for 256 bytes and end-of-text, expected at least 257
    hint: set `vocab` of the tokenizer to 257 or more, for example 8192
    ");
}

#[test]
fn a_vocabulary_that_the_text_cannot_fill_is_refused() {
    let texts = ["banana ".repeat(3)];
    insta::assert_snapshot!(refusal(Tokenizer::train_bpe(&texts, u32::MAX)), @"
    21 bytes of text give a vocabulary of 262, expected 4,294,967,295
    hint: set `vocab` of the tokenizer to 262 or less, or give it more text
    ");
}

/// Opens the files of `trained()` after `alter` has changed `tokenizer.json`.
fn open_altered(alter: impl Fn(String) -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    trained().save(folder.path()).unwrap();
    let path = folder.path().join("tokenizer.json");
    let altered = alter(fs::read_to_string(&path).unwrap());
    sparkjoy_base::write_atomic(&path, altered.as_bytes()).unwrap();
    let shown = folder.path().display().to_string();
    refusal(Tokenizer::open(folder.path())).replace(&shown, "prepared")
}

#[test]
fn a_file_that_is_not_json_is_refused() {
    insta::assert_snapshot!(open_altered(|json| json[..100].to_owned()), @"
    `prepared/tokenizer.json` is not a tokenizer.json: EOF while parsing a value at line 7 column 11
    hint: delete `prepared/tokenizer.json` and run the command that made it again; other tokenizers cannot be used
    ");
}

#[test]
fn an_altered_field_is_refused_by_name() {
    let refused = open_altered(|json| json.replace(r#""Isolated""#, r#""Removed""#));
    insta::assert_snapshot!(refused, @"
    `prepared/tokenizer.json` is not as sparkjoy wrote it: `pre_tokenizer` differs
    hint: delete `prepared/tokenizer.json` and run the command that made it again; other tokenizers cannot be used
    ");
    for (from, to, field) in [
        (r#""special": true"#, r#""special": false"#, "added_tokens"),
        (r#""normalizer": null"#, r#""normalizer": {"type": "NFC"}"#, "normalizer"),
        (r#""version": "1.0""#, r#""version": "1.0", "extra": 1"#, "extra"),
        (r#""ignore_merges": false"#, r#""ignore_merges": true"#, "model"),
        (r#""dropout": null"#, r#""dropout": 0.1"#, "model"),
    ] {
        let refused = open_altered(|json| json.replace(from, to));
        assert!(refused.contains(&format!("`{field}` differs")), "{refused}");
    }
}

#[test]
fn a_vocabulary_of_someone_else_is_refused() {
    for vocab in [
        "{}",
        r#"{"<|endoftext|>": 0}"#,
        r#"{"a": 0, "<|endoftext|>": 1}"#,
        "[]",
        r#"{"<|endoftext|>": 100257}"#,
    ] {
        let refused = open_altered(|_| format!(r#"{{"model": {{"vocab": {vocab}}}}}"#));
        assert!(refused.contains("`model` differs"), "{refused}");
    }
    // A token that nothing merges into: the last, before end-of-text.
    let refused = open_altered(|json| {
        let at = json.find(": 598,").unwrap();
        let start = json[..at].rfind('\n').unwrap();
        format!("{}\n\"zzzqzzz\"{}", &json[..start], &json[at..])
    });
    assert!(refused.contains("`model` differs"), "{refused}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Tokenizer::open(Path::new("no/such")).unwrap_err();
    assert!(error.to_string().starts_with("cannot read `no/such/tokenizer.json`"), "{error}");
    assert!(error.hint().unwrap().contains("no/such/tokenizer.json"));
}

//! Tokenizers that others made: the ids and texts that transformers gives, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use sparkjoy_base::{Hint, write_atomic};
use sparkjoy_data::{ModelTokenizer, Tokenizer};

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tokenizer");

/// `foreign.json`: made by `foreign.py`.
#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    #[serde(flatten)]
    tokenizers: BTreeMap<String, Told>,
}

/// What transformers says of one tokenizer.
#[derive(Deserialize)]
struct Told {
    vocab: u32,
    begin: Vec<u32>,
    end_of_text: Option<u32>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    ids: Vec<u32>,
    decoded: String,
}

fn golden() -> Golden {
    let json = fs::read(Path::new(TESTDATA).join("foreign.json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(TESTDATA).join("foreign").join(name)
}

/// A copy of a tokenizer's folder that can be spoiled.
fn copy(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(folder(name).join(file), copy.path().join(file)).unwrap();
    }
    copy
}

/// Changes a JSON file of a folder.
fn edit(folder: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.join(file);
    let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    write_atomic(&path, value.to_string().as_bytes()).unwrap();
}

fn ids(tokenizer: &ModelTokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encoder().encode(text, &mut ids).unwrap();
    ids
}

fn begin(tokenizer: &ModelTokenizer) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encoder().begin(&mut ids);
    ids
}

/// Error and hint, the folder as `model`.
fn refusal(folder: &Path) -> String {
    let error = ModelTokenizer::open(folder).unwrap_err();
    let text = error.to_string();
    let hint = error.hint().unwrap();
    format!("{text}\nhint: {hint}").replace(&folder.display().to_string(), "model")
}

#[test]
fn ids_and_texts_are_those_of_transformers() {
    let golden = golden();
    assert_eq!(golden.tokenizers.len(), 5);
    for (name, told) in &golden.tokenizers {
        let tokenizer = ModelTokenizer::open(&folder(name)).unwrap();
        assert!(!tokenizer.is_ours());
        let found = (tokenizer.vocab(), begin(&tokenizer), tokenizer.end_of_text());
        assert_eq!(found, (told.vocab, told.begin.clone(), told.end_of_text), "{name}");
        let mut encoder = tokenizer.encoder();
        for (text, row) in golden.texts.iter().zip(&told.rows) {
            let mut ids = Vec::new();
            encoder.encode(text, &mut ids).unwrap();
            assert_eq!(ids, row.ids, "{name}: {text:?}");
            assert_eq!(tokenizer.decode(&ids), row.decoded, "{name}: {text:?}");
        }
    }
}

#[test]
fn ids_past_the_vocabulary_and_special_ones_stand_for_no_text() {
    let tokenizer = ModelTokenizer::open(&folder("neox")).unwrap();
    let mut ids = ids(&tokenizer, "joy");
    ids.extend([tokenizer.end_of_text().unwrap(), 1, tokenizer.vocab(), u32::MAX]);
    assert_eq!(tokenizer.decode(&ids), "joy");
}

#[test]
fn our_own_are_read_as_ours() {
    let place = tempfile::tempdir().unwrap();
    let ours = Tokenizer::cl100k();
    ours.save(place.path()).unwrap();
    let tokenizer = ModelTokenizer::open(place.path()).unwrap();
    assert!(tokenizer.is_ours());
    assert_eq!(tokenizer.fingerprint(), ours.fingerprint());
    assert_eq!(tokenizer.end_of_text(), Some(100_257));
    assert_eq!(begin(&tokenizer), Vec::<u32>::new());
    // Unlike theirs: only the joint of two documents is a special token.
    assert!(!ids(&tokenizer, "<|endoftext|>").contains(&100_257));
}

#[test]
fn special_tokens_that_only_the_config_names_are_added() {
    // Vocabulary, end of text and ids of `<e>` as transformers has them.
    let told = |change: fn(&mut Value), legacy: Option<&str>| {
        let place = copy("neox");
        edit(place.path(), "tokenizer_config.json", change);
        if let Some(legacy) = legacy {
            write_atomic(&place.path().join("special_tokens_map.json"), legacy.as_bytes()).unwrap();
        }
        let tokenizer = ModelTokenizer::open(place.path()).unwrap();
        let e = ids(&tokenizer, "<e>").len();
        (tokenizer.vocab(), tokenizer.end_of_text(), e)
    };
    assert_eq!(told(|_| (), None), (347, Some(0), 3));
    let legacy = Some(r#"{"eos_token": "<e>"}"#);
    assert_eq!(told(|_| (), legacy), (348, Some(347), 1));
    let decoder = |config: &mut Value| config["added_tokens_decoder"] = json!({});
    assert_eq!(told(decoder, legacy), (347, Some(0), 3));
    let named = |config: &mut Value| config["pad_token"] = "<e>".into();
    assert_eq!(told(named, None), (348, Some(0), 1));
    let listed = |config: &mut Value| config["additional_special_tokens"] = ["<e>"].into();
    assert_eq!(told(listed, None), (348, Some(0), 1));
    // Beside a tokenizer.json, transformers passes over it.
    let place = copy("neox");
    edit(place.path(), "tokenizer_config.json", |config| config["add_bos_token"] = true.into());
    assert_eq!(begin(&ModelTokenizer::open(place.path()).unwrap()), Vec::<u32>::new());
}

#[test]
fn the_config_may_have_special_text_read_as_text() {
    let place = copy("neox");
    edit(place.path(), "tokenizer_config.json", |config| {
        config["split_special_tokens"] = true.into();
    });
    let tokenizer = ModelTokenizer::open(place.path()).unwrap();
    let found = ids(&tokenizer, "<|endoftext|>");
    assert!(found.len() > 1 && !found.contains(&0), "{found:?}");
}

#[test]
fn the_end_of_a_text_is_the_tokenizers_own_and_else_the_models() {
    let place = copy("neox");
    let end = || ModelTokenizer::open(place.path()).unwrap().end_of_text();
    let write = |name: &str, json: &[u8]| write_atomic(&place.path().join(name), json).unwrap();
    write("config.json", br#"{"eos_token_id": 7}"#);
    assert_eq!(end(), Some(0));
    edit(place.path(), "tokenizer_config.json", |config| {
        config.as_object_mut().unwrap().remove("eos_token");
    });
    assert_eq!(end(), Some(7));
    write("generation_config.json", br#"{"eos_token_id": [5, 6]}"#);
    assert_eq!(end(), Some(5));
}

#[test]
fn a_config_that_names_another_end_of_text_is_said() {
    let place = copy("neox");
    let said = || {
        let tokenizer = ModelTokenizer::open(place.path()).unwrap();
        tokenizer.other_end_of_text(place.path()).unwrap()
    };
    let write = |name: &str, json: &[u8]| write_atomic(&place.path().join(name), json).unwrap();
    assert_eq!(said(), None);
    write("config.json", br#"{"eos_token_id": [3, 0]}"#);
    assert_eq!(said(), None);
    write("config.json", br#"{"eos_token_id": 7}"#);
    let text = "`config.json` names 7 as the end of text, and 0 is used: what the tokenizer names \
                comes first, then `generation_config.json`";
    assert_eq!(said().as_deref(), Some(text));
}

#[test]
fn whatever_changes_ids_changes_the_fingerprint() {
    let place = copy("neox");
    let fingerprint = || ModelTokenizer::open(place.path()).unwrap().fingerprint();
    let first = fingerprint();
    assert_eq!(first, ModelTokenizer::open(&folder("neox")).unwrap().fingerprint());
    edit(place.path(), "tokenizer_config.json", |config| config["model_max_length"] = 5.into());
    assert_eq!(fingerprint(), first);
    edit(place.path(), "tokenizer_config.json", |config| config["pad_token"] = "<e>".into());
    let second = fingerprint();
    assert_ne!(second, first);
    edit(place.path(), "tokenizer.json", |json| json["normalizer"] = Value::Null);
    assert_ne!(fingerprint(), second);
}

#[test]
fn what_cannot_be_used_is_refused_with_what_to_type() {
    let place = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(refusal(place.path()), @r#"
    `model` has no `tokenizer.json`
    hint: put the tokenizer the model was trained with beside it: `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('NAME').save_pretrained('model')"`
    "#);
    write_atomic(&place.path().join("vocab.json"), b"{}").unwrap();
    insta::assert_snapshot!(refusal(place.path()), @r#"
    `model` has no `tokenizer.json`, only `vocab.json` of a slow tokenizer
    hint: save it as a fast one: `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('model').save_pretrained('model')"`
    "#);

    let place = copy("neox");
    let path = place.path().join("tokenizer.json");
    let whole = fs::read(&path).unwrap();
    write_atomic(&path, &whole[..40]).unwrap();
    insta::assert_snapshot!(refusal(place.path()), @r"
    cannot read `model/tokenizer.json`: EOF while parsing a value at line 3 column 18
    hint: fetch `model/tokenizer.json` again: it is cut off or was changed
    ");

    let place = copy("neox");
    edit(place.path(), "tokenizer_config.json", |config| config["eos_token"] = 0.into());
    insta::assert_snapshot!(refusal(place.path()), @r"
    cannot read `model/tokenizer_config.json`: a special token is neither text nor a description with `content`
    hint: fetch `model/tokenizer_config.json` again: it is cut off or was changed
    ");

    let place = copy("wordpiece");
    edit(place.path(), "tokenizer.json", |json| json["model"]["unk_token"] = "[WHAT]".into());
    insta::assert_snapshot!(refusal(place.path()), @r"
    `model/tokenizer.json` has no token for unknown text
    hint: `model/tokenizer.json` is not of a model that continues text; put the tokenizer the model was trained with in its place
    ");

    let place = copy("unigram");
    edit(place.path(), "tokenizer_config.json", |config| config["eos_token"] = "<pad>".into());
    insta::assert_snapshot!(refusal(place.path()), @r"
    `model/tokenizer.json` puts `</s>` behind every text, expected nothing or the end of the text
    hint: `model/tokenizer.json` is not of a model that continues text; put the tokenizer the model was trained with in its place
    ");
}

#[test]
fn what_the_library_panics_at_is_refused_by_name() {
    let place = copy("neox");
    let path = place.path().join("tokenizer.json");
    let whole = fs::read_to_string(&path).unwrap();
    let at = whole.find("\"decoder\": {").unwrap();
    write_atomic(&path, &whole.as_bytes()[..at + 13]).unwrap();
    let said = refusal(place.path());
    assert!(said.starts_with("cannot read `model/tokenizer.json`: its reader gave up"), "{said}");
    assert!(
        said.ends_with("hint: fetch `model/tokenizer.json` again: it is cut off or was changed")
    );

    let place = copy("neox");
    edit(place.path(), "tokenizer.json", |json| json["model"]["vocab"]["far"] = u32::MAX.into());
    insta::assert_snapshot!(refusal(place.path()), @r"
    `model/tokenizer.json` has a token 4294967295, expected ids below 16,777,216
    hint: `model/tokenizer.json` is not of a model that continues text; put the tokenizer the model was trained with in its place
    ");
}

#[test]
fn a_text_that_the_library_gives_up_on_is_an_error() {
    let place = copy("neox");
    // Backtracks beyond every limit where many letters are followed by none in capitals.
    let slow = json!({
        "type": "Split",
        "pattern": {"Regex": "(([a-z])+.)+[A-Z]([a-z])+"},
        "behavior": "Isolated",
        "invert": false
    });
    edit(place.path(), "tokenizer.json", |json| json["pre_tokenizer"] = slow);
    let tokenizer = ModelTokenizer::open(place.path()).unwrap();
    assert!(!ids(&tokenizer, "joy").is_empty());
    let error = tokenizer.encoder().encode(&"a".repeat(60), &mut Vec::new()).unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("the model's tokenizer gives up on the text \"aaaa"), "{said}");
    assert!(error.hint().is_some());
}

#[test]
fn a_tokenizer_that_never_ends_is_not_read() {
    for file in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"] {
        let place = copy("neox");
        edit(place.path(), "tokenizer_config.json", |config| {
            config.as_object_mut().unwrap().remove("added_tokens_decoder");
        });
        let path = place.path().join(file);
        write_atomic(&path, b"{}").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        let said = refusal(place.path());
        assert!(said.contains(&format!("cannot read `model/{file}`: it is longer than")), "{said}");
    }
}

/// A few thousand changes of a byte, of a value and of the length: opened or refused, and what is
/// opened reads any text or says that it does not.
#[test]
fn whatever_is_changed_in_a_tokenizer_nothing_panics() {
    for name in ["neox", "wordpiece", "unigram"] {
        let place = copy(name);
        let path = place.path().join("tokenizer.json");
        let whole = fs::read(&path).unwrap();
        let mut random = 1_u64;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as usize % below
        };
        for _ in 0..300 {
            let mut bytes = whole.clone();
            match next(3) {
                0 => bytes.truncate(next(whole.len())),
                1 => {
                    let at = next(whole.len());
                    bytes[at] = b"09\"[]{},:-et\\"[next(13)];
                }
                _ => {
                    // A piece of it again, at another place.
                    let (from, to, len) = (next(whole.len()), next(whole.len()), next(60));
                    let piece = whole[from..whole.len().min(from + len)].to_vec();
                    bytes.splice(to..whole.len().min(to + len), piece);
                }
            }
            write_atomic(&path, &bytes).unwrap();
            let Ok(tokenizer) = ModelTokenizer::open(place.path()) else { continue };
            let mut ids = Vec::new();
            if tokenizer.encoder().encode("some joy, 12 of it\u{13000}", &mut ids).is_ok() {
                tokenizer.decode(&ids);
            }
        }
    }
}

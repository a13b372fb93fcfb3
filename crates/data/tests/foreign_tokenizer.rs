//! Tokenizers that others made: the ids and texts that transformers gives, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sparkjoy_base::Hint;
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
fn edit(folder: &Path, file: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let path = folder.join(file);
    let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

fn ids(tokenizer: &ModelTokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encoder().encode(text, &mut ids);
    ids
}

fn begin(tokenizer: &ModelTokenizer) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encoder().begin(&mut ids);
    ids
}

/// Error, causes and hint, the folder as `model`.
fn refusal(folder: &Path) -> String {
    let error = ModelTokenizer::open(folder).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(&format!("\n  caused by: {inner}"));
        cause = inner.source();
    }
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
            encoder.encode(text, &mut ids);
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
fn the_config_may_say_what_stands_before_a_text() {
    for (add_bos, add_eos, expected) in
        [(Some(true), None, vec![0]), (Some(false), Some(true), vec![]), (None, None, vec![])]
    {
        let place = copy("neox");
        edit(place.path(), "tokenizer_config.json", |config| {
            for (key, value) in [("add_bos_token", add_bos), ("add_eos_token", add_eos)] {
                if let Some(value) = value {
                    config[key] = value.into();
                }
            }
        });
        assert_eq!(begin(&ModelTokenizer::open(place.path()).unwrap()), expected);
    }
    // It takes the place of the template of tokenizer.json.
    let place = copy("llama");
    edit(place.path(), "tokenizer_config.json", |config| config["add_bos_token"] = false.into());
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
    fs::write(place.path().join("config.json"), r#"{"eos_token_id": 7}"#).unwrap();
    assert_eq!(end(), Some(0));
    edit(place.path(), "tokenizer_config.json", |config| {
        config.as_object_mut().unwrap().remove("eos_token");
    });
    assert_eq!(end(), Some(7));
    fs::write(place.path().join("generation_config.json"), r#"{"eos_token_id": [5, 6]}"#).unwrap();
    assert_eq!(end(), Some(5));
}

#[test]
fn whatever_changes_ids_changes_the_fingerprint() {
    let place = copy("neox");
    let fingerprint = || ModelTokenizer::open(place.path()).unwrap().fingerprint();
    let first = fingerprint();
    assert_eq!(first, ModelTokenizer::open(&folder("neox")).unwrap().fingerprint());
    edit(place.path(), "tokenizer_config.json", |config| config["model_max_length"] = 5.into());
    assert_eq!(fingerprint(), first);
    edit(place.path(), "tokenizer_config.json", |config| config["add_bos_token"] = true.into());
    let second = fingerprint();
    assert_ne!(second, first);
    edit(place.path(), "tokenizer.json", |json| json["normalizer"] = serde_json::Value::Null);
    assert_ne!(fingerprint(), second);
}

#[test]
fn what_cannot_be_used_is_refused_with_what_to_type() {
    let place = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(refusal(place.path()), @r#"
    `model` has no `tokenizer.json`
    hint: put the tokenizer the model was trained with beside it: `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('NAME').save_pretrained('model')"`
    "#);
    fs::write(place.path().join("vocab.json"), "{}").unwrap();
    insta::assert_snapshot!(refusal(place.path()), @r#"
    `model` has no `tokenizer.json`, only `vocab.json` of a slow tokenizer
    hint: save it as a fast one: `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('model').save_pretrained('model')"`
    "#);

    let place = copy("neox");
    let path = place.path().join("tokenizer.json");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    insta::assert_snapshot!(refusal(place.path()), @r"
    cannot read `model/tokenizer.json`
      caused by: EOF while parsing an object at line 332 column 15
    hint: fetch `model/tokenizer.json` again: it is cut off or was changed
    ");

    let place = copy("neox");
    edit(place.path(), "tokenizer_config.json", |config| config["eos_token"] = 0.into());
    insta::assert_snapshot!(refusal(place.path()), @r"
    cannot read `model/tokenizer_config.json`
      caused by: a special token is neither text nor a description with `content` at line 1 column 65
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

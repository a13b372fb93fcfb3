//! A study's text becomes tokenizer and shards once, and is found again.

use std::sync::atomic::AtomicBool;

use sparkjoy_base::Hint;
use sparkjoy_data::Part;
use sparkjoy_jobs::{Event, JobError, Watcher, corpora, open_corpora, text_is_gone};
use sparkjoy_study::{Plan, Study};

use crate::tiny::{STUDY, Tiny, places};

/// Whether a tokenizer is trained when the study is opened again in the same folders.
fn trains_anew(tiny: &Tiny, study: &str) -> bool {
    let study = Study::parse(&tiny.root().join("study.toml"), study.to_owned(), None).unwrap();
    let (stop, mut trained) = (AtomicBool::new(false), false);
    let mut observe = |event: Event<'_>| trained |= matches!(event, Event::TrainingTokenizer);
    let mut watcher = Watcher::new(&stop, &mut observe);
    corpora(&study, &places(tiny.root()).prepared, 2, &mut watcher).unwrap();
    trained
}

#[test]
fn a_trained_tokenizer_is_reused_exactly_when_its_text_and_size_are_the_same() {
    let tiny = Tiny::new();
    assert!(!trains_anew(&tiny, STUDY));
    assert!(!trains_anew(&tiny, &STUDY.replace("batch = 6", "batch = 7")));
    assert!(!trains_anew(&tiny, &STUDY.replace("seed = 17", "seed = 18")));
    assert!(trains_anew(&tiny, &STUDY.replace("vocab = 300", "vocab = 301")));
    assert!(trains_anew(&tiny, &STUDY.replace("sample = \"20K\"", "sample = \"2K\"")));
    assert!(!trains_anew(&tiny, STUDY), "the first one is still there");
}

#[test]
fn what_is_prepared_is_opened_without_writing() {
    let tiny = Tiny::new();
    let prepared = tiny.root().join("prepared");
    let (tokenizer, corpora) = open_corpora(&tiny.study, &prepared).unwrap();
    assert_eq!(tokenizer.fingerprint(), tiny.tokenizer.fingerprint());
    for (found, expected) in corpora.iter().zip(&tiny.corpora) {
        assert_eq!(found.name(), expected.name());
        for part in [Part::Train, Part::Validation] {
            assert_eq!(found.fingerprint(part), expected.fingerprint(part));
        }
    }

    let nowhere = tiny.root().join("nowhere");
    let error = open_corpora(&tiny.study, &nowhere).unwrap_err();
    assert!(error.to_string().starts_with("the tokenizer is not prepared yet: "), "{error}");
    assert!(error.hint().unwrap().starts_with("run `sparkjoy prepare "));
    assert!(!nowhere.exists());
}

#[test]
fn a_preparation_stops_when_told_to() {
    let tiny = Tiny::new();
    let study = STUDY.replace("vocab = 300", "vocab = 302");
    let study = Study::parse(&tiny.root().join("study.toml"), study, None).unwrap();
    let (stop, mut observe) = (AtomicBool::new(true), |_: Event<'_>| {});
    let mut watcher = Watcher::new(&stop, &mut observe);
    let error = corpora(&study, &places(tiny.root()).prepared, 2, &mut watcher).unwrap_err();
    assert!(matches!(error, JobError::Interrupted), "{error}");
}

#[test]
fn what_is_prepared_needs_no_text() {
    let tiny = Tiny::new();
    let study = Study::open(&tiny.root().join("study.toml"), None).unwrap();
    let before = tiny.plan.fingerprint();
    assert!(!text_is_gone(&study));
    std::fs::remove_dir_all(tiny.root().join("text")).unwrap();
    assert!(text_is_gone(&study));
    let (tokenizer, corpora) = open_corpora(&study, &tiny.root().join("prepared")).unwrap();
    assert_eq!(Plan::new(&study, &corpora, &tokenizer).unwrap().fingerprint(), before);
    tiny.finish();
}

//! Held-out documents, and files on both sides.

use sparkjoy_base::Hint as _;

use super::*;
use crate::check_files;

fn named(place: &Place, name: &str, path: &str, validation: Validation) -> SourceFiles {
    let name = SourceName::new(name).unwrap();
    SourceFiles { name, validation, ..place.source(&[path], 0) }
}

fn files(path: &str) -> Validation {
    Validation::Files(vec![path.to_owned()])
}

#[test]
fn a_held_out_document_is_passed_on_with_its_tokens_and_its_text() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..3));
    place.write("held.jsonl", &json_lines(5..7));
    let corpus = place.prepare(&named(&place, "web", "a.jsonl", files("held.jsonl"))).unwrap();
    let (mut seen, mut tokens) = (Vec::new(), 0);
    let never = AtomicBool::new(false);
    corpus
        .each_held_out(tokenizer(), &never, |document| {
            seen.push((document.number, document.text.to_owned()));
            tokens += document.tokens;
        })
        .unwrap();
    let expected = (5..7).zip(1..).map(|(i, number)| (number, text(i)));
    assert_eq!(seen, expected.collect::<Vec<_>>());
    assert_eq!(tokens, corpus.tokens(Part::Validation));
    assert_eq!(corpus.place_of(Part::Validation, 2), "held-out document 2 (`held.jsonl`)");
}

#[test]
fn a_glob_that_takes_in_a_held_out_file_is_refused_with_both_sources() {
    let place = Place::new();
    for (name, range) in [("good.jsonl", 0..5), ("odd.train.jsonl", 5..9), ("odd.val.jsonl", 9..12)]
    {
        place.write(name, &json_lines(range));
    }
    let glob = named(&place, "good", "*.jsonl", Validation::Split(Ppm(100_000)));
    let odd = named(&place, "odd", "odd.train.jsonl", files("odd.val.jsonl"));
    let error = check_files(&[&glob, &odd]).unwrap_err();
    insta::assert_snapshot!(format!("{error}\nhint: {}", error.hint().unwrap()), @r"
    `odd.val.jsonl` is held out by source `odd` and taken in by source `good`, expected held-out text that nothing trains on
    hint: give source `good` a path that leaves this file out
    ");
    let good = named(&place, "good", "good.jsonl", Validation::Split(Ppm(100_000)));
    check_files(&[&good, &odd]).unwrap();
    // A source that nothing trains on holds out each of its files.
    let unseen = named(&place, "new", "g*.jsonl", Validation::All);
    let error = check_files(&[&good, &unseen]).unwrap_err().to_string();
    assert!(
        error.starts_with("`good.jsonl` is held out by source `new` and taken in by"),
        "{error}"
    );
}

#[test]
fn a_source_that_nothing_trains_on_is_held_out_to_its_last_document() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..30));
    place.write("b.jsonl", &json_lines(30..40));
    let source = named(&place, "new", "*.jsonl", Validation::All);
    let corpus = place.prepare(&source).unwrap();
    assert_eq!(documents(&corpus, Part::Validation), (0..40).map(text).collect::<Vec<_>>());
    assert_eq!((corpus.tokens(Part::Train), corpus.documents(Part::Train)), (0, 0));
    assert_eq!(corpus.sequences(Part::Train, 7), 0);
    assert!(corpus.token_ranges(Part::Train, 100).is_empty());
    assert_eq!(corpus.place_of(Part::Validation, 31), "held-out document 31 (`b.jsonl`)");
    corpus.verify().unwrap();
    // The tokenizer of a study is not trained on it, and the next preparation finds it whole.
    assert!(crate::sample_documents(&source, sparkjoy_base::Seed(1), 1000).unwrap().is_empty());
    assert_eq!(place.prepare(&source).unwrap().tokens(Part::Train), 0);
    let split = named(&place, "new", "*.jsonl", Validation::Split(Ppm(1_000_000)));
    let said = place.refusal(&split);
    assert!(said.contains("was prepared with validation from `all its text`"), "{said}");
}

#[test]
fn text_that_changed_since_it_was_prepared_is_named() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..40));
    place.write("b.jsonl", &json_lines(40..80));
    let source = place.source(&["*.jsonl"], 300_000);
    let corpus = place.prepare(&source).unwrap();
    assert_eq!(corpus.changed(&source), None);
    place.write("b.jsonl", &json_lines(40..81));
    assert_eq!(corpus.changed(&source).as_deref(), Some("b.jsonl"));
    fs::remove_file(place.root().join("in/b.jsonl")).unwrap();
    assert_eq!(corpus.changed(&source).as_deref(), Some("b.jsonl"));
    fs::remove_file(place.root().join("in/a.jsonl")).unwrap();
    // Text that is gone says nothing: what is prepared is all there is.
    assert_eq!(corpus.changed(&source), None);
}

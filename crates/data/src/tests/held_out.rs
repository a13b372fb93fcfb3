//! Held-out text that is trained on.

use sparkjoy_base::Hint as _;

use super::*;
use crate::{TrainedOn, check_files, trained_on};

/// Sources `names` prepared each by itself; `validation` of each as files or a share.
fn found(place: &Place, sources: &[SourceFiles]) -> Vec<TrainedOn> {
    let corpora: Vec<Corpus> = sources
        .iter()
        .map(|source| prepare(source, &place.root().join(source.name.as_str()), 1).unwrap())
        .collect();
    trained_on(&corpora, tokenizer(), &AtomicBool::new(false)).unwrap()
}

fn named(place: &Place, name: &str, path: &str, validation: Validation) -> SourceFiles {
    let name = SourceName::new(name).unwrap();
    SourceFiles { name, validation, ..place.source(&[path], 0) }
}

fn files(path: &str) -> Validation {
    Validation::Files(vec![path.to_owned()])
}

#[test]
fn held_out_documents_that_are_trained_on_are_found_with_their_places() {
    let place = Place::new();
    place.write("web.jsonl", &json_lines(0..60));
    place.write("math.jsonl", &json_lines(100..160));
    // Three of the ten stand in the training text, two of them in that of the other source.
    let held = [json_lines(200..207), json_lines(5..6), json_lines(120..122)].concat();
    place.write("held.jsonl", &held);
    place.write("clean.jsonl", &json_lines(300..310));
    let sources = [
        named(&place, "math", "math.jsonl", files("clean.jsonl")),
        named(&place, "web", "web.jsonl", files("held.jsonl")),
    ];
    let found = found(&place, &sources);
    let [leak] = &found[..] else { panic!("{found:?}") };
    assert_eq!((leak.source.as_str(), leak.documents, leak.of_documents), ("web", 3, 10));
    assert!(leak.counts() && leak.tokens < leak.of_tokens);
    let within: Vec<&str> = leak.within.iter().map(SourceName::as_str).collect();
    assert_eq!(within, ["math", "web"]);
    insta::assert_snapshot!(leak.first, @r#"
    held-out document 8 (`held.jsonl`) is document 6 (`web.jsonl`) of web: "document 5\nsévèn \"sequences\" "
    "#);
}

#[test]
fn what_one_share_holds_out_and_another_trains_on_is_found() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..100));
    place.write("b.jsonl", &json_lines(0..100));
    let split = |ppm| Validation::Split(Ppm(ppm));
    let [a, b] = [
        named(&place, "a", "a.jsonl", split(300_000)),
        named(&place, "b", "b.jsonl", split(100_000)),
    ];
    let leaks = found(&place, &[a.clone(), b]);
    let [leak] = &leaks[..] else { panic!("{leaks:?}") };
    assert_eq!(leak.source, a.name);
    // With one share, the same documents are held out everywhere.
    let b = named(&place, "c", "b.jsonl", split(300_000));
    assert_eq!(found(&place, &[a, b]), []);
}

#[test]
fn a_few_documents_that_meet_by_chance_do_not_count() {
    let place = Place::new();
    let long = serde_json::json!({ "text": "seven sequences ".repeat(300) }).to_string() + "\n";
    place.write("a.jsonl", &json_lines(0..40));
    place.write("held.jsonl", &[long.repeat(9).as_bytes(), &json_lines(0..1)].concat());
    let leaks = found(&place, &[named(&place, "a", "a.jsonl", files("held.jsonl"))]);
    assert_eq!((leaks[0].documents, leaks[0].counts()), (1, true), "{leaks:?}");
    let held = [long.repeat(900).as_bytes(), &json_lines(0..1)].concat();
    place.write("more.jsonl", &held);
    let leaks = found(&place, &[named(&place, "b", "a.jsonl", files("more.jsonl"))]);
    assert_eq!((leaks[0].documents, leaks[0].counts()), (1, false), "{leaks:?}");
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

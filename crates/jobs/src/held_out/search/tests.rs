//! Held-out documents planted in training text.

use std::fs;
use std::path::Path;

use sparkjoy_base::{Ppm, SourceName};
use sparkjoy_data::{OnBadDocument, PrepareOptions, Rows, SourceFiles, Validation, prepare};

use super::*;

/// A text of which no run stands in another.
pub(in crate::held_out) fn text(i: usize) -> String {
    (0..60).map(|word| [format!("w{i}x{word}"), " ".to_owned()].concat()).collect()
}

pub(in crate::held_out) fn write(root: &Path, name: &str, texts: impl IntoIterator<Item = String>) {
    let line = |text: String| serde_json::json!({ "text": text }).to_string() + "\n";
    fs::write(root.join(format!("{name}.jsonl")), texts.into_iter().map(line).collect::<String>())
        .unwrap();
}

pub(in crate::held_out) fn held(path: &str) -> Validation {
    Validation::Files(vec![path.to_owned()])
}

/// Sources of which each has a file and what it holds out.
pub(in crate::held_out) fn corpora(
    root: &Path,
    sources: &[(&str, Validation)],
) -> (Tokenizer, Vec<Corpus>) {
    let tokenizer = Tokenizer::train_bpe(&[], 257).unwrap();
    let options = PrepareOptions { threads: 1, stop: &AtomicBool::new(false), progress: &|_| {} };
    let corpus = |(name, validation): &(&str, Validation)| {
        let source = SourceFiles {
            name: SourceName::new(name).unwrap(),
            paths: vec![format!("{name}.jsonl")],
            root: root.to_owned(),
            rows: Rows::default(),
            on_bad_document: OnBadDocument::Refuse,
            validation: validation.clone(),
        };
        let folder = tempfile::tempdir_in(root).unwrap().keep().join("out");
        prepare(&source, &tokenizer, &folder, &options).unwrap()
    };
    let corpora = sources.iter().map(corpus).collect();
    (tokenizer, corpora)
}

/// What is found of sources of which each has a file and what it holds out.
fn found(root: &Path, sources: &[(&str, Validation)], most_bytes: u64) -> Vec<TrainedOn> {
    searched(root, sources, most_bytes).0
}

/// The same, with how many documents of each are compared as a whole alone.
fn searched(
    root: &Path,
    sources: &[(&str, Validation)],
    most_bytes: u64,
) -> (Vec<TrainedOn>, Vec<OnlyWhole>) {
    let (tokenizer, corpora) = corpora(root, sources);
    let never = AtomicBool::new(false);
    let search = |threads| {
        let mut quiet = |_: crate::Event<'_>| {};
        let mut watcher = Watcher::new(&never, &mut quiet);
        trained_on(&corpora, &tokenizer, most_bytes, threads, &mut watcher).unwrap()
    };
    let found = search(1);
    assert_eq!(found, search(3));
    found
}

#[test]
fn held_out_documents_that_are_trained_on_are_found_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "web", (0..60).map(text));
    write(root, "math", (100..160).map(text));
    write(root, "clean", (300..310).map(text));
    // Three of the ten stand in the training text, two of them in that of the other source.
    write(root, "held", (200..207).chain(5..6).chain(120..122).map(text));
    let sources = [("math", held("clean.jsonl")), ("web", held("held.jsonl"))];
    let found = found(root, &sources, MOST_BYTES);
    let [leak] = &found[..] else { panic!("{found:?}") };
    assert_eq!((leak.source.as_str(), leak.documents, leak.of_documents), ("web", 3, 10));
    assert!(leak.counts() && leak.tokens < leak.of_tokens && leak.nearly.is_none());
    let within: Vec<&str> = leak.within.iter().map(SourceName::as_str).collect();
    assert_eq!(within, ["math", "web"]);
    let next: Vec<bool> = leak.next.iter().map(|it| it.starts_with("held-out document ")).collect();
    assert_eq!(next, [true, true], "the others of the three: {:?}", leak.next);
    insta::assert_snapshot!(leak.first, @r#"held-out document 8 (`held.jsonl`) is document 6 (`web.jsonl`) of web: "w5x0 w5x1 w5x2 w5x3 w5x4 w5x5 w5x6 w5x7 w5x8 w5x9 w5x10 w5x1""#);
}

#[test]
fn a_near_copy_is_found_and_what_is_put_together_of_many_documents_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let edited =
        |i: usize| format!("Copied from elsewhere:\n{}", text(i).replace("x30 ", "x30, um "));
    // Of 71, a half stands in each of two documents.
    let halves = text(71).split_at(text(71).find("w71x30").unwrap()).0.to_owned();
    let other = text(71)[halves.len()..].to_owned();
    let planted = [edited(70), format!("{halves} {}", text(90)), format!("{} {other}", text(91))];
    write(root, "web", (0..20).map(text).chain(planted));
    write(root, "held", (70..80).map(text));
    let leaks = found(root, &[("web", held("held.jsonl"))], MOST_BYTES);
    let [leak] = &leaks[..] else { panic!("{leaks:?}") };
    let nearly = leak.nearly.unwrap();
    assert_eq!((leak.documents, nearly.documents, nearly.of_documents), (1, 1, 10));
    assert_eq!((leak.tokens, nearly.of_tokens), (nearly.tokens, leak.of_tokens));
    assert_eq!(nearly.in_parts, 0);
    assert!(leak.counts());
    insta::assert_snapshot!(leak.first, @r#"held-out document 1 (`held.jsonl`) is nearly document 21 (`web.jsonl`) of web: "w70x0 w70x1 w70x2 w70x3 w70x4 w70x5 w70x6 w70x7 w70x8 w70x9 w70x10 w70x11 w70x12 …""#);
    // Where memory is bounded, words are looked for in some documents, evenly.
    let bytes = (70..80).map(|i| text(i).len() as u64).sum::<u64>() / 3;
    let leaks = found(root, &[("web", held("held.jsonl"))], bytes);
    assert_eq!(leaks[0].nearly.unwrap().of_documents, 3, "{leaks:?}");
    write(root, "held", (72..80).chain(70..72).map(text));
    let (leaks, only) = searched(root, &[("web", held("held.jsonl"))], 1);
    assert_eq!((leaks, only[0].beyond, only[0].common, only[0].few_words), (vec![], 9, 0, 0));
}

#[test]
fn a_document_cut_into_pieces_is_found_wherever_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let pieces = |i: usize| (0..5).map(move |piece| text(1000 + 10 * i + piece));
    let whole = |i: usize| pieces(i).collect::<String>();
    // Two of the five pieces of each lie in the other source.
    let all = || (70..80).flat_map(pieces).enumerate();
    write(root, "web", (0..20).map(text).chain(all().filter(|(i, _)| i % 5 > 1).map(|(_, p)| p)));
    write(root, "math", (30..50).map(text).chain(all().filter(|(i, _)| i % 5 < 2).map(|(_, p)| p)));
    write(root, "held", (70..80).map(whole));
    write(root, "clean", (80..90).map(text));
    let sources = [("math", held("clean.jsonl")), ("web", held("held.jsonl"))];
    let leaks = found(root, &sources, MOST_BYTES);
    let [leak] = &leaks[..] else { panic!("{leaks:?}") };
    assert_eq!((leak.source.as_str(), leak.documents), ("web", 10));
    assert_eq!(leak.nearly.unwrap().in_parts, 10);
    let within: Vec<&str> = leak.within.iter().map(SourceName::as_str).collect();
    assert_eq!(within, ["math", "web"]);
    insta::assert_snapshot!(leak.first, @r#"held-out document 1 (`held.jsonl`) is in parts in document 21 (`math.jsonl`) of math and others: "w1700x0 w1700x1 w1700x2 w1700x3 w1700x4 w1700x5 w1700x6 w1700x7 w1700x8 w1700x9 w1700x10 w1700x11 w1700x12 …""#);
    // Three fifths of the words are too little.
    assert_eq!(found(root, &[("web", held("held.jsonl"))], MOST_BYTES), []);
}

#[test]
fn a_short_document_is_found_as_a_whole_and_from_eight_words_on_within_others() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let words = |i: usize, words: usize| {
        (0..words).map(|word| format!("w{i}x{word}")).collect::<Vec<_>>().join(" ")
    };
    let lengths = [1, 7, 8, 12, 13, 39, 45];
    let short = || lengths.iter().enumerate().map(|(i, &n)| words(200 + i, n));
    write(root, "held", short().chain(["...".to_owned()]));
    let found = |change: &dyn Fn(String) -> String| {
        write(root, "web", (0..20).map(text).chain(short().chain(["!".to_owned()]).map(change)));
        let (leaks, only) = searched(root, &[("web", held("held.jsonl"))], MOST_BYTES);
        assert_eq!((only[0].few_words, only[0].common, only[0].beyond), (3, 0, 0));
        leaks.first().map_or((0, 0), |leak| {
            (leak.documents, leak.nearly.map_or(0, |nearly| nearly.documents))
        })
    };
    // What has no words is equal to nothing but itself.
    assert_eq!(found(&|text| format!("{text} ")), (7, 0));
    assert_eq!(found(&|text| text.to_uppercase().replace(' ', ",\n")), (7, 0));
    assert_eq!(found(&|text| format!("Q: what is it?\nA: {text}")), (5, 5));
    assert_eq!(found(&|text| format!("x{text}")), (0, 0));
}

#[test]
fn what_stands_in_many_held_out_documents_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let variants = (0..9).flat_map(|_| 200..210).map(text);
    write(root, "held", variants.chain((300..310).map(text)));
    write(root, "web", (0..20).map(text).chain((200..210).map(|i| text(i) + "and more")));
    let (leaks, only) = searched(root, &[("web", held("held.jsonl"))], MOST_BYTES);
    assert_eq!(leaks, []);
    let [only] = &only[..] else { panic!("{only:?}") };
    assert_eq!((only.common, only.few_words, only.of_documents), (90, 0, 100));
    assert!(only.counts() && only.tokens < only.of_tokens);
}

#[test]
fn what_one_share_holds_out_and_another_trains_on_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["a", "b", "c"] {
        write(root, name, (0..100).map(text));
    }
    let split = |ppm| Validation::Split(Ppm(ppm));
    let leaks = found(root, &[("a", split(300_000)), ("b", split(100_000))], MOST_BYTES);
    let [leak] = &leaks[..] else { panic!("{leaks:?}") };
    assert_eq!(leak.source.as_str(), "a");
    // With one share, the same documents are held out everywhere.
    assert_eq!(found(root, &[("a", split(300_000)), ("c", split(300_000))], MOST_BYTES), []);
}

#[test]
fn a_few_documents_that_meet_by_chance_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let long = (1000..1100).map(text).collect::<String>();
    write(root, "a", (0..40).map(text));
    let of_held = |times| {
        write(root, "held", std::iter::repeat_n(long.clone(), times).chain([text(0)]));
        found(root, &[("a", held("held.jsonl"))], MOST_BYTES)
    };
    let leaks = of_held(1);
    assert_eq!((leaks[0].documents, leaks[0].counts()), (1, true), "{leaks:?}");
    let leaks = of_held(20);
    assert_eq!((leaks[0].documents, leaks[0].counts()), (1, false), "{leaks:?}");
}

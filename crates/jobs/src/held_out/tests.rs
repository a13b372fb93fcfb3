//! Records of what was found: whose they are, and those of before.

use std::fs;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::Hint as _;
use sparkjoy_kit::invented;

use super::search::tests::{corpora, held, text, write};
use super::*;

#[test]
fn a_record_of_other_sources_is_refused_and_one_of_before_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "web", (0..20).map(text));
    write(root, "clean", (30..40).map(text));
    write(root, "leaked", (10..15).map(text));
    let study = Study::parse(&root.join("study.toml"), invented::STUDY.to_owned(), None).unwrap();
    let of = |held_out: &str| corpora(root, &[("web", held(held_out))]);
    let (tokenizer, clean) = of("clean.jsonl");
    let (_, leaked) = of("leaked.jsonl");
    let check = |corpora: &[Corpus]| {
        let (never, mut quiet) = (AtomicBool::new(false), |_: crate::Event<'_>| {});
        let watcher = &mut Watcher::new(&never, &mut quiet);
        check_held_out(&study, corpora, &tokenizer, root, 1, watcher)
    };
    let [of_clean, of_leaked] = [&clean, &leaked].map(|it| Looked::new(it).file(root));

    check(&clean).unwrap();
    assert!(check(&leaked).unwrap_err().to_string().contains("HELD-OUT TEXT IS TRAINED ON"));
    let found = fs::read(&of_leaked).unwrap();
    fs::copy(&of_clean, &of_leaked).unwrap();
    for error in [check(&leaked), refuse_leaked(&study, &leaked, root)].map(Result::unwrap_err) {
        assert!(error.to_string().contains("is about other sources than its name says"), "{error}");
        assert!(error.hint().unwrap().starts_with("move `"));
    }
    held_out_notes(&study, &leaked, root).unwrap_err();

    // What an earlier version wrote is believed as long as nobody may look again.
    fs::remove_file(&of_leaked).unwrap();
    for earlier in Looked::new(&leaked).earlier_files(root) {
        write_atomic(&earlier, &sealed(br#"{"found":[]}"#, b"")).unwrap();
    }
    refuse_leaked(&study, &leaked, root).unwrap();
    check(&leaked).unwrap_err();
    assert_eq!(fs::read(&of_leaked).unwrap(), found);
    refuse_leaked(&study, &leaked, root).unwrap_err();
}

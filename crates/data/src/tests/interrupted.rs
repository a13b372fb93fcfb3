//! Stopped or killed anywhere, a preparation goes on to the same bytes.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Prepares with a stop after `calls` calls of the progress function.
fn prepare_until(source: &SourceFiles, folder: &Path, calls: u64) -> Result<Corpus, DataError> {
    let (stop, seen) = (AtomicBool::new(false), AtomicU64::new(0));
    let progress = |_| {
        if seen.fetch_add(1, Ordering::Relaxed) + 1 >= calls {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let options = PrepareOptions { threads: 2, stop: &stop, progress: &progress };
    prepare_sized(source, tokenizer(), folder, &options, &TINY)
}

/// Several files of several kinds, split by hash.
fn split(place: &Place) -> SourceFiles {
    place.write("a.jsonl", &json_lines(0..20));
    place.write("b.txt", text(3).as_bytes());
    place
        .write("c.jsonl", &[json_lines(20..25), b"broken\n".to_vec(), json_lines(25..40)].concat());
    let on_bad_document = OnBadDocument::Skip;
    SourceFiles { on_bad_document, ..place.source(&["*.jsonl", "b.txt"], 200_000) }
}

/// The same with held-out files.
fn given(place: &Place) -> SourceFiles {
    let source = split(place);
    place.write("val/d.jsonl", &json_lines(40..60));
    place.write("val/e.jsonl", &[b"broken\n".to_vec(), json_lines(60..65)].concat());
    SourceFiles { validation: Validation::Files(vec!["val".into()]), ..source }
}

/// The same, all of it held out.
fn unseen(place: &Place) -> SourceFiles {
    SourceFiles { validation: Validation::All, ..split(place) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for (name, _) in files(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

#[test]
fn stopping_anywhere_and_going_on_gives_the_same_folder() {
    for make in [split, given, unseen] {
        let place = Place::new();
        let source = make(&place);
        let whole = place.root().join("whole");
        prepare(&source, &whole, 2).unwrap();
        let expected = files(&whole);

        let mut journals = 0;
        for calls in 1.. {
            let folder = place.root().join(format!("stopped-{calls}"));
            let done = match prepare_until(&source, &folder, calls) {
                Ok(_) => true,
                Err(DataError::Interrupted) => false,
                Err(e) => panic!("{e}"),
            };
            journals += u32::from(folder.join("journal.json").exists());
            assert_eq!(folder.join("DONE").exists(), done, "a stopped folder is not whole");
            prepare(&source, &folder, 1).unwrap();
            assert_eq!(files(&folder), expected, "stopped after {calls} calls");
            if done {
                break;
            }
        }
        assert!(journals > 10, "most stops come after a finished shard");
    }
}

#[test]
fn stopping_again_and_again_gets_to_the_same_end() {
    let place = Place::new();
    let source = given(&place);
    let whole = place.root().join("whole");
    prepare(&source, &whole, 2).unwrap();
    let folder = place.root().join("stopped");
    // Each call does a little more than the one before, or there would be no end.
    let stops =
        (1..200).take_while(|&calls| prepare_until(&source, &folder, calls).is_err()).count();
    assert!((3..199).contains(&stops), "{stops} stops");
    assert_eq!(files(&folder), files(&whole));
}

/// Every state that a kill can leave: between two writes, and within one.
#[test]
fn a_kill_at_every_write_gives_the_same_folder() {
    for make in [split, given, unseen] {
        let place = Place::new();
        let source = make(&place);
        let whole = place.root().join("whole");
        prepare(&source, &whole, 1).unwrap();
        let expected = files(&whole);

        let states = every_state(&place, &source);
        assert!(states.len() > 15, "{} states", states.len());
        for (i, state) in states.iter().enumerate() {
            let folder = place.root().join(format!("killed-{i}"));
            copy(state, &folder);
            write_atomic(&folder.join(".a7f3.partial"), b"half a sh").unwrap();
            prepare(&source, &folder, 2).unwrap();
            assert_eq!(files(&folder), expected, "state {i}");
        }
    }
}

/// Folders as they are after each write, in order: taken while a preparation runs, before each
/// block, and taken apart where one block ended in several writes.
fn every_state(place: &Place, source: &SourceFiles) -> Vec<PathBuf> {
    let folder = place.root().join("watched");
    fs::create_dir(&folder).unwrap();
    let states = std::sync::Mutex::new(Vec::new());
    let keep = |_| {
        let mut states = states.lock().unwrap();
        let state = place.root().join(format!("state-{}", states.len()));
        if states.last().is_none_or(|last: &PathBuf| files(last) != files(&folder)) {
            copy(&folder, &state);
            states.push(state);
        }
    };
    let stop = AtomicBool::new(false);
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &keep };
    prepare_sized(source, tokenizer(), &folder, &options, &TINY).unwrap();
    let mut states = states.into_inner().unwrap();
    states.push(folder);

    // Between a shard and its journal: the shards of one state, the journal of the one before.
    let mut all = states.clone();
    for (i, pair) in states.windows(2).enumerate() {
        let between = place.root().join(format!("between-{i}"));
        copy(&pair[1], &between);
        let journal = pair[0].join("journal.json");
        for name in ["journal.json", "source.json", "DONE"] {
            let _ = fs::remove_file(between.join(name));
        }
        if journal.exists() {
            fs::copy(&journal, between.join("journal.json")).unwrap();
        }
        all.push(between);
    }
    // After the manifest, before DONE; after DONE, before the journal is gone.
    let last = &states[states.len() - 2];
    for done in [false, true] {
        let state = place.root().join(format!("last-{done}"));
        copy(&states[states.len() - 1], &state);
        fs::copy(last.join("journal.json"), state.join("journal.json")).unwrap();
        if !done {
            fs::remove_file(state.join("DONE")).unwrap();
        }
        all.push(state);
    }
    all
}

/// The child of the next test: prepares and dies without a word at the given call.
#[test]
fn dies_when_told_to() {
    let Ok(told) = std::env::var("SPARKJOY_TEST_DIE") else { return };
    let (calls, root) = told.split_once(':').unwrap();
    let (calls, root) = (calls.parse::<u64>().unwrap(), Path::new(root));
    let source = SourceFiles {
        name: SourceName::new("web").unwrap(),
        paths: vec!["a.jsonl".into()],
        root: root.join("in"),
        rows: Rows::default(),
        on_bad_document: OnBadDocument::Refuse,
        validation: Validation::Split(Ppm(200_000)),
    };
    let (stop, seen) = (AtomicBool::new(false), AtomicU64::new(0));
    let progress = |_| {
        if seen.fetch_add(1, Ordering::Relaxed) == calls {
            std::process::abort();
        }
    };
    let options = PrepareOptions { threads: 2, stop: &stop, progress: &progress };
    let _ = prepare_sized(&source, tokenizer(), &root.join("killed"), &options, &TINY);
}

#[test]
fn a_process_that_dies_is_taken_up_by_the_next() {
    let place = Place::new();
    place.write("a.jsonl", &json_lines(0..60));
    let source = place.source(&["a.jsonl"], 200_000);
    prepare(&source, &place.out(), 1).unwrap();
    let expected = files(&place.out());
    let killed = place.root().join("killed");
    for calls in [2, 6, 12] {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::interrupted::dies_when_told_to"])
            .env("SPARKJOY_TEST_DIE", format!("{calls}:{}", place.root().display()))
            .output()
            .unwrap();
        assert!(!child.status.success(), "it was to die");
        assert!(!killed.join("DONE").exists());
    }
    assert!(killed.join("journal.json").exists());
    prepare(&source, &killed, 2).unwrap();
    assert_eq!(files(&killed), expected);
}

#[test]
fn a_stop_says_that_the_same_command_continues() {
    let place = Place::new();
    let source = split(&place);
    let error = prepare_until(&source, &place.out(), 1).unwrap_err();
    insta::assert_snapshot!(place.shown(&error), @r"
    error: interrupted
    hint: run the same command again: it continues from here
    ");
}

#[test]
fn input_that_changed_before_the_end_starts_it_anew() {
    let place = Place::new();
    let source = split(&place);
    prepare_until(&source, &place.out(), 9).unwrap_err();
    assert!(place.out().join("train-00001.shard").exists());
    place.write("a.jsonl", &json_lines(100..110));
    let corpus = place.prepare(&source).unwrap();
    let again = place.root().join("again");
    prepare(&source, &again, 1).unwrap();
    assert_eq!(files(&place.out()), files(&again));
    corpus.verify().unwrap();
}

#[test]
fn a_shard_altered_between_two_runs_is_found() {
    let place = Place::new();
    let source = split(&place);
    prepare_until(&source, &place.out(), 9).unwrap_err();
    let path = place.out().join("train-00000.shard");
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    write_atomic(&path, &bytes).unwrap();
    assert!(place.refusal(&source).contains("train-00000.shard` is altered"));
}

#[test]
fn two_at_once_do_not_prepare_one_folder() {
    let place = Place::new();
    let source = split(&place);
    let (stop, refusals) = (AtomicBool::new(false), std::sync::Mutex::new(Vec::new()));
    let meanwhile = |_| refusals.lock().unwrap().push(place.refusal(&source));
    let options = PrepareOptions { threads: 1, stop: &stop, progress: &meanwhile };
    prepare_sized(&source, tokenizer(), &place.out(), &options, &TINY).unwrap();
    insta::assert_snapshot!(refusals.into_inner().unwrap()[0], @r"
    error: another process is preparing `HERE/out`
    hint: wait for it to end; what it prepares is used as it is
    ");
    place.prepare(&source).unwrap();
}

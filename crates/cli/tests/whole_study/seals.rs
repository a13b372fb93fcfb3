//! Every file that a number comes from is sealed, and what is lost or damaged of it is made again.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{Hint, open_seal};
use sparkjoy_jobs::{
    Event, JobError, JobState, Sealed, Sealing, Watcher, held_out_notes, job_states, open_corpora,
    seal_corpora, seal_results, trunk_folder,
};

use crate::tasks;
use crate::tiny::{Tiny, places, prepared, resources};

/// The files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Whether earlier versions wrote it. They did not look for held-out text that is trained on.
fn is_older(path: &Path) -> bool {
    !path.file_name().unwrap().to_str().unwrap().starts_with("held-out-")
}

fn is_result(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    let is_items = path.parent().unwrap().ends_with("tasks");
    is_items || ["scores-", "tasks-", "contamination"].iter().any(|it| name.starts_with(it))
}

/// One of each kind of result.
fn results(tiny: &Tiny) -> Vec<PathBuf> {
    let kind = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        name.split('-').next().unwrap().to_owned()
    };
    let mut found: Vec<PathBuf> =
        files(&tiny.runs()).into_iter().filter(|p| is_result(p)).collect();
    found.sort_by_key(kind);
    found.dedup_by_key(|path| kind(path));
    assert_eq!(found.len(), 6, "{found:?}");
    found
}

/// Another digit in the middle, where there is one.
fn change_a_digit(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    let at = (middle..bytes.len()).find(|&at| bytes[at].is_ascii_digit()).unwrap();
    bytes[at] = if bytes[at] == b'9' { b'8' } else { bytes[at] + 1 };
    fs::write(path, bytes).unwrap();
}

fn told(error: &JobError) -> String {
    format!("{error}; {}", error.hint().unwrap())
}

#[test]
fn a_result_with_another_digit_is_refused_and_made_again_once_it_is_moved_away() {
    let tiny = tasks::tiny();
    tiny.finish();
    let before = tiny.results();
    for path in results(&tiny) {
        change_a_digit(&path);
        let errors = [tiny.run(None, None).0.unwrap_err(), *tiny.report().unwrap_err()];
        for error in errors {
            let text = told(&error);
            assert!(text.contains(&format!("`{}` was altered: ", path.display())), "{text}");
            let hint = format!("move `{}` away: `sparkjoy run STUDY`", path.display());
            assert!(text.contains(&hint), "{text}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(tiny.finish().steps, 0);
        assert!(tiny.results() == before, "{}", path.display());
    }
}

#[test]
fn items_that_are_lost_are_asked_again() {
    let tiny = tasks::tiny();
    tiny.finish();
    let before = tiny.results();
    let is_items = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
    let path = results(&tiny).into_iter().find(is_items).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let torn = text[..text.len() - 7].to_owned();
    for left in [String::new(), lines[..5].concat(), lines[0].to_owned(), torn] {
        fs::write(&path, left).unwrap();
        let states = job_states(&tiny.plan, &tiny.runs()).unwrap();
        let missing = states.iter().filter(|(_, state)| *state == JobState::Missing);
        assert_eq!(missing.count(), 1);
        tiny.finish();
        assert!(tiny.results() == before);
    }
}

#[test]
fn a_place_to_score_that_a_finished_trunk_has_passed_is_trained_again() {
    let tiny = tasks::tiny_at("[]");
    tiny.finish();
    let later = tiny.changed(&tasks::study("[\"50%\"]"));
    let seen = later.finish();
    assert_eq!(seen.steps, 20);
    let from_the_start = tasks::tiny();
    from_the_start.finish();
    assert_eq!(later.report().unwrap(), from_the_start.report().unwrap());
    assert_eq!(later.finish().steps, 0);
}

#[test]
fn what_a_killed_process_left_is_removed_from_finished_runs() {
    let tiny = Tiny::new();
    tiny.run(None, Some(5)).0.unwrap_err();
    let trunk = trunk_folder(tiny.plan.trunk(), &tiny.runs());
    let passed = trunk.join("step-000005");
    let aside = tiny.root().join("aside");
    fs::create_dir(&aside).unwrap();
    for path in files(&passed) {
        fs::copy(&path, aside.join(path.file_name().unwrap())).unwrap();
    }
    tiny.finish();
    let before = tiny.results();
    assert!(!passed.exists());
    fs::rename(&aside, &passed).unwrap();
    fs::create_dir(trunk.join("step-000006.partial")).unwrap();
    let folder = sparkjoy_jobs::study_folder(&tiny.plan, &tiny.runs());
    for place in [&folder, &folder.join("timing"), &trunk, &tiny.root().join("prepared")] {
        fs::write(place.join(".abcdef.partial"), "half").unwrap();
    }
    prepared(&tiny.study, tiny.root()).unwrap();
    assert_eq!(tiny.finish().steps, 0);
    assert!(tiny.results() == before);
    let left =
        files(tiny.root()).into_iter().find(|path| path.to_string_lossy().contains("partial"));
    assert_eq!(left, None);
}

/// Takes all seals off, as if an earlier version had written everything.
fn unseal(tiny: &Tiny) {
    let prepared = places(tiny.root()).prepared;
    for path in [tiny.runs(), prepared]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|path| is_older(path))
    {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "jsonl") && is_result(&path) {
            let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
            let first = lines.next().unwrap();
            let open = |line: &[u8], within: &[u8]| {
                let opened = open_seal(&path, line, within).unwrap();
                [&opened.json[..], b"\n"].concat()
            };
            let header = String::from_utf8(open(first, b"")).unwrap();
            let header = header.replace("{\"format\":2,", "{\"format\":1,");
            let lines: Vec<u8> = lines.flat_map(|line| open(line, first)).collect();
            fs::write(&path, [header.as_bytes(), &lines].concat()).unwrap();
        } else if name == "DONE" && path.parent().unwrap().to_string_lossy().contains("tokenizer-")
        {
            fs::write(&path, "").unwrap();
        } else if let Ok(opened) = open_seal(&path, &bytes, b"")
            && opened.has_seal
        {
            fs::write(&path, opened.json).unwrap();
        }
    }
}

#[test]
fn what_an_earlier_version_wrote_is_sealed_once_it_was_checked() {
    let tiny = tasks::tiny();
    tiny.finish();
    let expected = tiny.report().unwrap();
    let seals = |tiny: &Tiny| -> Vec<PathBuf> {
        let has = |path: &PathBuf| {
            open_seal(path, &fs::read(path).unwrap(), b"").is_ok_and(|opened| opened.has_seal)
        };
        files(tiny.root()).into_iter().filter(|path| is_older(path)).filter(has).collect()
    };
    let before = seals(&tiny);
    unseal(&tiny);
    assert_eq!(seals(&tiny), Vec::<PathBuf>::new());
    let prepared = places(tiny.root()).prepared;
    let errors = [
        open_corpora(&tiny.study, &prepared).unwrap_err(),
        tiny.run(None, None).0.unwrap_err(),
        *tiny.report().unwrap_err(),
    ];
    for error in errors {
        let text = told(&error);
        assert!(text.contains("has no seal") && text.contains("sparkjoy seal STUDY"), "{text}");
    }
    let sealed = seal_corpora(&tiny.study, &prepared).unwrap();
    // Four sources, the tokenizer and its record.
    assert_eq!(sealed.len(), 6);
    assert_eq!(seal_corpora(&tiny.study, &prepared).unwrap(), Vec::<PathBuf>::new());
    open_corpora(&tiny.study, &prepared).unwrap();

    // What was altered before it had a seal is made again, and said.
    let changes = [
        ("scores-", "\"nats\":[", "\"nats\":[9"),
        ("tasks-", "\"accuracy\":{\"value\":0.", "\"accuracy\":{\"value\":0.9"),
        ("next-word-", "\"gold_nats\":", "\"gold_nats\":9"),
        ("contamination", "\"documents\": ", "\"documents\": 9"),
    ];
    let found = results(&tiny);
    let altered = changes.map(|(name, from, to)| {
        let is_it = |path: &&PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(name);
        let path = found.iter().find(is_it).unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
        path.clone()
    });
    let sealed = seal(&tiny).unwrap();
    for Sealed { file, how } in &sealed {
        let expected = if altered.contains(file) { Sealing::Replaced } else { Sealing::MadeAgain };
        assert_eq!(*how, expected, "{}", file.display());
    }
    let replaced = sealed.iter().filter(|sealed| sealed.how == Sealing::Replaced);
    assert_eq!(replaced.count(), altered.len());
    assert_eq!(seals(&tiny), before);
    assert_eq!(tiny.report().unwrap(), expected);
    let seen = tiny.finish();
    assert_eq!((seen.steps, seen.tasks.len()), (0, 0));
    assert_eq!(seal(&tiny).unwrap(), []);
}

/// Seals the results of a study.
pub(crate) fn seal(tiny: &Tiny) -> Result<Vec<Sealed>, JobError> {
    let (stop, mut observe) = (AtomicBool::new(false), |_: Event<'_>| {});
    let mut watcher = Watcher::new(&stop, &mut observe);
    seal_results(&tiny.inputs(), &tiny.places(), &resources(), &mut watcher)
}

#[test]
fn a_score_without_seal_whose_checkpoint_is_gone_is_refused_by_name() {
    let tiny = Tiny::new();
    tiny.finish();
    let path = results_named(&tiny, "scores-").remove(0);
    let sealed = fs::read(&path).unwrap();
    fs::write(&path, open_seal(&path, &sealed, b"").unwrap().json).unwrap();
    let steps = files(path.parent().unwrap());
    let state = steps.iter().find(|path| path.ends_with("state.json")).unwrap();
    fs::remove_dir_all(state.parent().unwrap()).unwrap();
    let text = told(&seal(&tiny).unwrap_err());
    assert!(text.contains(&format!("`{}` has no seal, and the checkpoint", path.display())));
    assert!(text.contains("away: `sparkjoy run STUDY`"), "{text}");
}

fn results_named(tiny: &Tiny, start: &str) -> Vec<PathBuf> {
    let is_it = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(start);
    files(&tiny.runs()).into_iter().filter(is_it).collect()
}

#[test]
fn metrics_that_were_altered_are_refused_by_the_report_and_written_again_by_the_next_run() {
    let tiny = Tiny::new();
    tiny.finish();
    let before = tiny.results();
    let in_runs = |path: &PathBuf| !path.to_string_lossy().contains("/step-");
    let paths: Vec<PathBuf> =
        results_named(&tiny, "metrics.jsonl").into_iter().filter(in_runs).collect();
    assert_eq!(paths.len(), tiny.plan.branches.len() + 1);
    for path in &paths {
        let written = fs::read(path).unwrap();
        let longer = [&written[..], &written[..=written.iter().position(|&b| b == b'\n').unwrap()]];
        let mut damages = vec![Vec::new(), written[..written.len() / 2].to_vec()];
        // More steps may follow the last that the trunk keeps.
        if !path.to_string_lossy().contains("trunk-") {
            damages.push(longer.concat());
        }
        for damaged in damages {
            fs::write(path, damaged).unwrap();
            let text = told(&tiny.report().unwrap_err());
            assert!(text.contains(&format!("`{}` was altered", path.display())), "{text}");
            assert!(text.contains("`sparkjoy run STUDY`: it writes it again"), "{text}");
            assert_eq!(tiny.finish().steps, 0);
            assert!(tiny.results() == before);
        }
        change_a_digit(path);
        assert!(told(&tiny.report().unwrap_err()).contains("content"));
        assert_eq!(tiny.finish().steps, 0);
        assert!(tiny.results() == before);
    }
}

#[test]
fn a_branch_whose_checkpoint_was_removed_is_named_by_the_report() {
    let tiny = Tiny::new();
    tiny.finish();
    let branch = &tiny.plan.branches[0];
    let last = format!("step-{:06}", branch.spec.last_step());
    fs::remove_dir_all(sparkjoy_jobs::branch_folder(branch, &tiny.runs()).join(last)).unwrap();
    let answers = tiny.answers();
    let unknown = answers.computed.iter().find(|group| group.kernels.is_empty()).unwrap();
    assert_eq!(unknown.branches, std::slice::from_ref(&branch.name));
    let report = tiny.report().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(report.contains("CHECKPOINTS GONE: of 1 branch it is not known"), "{report}");
}

#[test]
fn prepared_text_with_another_digit_is_refused_by_name() {
    let tiny = Tiny::new();
    let prepared = places(tiny.root()).prepared;
    let is_ours = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "json")
            || path.file_name().is_some_and(|name| name == "DONE")
    };
    for path in files(&prepared).into_iter().filter(is_ours) {
        let written = fs::read(&path).unwrap();
        if written.is_empty() || path.ends_with("tokenizer_config.json") {
            continue;
        }
        change_a_digit(&path);
        let opened = open_corpora(&tiny.study, &prepared);
        let noted =
            opened.and_then(|(_, corpora)| held_out_notes(&tiny.study, &corpora, &prepared));
        let error = noted.unwrap_err();
        let folder = path.parent().unwrap().display().to_string();
        assert!(told(&error).contains(&folder), "{}: {error}", path.display());
        fs::write(&path, written).unwrap();
    }
    open_corpora(&tiny.study, &prepared).unwrap();
}

//! Run folders of version 0.1 are opened, continued and reported.
//!
//! `fixtures/version-0.1` was written by the program before its upper half was rebuilt: a study of
//! which the trunk and four branches are whole, a fifth branch is stopped between two steps, and
//! the sixth is missing. `expected.json` holds the BLAKE3 hash of every file of the runs, and every
//! difference of the report, that the same program wrote when it was not stopped.

mod laboratory;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use laboratory::Laboratory;
use serde::Deserialize;
use sparkjoy_base::{Fingerprint, open_seal};

const PLACES: &str = "study.toml --runs results --prepared shards";

#[derive(Deserialize)]
struct Expected {
    /// The instruction set that computed it: another one rounds otherwise.
    kernel: String,
    /// Hash of each file, by its path below the folder of runs.
    files: BTreeMap<String, String>,
    /// Differences of each replicate, by arm and scope; none where a scope is empty.
    differences: Vec<Vec<Option<Vec<f64>>>>,
}

/// The fixture, sealed: that version wrote no hashes beside its numbers, and nothing is believed
/// without.
fn fixture() -> (Laboratory, Expected) {
    let laboratory = Laboratory::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/version-0.1");
    copy(&from, &laboratory.path(""));
    for command in ["plan", "report", "run"] {
        let told = laboratory.refuse(&format!("{command} {PLACES}"));
        assert!(told.contains("has no seal") && told.contains("`sparkjoy seal STUDY`"), "{told}");
    }
    let sealed = laboratory.succeed(&format!("seal {PLACES}")).stdout;
    // Three sources and their tokenizer, the scores of four branches.
    assert!(sealed.ends_with("\n8 files sealed\n"), "{sealed}");
    let again = laboratory.succeed(&format!("seal {PLACES}")).stdout;
    assert_eq!(again, "every file has its seal\n");
    let expected = fs::read(from.join("expected.json")).expect("a file of the fixture");
    (laboratory, serde_json::from_slice(&expected).expect("it is what the fixture holds"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the test's folder can be written");
    for entry in fs::read_dir(from).expect("a folder of the fixture") {
        let entry = entry.expect("an entry of a readable folder");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("the test's folder can be written");
        }
    }
}

#[test]
fn what_is_whole_counts_and_what_was_stopped_continues() {
    let (laboratory, _) = fixture();
    let plan = laboratory.succeed(&format!("plan {PLACES} --json")).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let state = |job: &serde_json::Value| match &job["state"] {
        serde_json::Value::String(state) => state.clone(),
        begun => begun["begun"]["step"].to_string(),
    };
    let states: Vec<(String, String)> = plan["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| (job["name"].as_str().unwrap().to_owned(), state(job)))
        .collect();
    let count = |wanted: &str| states.iter().filter(|(_, state)| state == wanted).count();
    // The trunk, four branches and their scores; the fifth stands at step 242 of 300.
    assert_eq!((count("done"), count("missing"), states.len()), (9, 3, 13), "{states:?}");
    let begun = "upsampled-minus-tales.notices-to-proportional-20pct-r0".to_owned();
    assert!(states.contains(&(begun, "242".to_owned())), "{states:?}");
}

#[test]
fn it_ends_in_the_bytes_and_the_report_of_the_program_that_began_it() {
    let (laboratory, expected) = fixture();
    let ended = laboratory.succeed(&format!("run {PLACES} --json"));
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let arms = report["questions"].as_array().unwrap().iter();
    let arms = arms.flat_map(|question| question["arms"].as_array().unwrap());
    let found: Vec<Vec<Option<Vec<f64>>>> = arms
        .map(|arm| {
            let cells = arm["cells"].as_array().unwrap().iter();
            cells
                .map(|cell| Deserialize::deserialize(&cell["difference"]["values"]).unwrap())
                .collect()
        })
        .collect();
    let same_kernel =
        sparkjoy_nn::instruction_set_of(sparkjoy_spec::Precision::Fp32) == expected.kernel;
    if !same_kernel {
        eprintln!(
            "SKIPPED: bytes are compared on {} alone, which this machine lacks",
            expected.kernel
        );
        assert_eq!(found.len(), expected.differences.len());
        return;
    }
    assert_eq!(found, expected.differences);
    let mut files = BTreeMap::new();
    hash(&laboratory.path("results"), &laboratory.path("results"), &mut files);
    // What is new has a new name; what was there keeps its own.
    let old_name =
        |path: &str| path.replace("20pct", "20%").replace("tales.notices", "tales+notices");
    let files: BTreeMap<String, String> =
        files.into_iter().map(|(path, hash)| (old_name(&path), hash)).collect();
    for (path, hash) in &expected.files {
        let found = files.get(path).unwrap_or_else(|| panic!("{path} is missing of {files:#?}"));
        assert!(found == hash || is_new_spec(path), "{path} differs");
    }
    let begun = fs::read_dir(laboratory.path("results")).unwrap();
    let folders = begun.filter(|entry| entry.as_ref().unwrap().path().join("run.json").is_file());
    assert_eq!(folders.count(), 7, "no run was begun again under another name");
}

/// The one spec that is written now: it has a version, those of before have none.
fn is_new_spec(path: &str) -> bool {
    path.ends_with("run.json") && path.contains("proportional-20%-r1")
}

/// Scores as they were written before they told documents apart; other files as they are.
fn without_documents(mut content: Vec<u8>) -> Vec<u8> {
    const FIELD: &[u8] = b",\"documents\":[";
    while let Some(begin) = content.windows(FIELD.len()).position(|bytes| bytes == FIELD) {
        let length = content[begin..].iter().position(|&byte| byte == b']').expect("a list ends");
        content.drain(begin..=begin + length);
    }
    content
}

fn hash(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder of runs") {
        let path = entry.expect("an entry of a readable folder").path();
        if path.is_dir() {
            hash(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("it was walked from there");
            let name = name.to_string_lossy().into_owned();
            let content = fs::read(&path).expect("a file of a run");
            let content = open_seal(&path, &content, b"").expect("it is whole").json;
            let content = without_documents(content);
            files.insert(name, Fingerprint::of_bytes(&content).hex());
        }
    }
}

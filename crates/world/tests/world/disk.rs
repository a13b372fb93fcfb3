//! Worlds on the disk: of any size, whole or begun, never mixed.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::Value;
use sparkjoy_base::Seed;
use sparkjoy_world::{Source, World, WorldError};

static GO_ON: AtomicBool = AtomicBool::new(false);

fn write(folder: &Path, seed: u64, bytes: u64) -> Result<(), WorldError> {
    World::new(Seed(seed)).write(folder, bytes, &GO_ON)
}

fn truth(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("truth.json")).unwrap()).unwrap()
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn sources_are_as_large_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1, 2_000_000).unwrap();
    let truth = truth(folder.path());
    let sources = truth["sources"].as_array().unwrap();
    assert_eq!(sources.len(), Source::ALL.len());
    for (source, found) in Source::ALL.into_iter().zip(sources) {
        let (asked, bytes) = (source.percent() * 20_000, found["bytes"].as_u64().unwrap());
        assert!((asked..asked + 3_000).contains(&bytes), "{source}: {bytes} for {asked}");
    }
    assert_eq!(Source::ALL.map(Source::percent).iter().sum::<u64>(), 100);
}

#[test]
fn the_truth_says_who_teaches_what() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1, 2_000_000).unwrap();
    let truth = truth(folder.path());
    let teacher = |task: &str| {
        let tasks = truth["tasks"].as_array().unwrap();
        tasks.iter().find(|t| t["task"] == task).unwrap()["taught_by"][0][0].clone()
    };
    assert_eq!(teacher("sums"), "word-problems");
    assert_eq!(teacher("facts"), "encyclopedia");
    assert_eq!(teacher("inference"), "lab-notes");
    let of = |name: &str| {
        truth["sources"].as_array().unwrap().iter().find(|s| s["source"] == name).unwrap().clone()
    };
    assert_eq!(of("abstracts")["lessons"], serde_json::json!({}));
    assert!(of("rumours")["falsehoods"].as_u64().unwrap() > 1000);
    assert_eq!(of("encyclopedia")["falsehoods"], 0);
}

#[test]
fn a_world_is_written_once_and_never_over_another() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1, 1_000_000).unwrap();
    let before = files(folder.path());
    let changed = folder.path().join("tasks/facts.jsonl");
    fs::write(&changed, "mine").unwrap();
    write(folder.path(), 1, 1_000_000).unwrap();
    assert_eq!(fs::read_to_string(&changed).unwrap(), "mine", "a whole world is left alone");

    let error = write(folder.path(), 2, 1_000_000).unwrap_err();
    assert!(error.to_string().contains("seed 1, 1000000 bytes, not seed 2"), "{error}");
    assert!(write(folder.path(), 1, 1_000_001).is_err());
    assert!(write(&folder.path().join("small"), 1, 10).is_err());
    assert_eq!(before.len(), files(folder.path()).len());
}

#[test]
fn an_interrupted_world_ends_in_the_same_bytes() {
    let [whole, begun] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    write(whole.path(), 1, 1_000_000).unwrap();
    let stopped = World::new(Seed(1)).write(begun.path(), 1_000_000, &AtomicBool::new(true));
    assert!(matches!(stopped, Err(WorldError::Interrupted)));
    write(begun.path(), 1, 1_000_000).unwrap();
    let contents = |folder: &Path| -> Vec<Vec<u8>> {
        files(folder).into_iter().map(|(_, bytes)| bytes).collect()
    };
    assert_eq!(contents(whole.path()), contents(begun.path()));
}

//! Every kind of bad input, and the message a user gets: found, expected, where, what to type.

mod laboratory;

use std::fs;
use std::os::unix::process::CommandExt;

use laboratory::Laboratory;

/// The message of a study with one place changed.
fn refused(from: &str, to: &str) -> String {
    let laboratory = Laboratory::new();
    laboratory.edit(from, to);
    laboratory.refuse("run study.toml")
}

#[test]
fn an_unknown_key_is_refused() {
    insta::assert_snapshot!(refused("grad_clip", "gradient_clip"), @"");
}

#[test]
fn a_mixture_that_sums_to_097_is_refused() {
    insta::assert_snapshot!(refused("math = 0.2", "math = 0.17"), @"");
}

#[test]
fn a_source_that_is_not_defined_is_refused() {
    insta::assert_snapshot!(refused("math = 0.2", "maths = 0.2"), @"");
}

#[test]
fn an_empty_source_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.write("sums.jsonl", "");
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"");
}

#[test]
fn a_source_that_would_be_starved_is_refused() {
    insta::assert_snapshot!(
        refused("crawl = 0.8\nmath = 0.2", "crawl = 0.999999\nsums = 0.000001"), @""
    );
}

#[test]
fn a_source_read_more_than_max_epochs_is_refused() {
    insta::assert_snapshot!(
        refused("path = \"sums.jsonl\"", "path = \"sums.jsonl\"\nmax_epochs = 0.1"), @""
    );
}

#[test]
fn a_broken_json_line_is_refused_with_file_and_line() {
    let laboratory = Laboratory::new();
    break_line(&laboratory);
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"");
}

#[test]
fn a_broken_json_line_can_be_skipped_and_is_counted() {
    let laboratory = Laboratory::new();
    break_line(&laboratory);
    laboratory.edit("path = \"sums.jsonl\"", "path = \"sums.jsonl\"\non_bad_document = \"skip\"");
    insta::assert_snapshot!(laboratory.succeed("prepare study.toml").stdout, @"");
}

fn break_line(laboratory: &Laboratory) {
    let text = fs::read_to_string(laboratory.path("sums.jsonl")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[6] = "{\"text\": \"cut off";
    laboratory.write("sums.jsonl", &lines.join("\n"));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let laboratory = Laboratory::new();
    let mut bytes = fs::read(laboratory.path("sums.jsonl")).unwrap();
    bytes[20] = 0xff;
    fs::write(laboratory.path("sums.jsonl"), bytes).unwrap();
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"");
}

#[test]
fn a_truncated_shard_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.succeed("prepare study.toml");
    let shard = laboratory.shard();
    let bytes = fs::read(&shard).unwrap();
    fs::write(&shard, &bytes[..bytes.len() - 100]).unwrap();
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"");
}

#[test]
fn an_altered_shard_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.succeed("prepare study.toml");
    let shard = laboratory.shard();
    let mut bytes = fs::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&shard, bytes).unwrap();
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"");
}

#[test]
fn a_checkpoint_of_another_plan_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.succeed("run study.toml");
    let ours = laboratory.find("runs", "trunk-");
    laboratory.edit("seed = 17", "seed = 18");
    // The folder of the new plan's trunk, with the old one's checkpoints in it.
    laboratory.succeed("run study.toml");
    let names: Vec<_> = fs::read_dir(laboratory.path("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("/trunk-") && *path != ours)
        .collect();
    fs::remove_dir_all(&names[0]).unwrap();
    fs::rename(&ours, &names[0]).unwrap();
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"");
}

#[test]
fn a_full_disk_says_what_to_do() {
    // A limit on file sizes stands in for the disk: the system refuses the write in the same place.
    let laboratory = Laboratory::new();
    let mut shell = std::process::Command::new("bash");
    let program = env!("CARGO_BIN_EXE_sparkjoy");
    // 8 blocks of 1 KiB; the signal is ignored, so that writing fails instead.
    shell
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f 8; exec {program} prepare study.toml"))
        .current_dir(laboratory.path(""));
    let ended = laboratory.ended(&mut shell);
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.stderr, @"");

    // Nothing half-written was taken for whole: with room again, the same command succeeds.
    laboratory.succeed("prepare study.toml");
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.write("taken", "a file where a folder should be");
    insta::assert_snapshot!(laboratory.refuse("prepare study.toml --prepared taken/prepared"), @"");
}

#[test]
fn a_missing_permission_says_what_to_do() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let laboratory = Laboratory::new();
    let closed = laboratory.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = laboratory.command("prepare study.toml --prepared closed/prepared");
    if fs::metadata(&closed).unwrap().uid() == 0 {
        // Nothing is closed to root, so somebody else runs the command.
        fs::set_permissions(laboratory.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        command.uid(65_534);
    }
    let ended = laboratory.ended(&mut command);
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.stderr, @"");
}

#[test]
fn a_source_that_is_not_prepared_is_not_planned() {
    let laboratory = Laboratory::new();
    insta::assert_snapshot!(laboratory.refuse("plan study.toml"), @"");
    assert!(!laboratory.path("prepared").exists(), "`plan` writes nothing");
}

#[test]
fn a_missing_study_is_named() {
    insta::assert_snapshot!(Laboratory::new().refuse("plan nowhere.toml"), @"");
}

//! Every kind of bad input, and the message a user gets: found, expected, where, what to type.

mod laboratory;

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use laboratory::{Laboratory, without_ids};

/// The message of a study with one place changed.
fn refused(from: &str, to: &str) -> String {
    let laboratory = Laboratory::new();
    laboratory.edit(from, to);
    laboratory.refuse("run study.toml")
}

#[test]
fn an_unknown_key_is_refused() {
    insta::assert_snapshot!(refused("grad_clip", "gradient_clip"), @"
    error: `study.toml` line 20: unknown key `gradient_clip` in `training`, the nearest known is `grad_clip`

    hint: write `grad_clip`
    ");
}

#[test]
fn a_mixture_that_sums_to_097_is_refused() {
    insta::assert_snapshot!(refused("math = 0.2", "math = 0.17"), @"
    error: `study.toml` line 38: proportions of mixture `base` sum to 0.97, expected 1

    hint: give the missing 0.03 to a source
    ");
}

#[test]
fn a_source_that_is_not_defined_is_refused() {
    insta::assert_snapshot!(refused("math = 0.2", "maths = 0.2"), @"
    error: `study.toml` line 40: mixture `base` names `maths`, which is neither a source nor a domain (the nearest is `math`)

    hint: write `math`
    ");
}

#[test]
fn an_empty_source_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.write("sums.jsonl", "");
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"
    error: source `sums` is empty: no text in what matches `sums.jsonl` in `.` (files: 1, documents skipped as broken: 0)

    hint: check that these files are the right ones
    ");
}

#[test]
fn a_source_that_would_be_starved_is_refused() {
    insta::assert_snapshot!(
        refused("crawl = 0.8\nmath = 0.2", "crawl = 0.999999\nsums = 0.000001"), @"
        error: `study.toml` line 47: the trunk: source `sums` has proportion 0.0001 % but gets none of the 640 sequences of phase 0

        hint: lengthen the phase, raise the proportion of `sums`, or take it out of the mixture
        "
    );
}

#[test]
fn a_source_read_more_than_max_epochs_is_refused() {
    insta::assert_snapshot!(
        refused("path = \"sums.jsonl\"", "path = \"sums.jsonl\"\nmax_epochs = 0.1"), @r#"
        error: `study.toml` line 30: branch `upsampled-25pct-r0` reads source `sums` 0.12 times, expected at most its `max_epochs` 0.1: a proportion of at most 14.37 %, or a window of at most 5.78 %, or a budget of 14.3K, would fit

        hint: write `budget = "14.3K"`, or allow it: `max_epochs = 0.12` in `[sources.sums]`
        "#
    );
}

#[test]
fn a_broken_json_line_is_refused_with_file_and_line() {
    let laboratory = Laboratory::new();
    break_line(&laboratory);
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @r#"
    error: `sums.jsonl` line 7: broken JSON at column 17: EOF while parsing a string

    hint: write one JSON object a line, or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn a_broken_json_line_can_be_skipped_and_is_counted() {
    let laboratory = Laboratory::new();
    break_line(&laboratory);
    laboratory.edit("path = \"sums.jsonl\"", "path = \"sums.jsonl\"\non_bad_document = \"skip\"");
    insta::assert_snapshot!(laboratory.succeed("prepare study.toml").stdout, @"
    source  documents      text  tokens  bytes per token  held-out tokens  skipped documents
    crawl         186  45.1 KiB  25,491             1.81            1,885                  0
    proofs        182  43.8 KiB  25,835             1.74            2,536                  0
    sums          172  41.3 KiB  25,484             1.66            4,054                  1

    source `sums` skipped 1 documents
      `sums.jsonl` line 7: broken JSON at column 17: EOF while parsing a string
    ");
}

fn break_line(laboratory: &Laboratory) {
    let text = fs::read_to_string(laboratory.path("sums.jsonl")).expect("it was written");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[6] = "{\"text\": \"cut off";
    laboratory.write("sums.jsonl", &lines.join("\n"));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let laboratory = Laboratory::new();
    let mut bytes = fs::read(laboratory.path("sums.jsonl")).expect("it was written");
    bytes[20] = 0xff;
    fs::write(laboratory.path("sums.jsonl"), bytes).unwrap();
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @r#"
    error: `sums.jsonl` line 1: byte 21 is not UTF-8

    hint: convert the file to UTF-8 (`iconv -t UTF-8`), or set on_bad_document = "skip" to count and leave out such documents
    "#);
}

#[test]
fn a_truncated_shard_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.succeed("prepare study.toml");
    let shard = laboratory.shard();
    let bytes = fs::read(&shard).unwrap();
    fs::write(&shard, &bytes[..bytes.len() - 100]).unwrap();
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"
    error: shard `prepared/crawl-[ID]/train-00000.shard` has 51,376 bytes, expected 51,476

    hint: remove its folder (`rm -r prepared/crawl-[ID]`) and run `sparkjoy prepare` again
    ");
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
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"
    error: cannot read the batch of step 1 from source `crawl`
      caused by: shard `prepared/crawl-[ID]/train-00000.shard` is altered: bytes 128 to 51,436 have checksum [ID], expected [ID]

    hint: remove its folder (`rm -r prepared/crawl-[ID]`) and run `sparkjoy prepare` again
    ");
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
    insta::assert_snapshot!(laboratory.refuse("run study.toml"), @"
    error: `runs/trunk-[ID]` belongs to run [ID], expected run [ID]; they differ in `seed`

    hint: the study has changed since `runs/trunk-[ID]` was begun; use another `--runs` folder, or remove this one
    ");
}

#[test]
fn a_full_disk_says_what_to_do_and_loses_nothing() {
    let laboratory = Laboratory::new();
    fs::create_dir(laboratory.path("prepared")).unwrap();
    // A disk of 68 KiB, seen by this shell alone; then the same disk with space.
    let program = env!("CARGO_BIN_EXE_sparkjoy");
    let script = format!(
        "mount -t tmpfs -o size=68k none prepared || exit 77
         {program} prepare study.toml > /dev/null; echo $?
         mount -o remount,size=16m prepared
         {program} prepare study.toml --json 2> /dev/null; echo $?"
    );
    let mut shell = Command::new("unshare");
    shell.args(["-rm", "sh", "-c", &script]).current_dir(laboratory.path(""));
    if !shell.output().is_ok_and(|output| output.status.code() != Some(77)) {
        eprintln!("SKIPPED a full disk: this machine lets nobody mount one");
        return;
    }
    let ended = laboratory.ended(&mut shell);
    assert!(ended.stdout.starts_with("2\n") && ended.stdout.ends_with("]\n0\n"), "{ended:?}");
    insta::assert_snapshot!(without_ids(&ended.stderr), @"
    training the tokenizer
    preparing crawl
    error: cannot write `prepared/crawl-[ID]/train-00000.shard`: No space left on device (os error 28)

    hint: free some space and run the same command again: it continues from here
    ");
}

#[test]
fn a_file_that_may_not_grow_is_refused_and_never_taken_for_whole() {
    let laboratory = Laboratory::new();
    let program = env!("CARGO_BIN_EXE_sparkjoy");
    let mut shell = Command::new("bash");
    // 8 blocks of 1 KiB; the signal is ignored, so that writing fails instead.
    let limited = format!("trap '' XFSZ; ulimit -f 8; exec {program} prepare study.toml");
    shell.arg("-c").arg(limited).current_dir(laboratory.path(""));
    let ended = laboratory.ended(&mut shell);
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(without_ids(&ended.stderr), @"
    training the tokenizer
    preparing crawl
    error: cannot write `prepared/crawl-[ID]/train-00000.shard`: File too large (os error 27)

    hint: raise the limit on the size of files (`ulimit -f unlimited`)
    ");
    laboratory.succeed("prepare study.toml");
}

#[test]
fn a_folder_that_may_not_be_written_is_refused() {
    let laboratory = Laboratory::new();
    laboratory.write("taken", "a file where a folder should be");
    insta::assert_snapshot!(laboratory.refuse("prepare study.toml --prepared taken/prepared"), @"
    error: cannot read `taken/prepared/tokenizer-[ID]/DONE`: Not a directory (os error 20)

    hint: check the path `taken/prepared/tokenizer-[ID]/DONE`: something above it is no folder
    ");
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
    insta::assert_snapshot!(without_ids(&ended.stderr), @"
    training the tokenizer
    error: cannot create folder `closed/prepared`: Permission denied (os error 13)

    hint: check the permissions of `closed/prepared` (`ls -ld` shows them)
    ");
}

#[test]
fn a_source_that_is_not_prepared_is_not_reported() {
    let laboratory = Laboratory::new();
    insta::assert_snapshot!(laboratory.refuse("report study.toml"), @"
    error: the tokenizer is not prepared yet: there is no `prepared/tokenizer-[ID]`

    hint: run `sparkjoy prepare study.toml`
    ");
    assert!(!laboratory.path("prepared").exists(), "`report` prepares nothing");
}

#[test]
fn an_address_is_told_from_a_path() {
    let refused = Laboratory::new().refuse("plan s3://bucket/study.toml");
    assert!(refused.contains("hint: copy it to this machine"), "{refused}");
}

#[test]
fn no_thread_at_all_is_refused_in_words() {
    let ended = Laboratory::new().run("plan study.toml --threads 0");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("expected a whole number from 1"), "{}", ended.stderr);
    let help = Laboratory::new().succeed("man --help").stdout;
    assert!(!help.contains("--recompute"), "{help}");
}

#[test]
fn a_missing_study_is_named() {
    insta::assert_snapshot!(Laboratory::new().refuse("plan nowhere.toml"), @"
    error: cannot read `nowhere.toml`: No such file or directory (os error 2)

    hint: check the path `nowhere.toml`: nothing is there
    ");
}

#[test]
fn a_path_of_the_wrong_kind_says_what_to_type() {
    let laboratory = Laboratory::new();
    fs::create_dir_all(laboratory.path("empty")).unwrap();
    fs::create_dir_all(laboratory.path("endless")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", laboratory.path("endless/config.json")).unwrap();
    let texts =
        ["report .", "plan empty", "eval study.toml", "eval endless", "show endless", "rnu"]
            .map(|typed| laboratory.refuse(typed));
    insta::assert_snapshot!(texts.join("\n"), @"
    error: `.` is a folder, expected the file of a study

    hint: name the file: `./study.toml`

    error: `empty` is a folder, expected the file of a study

    hint: name the file of the study, such as `study.toml`; `sparkjoy show empty` looks into a checkpoint, a run or a prepared source

    error: `study.toml` is a file, expected the folder of a model

    hint: name a checkpoint or another model: `sparkjoy eval FOLDER`; `sparkjoy run study.toml` scores the models of a study on the tasks it names

    error: cannot read `endless/config.json`: it is a device, expected a file

    hint: name another file in the place of `endless/config.json` (`ls -lL` shows what it is)

    error: cannot read `endless/config.json`: it is a device, expected a file

    hint: name another file in the place of `endless/config.json` (`ls -lL` shows what it is)

    error: unrecognized subcommand 'rnu'

      tip: a similar subcommand exists: 'run'

    Usage: sparkjoy [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

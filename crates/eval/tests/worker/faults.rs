//! Workers that die, hang, or say what the contract does not allow: each gets an error that names
//! the fault and a hint.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::NEVER;
use sparkjoy_base::Hint;
use sparkjoy_eval::{PATIENCE, Worker};
use sparkjoy_spec::{LanguageModel, LanguageModelError, Prompt, ScoredSequence};

const HELLO: &str =
    r#"{"reply":"hello","version":1,"vocab":8,"context":4,"kernel":"k","promise":"same-bits"}"#;

fn message(header: &str, arrays: &[u8]) -> Vec<u8> {
    let mut message = b"sjw1".to_vec();
    message.extend((header.len() as u32).to_le_bytes());
    message.extend((arrays.len() as u64).to_le_bytes());
    message.extend(header.as_bytes());
    message.extend(arrays);
    message
}

/// A shell with this script, in which `$0` is a file of these messages.
fn shell(folder: &Path, script: &str, messages: &[Vec<u8>]) -> Command {
    let file = folder.join("messages");
    fs::write(&file, messages.concat()).unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).arg(file);
    command
}

/// A worker that says all it has to say at once, whatever it is asked, and then waits.
fn says(folder: &Path, messages: &[Vec<u8>]) -> Result<Worker<'static>, LanguageModelError> {
    Worker::start(shell(folder, "cat \"$0\"; cat > /dev/null", messages), PATIENCE, &NEVER)
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Asks for the losses of one sequence of 4 tokens.
fn losses(model: &mut Worker) -> Result<(), LanguageModelError> {
    model.losses(4, &[1, 2, 3, 4]).map(drop)
}

/// Asks for the score of one token.
fn score(model: &mut Worker) -> Result<(), LanguageModelError> {
    model.score(&[vec![ScoredSequence { tokens: &[1, 2], scored: 1 }]]).map(drop)
}

/// Asks for two samples of one token each, and takes token 5.
fn generate(model: &mut Worker) -> Result<(), LanguageModelError> {
    let prompt = Prompt { tokens: &[1], most: 1, samples: 2 };
    model.generate(&[prompt], &mut |_, _, _| Some(5))
}

#[test]
fn what_a_worker_says_first_is_checked() {
    let hello = |from: &str, to: &str| message(&HELLO.replace(from, to), &[]);
    let mut large = message(HELLO, &[]);
    large[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut long = message(HELLO, &[]);
    long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    for (first, expected) in [
        (b"Loading the model ...".to_vec(), "wrote \"Loading the mode\" to standard output"),
        (large, "announces a header of 4294967295 bytes, at most 65536"),
        (long, "announces arrays of 18446744073709551615 bytes, expected 0"),
        (message("{}", &[]), "sent the header `{}`: missing field `reply`"),
        (hello("\"version\":1", "\"version\":2"), "speaks version 2 of the contract, expected 1"),
        (hello("\"vocab\":8", "\"vocab\":0"), "says `vocab` is 0, expected 1 to 16777216"),
        (hello("\"vocab\":8", "\"vocab\":1e12"), "sent the header"),
        (hello("\"context\":4", "\"context\":1"), "says `context` is 1, expected 2 to 16777216"),
        (hello("\"k\"", "\"a/b\""), "says `kernel` is \"a/b\", expected 1 to 80 letters"),
        (hello("\"k\"", "\"avx512\""), "says `kernel` is \"avx512\", expected none of our own"),
        (hello("same-bits", "perfect"), "unknown variant `perfect`"),
        (message("{\"reply\":\"score\"}", &[]), "said `score` first, expected `hello`"),
        (message("{\"reply\":\"error\",\"error\":\"no GPU\"}", &[]), "says: no GPU"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = says(folder.path(), &[first]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}\n{expected}");
        assert!(error.hint().is_some(), "{error}");
    }
}

#[test]
fn answers_are_checked() {
    type Ask = fn(&mut Worker) -> Result<(), LanguageModelError>;
    let scored = |nats: f32, greedy: u8| {
        message("{\"reply\":\"score\"}", &[floats(&[nats]), vec![greedy]].concat())
    };
    let logits = |text: [u32; 2], logits: &[f32]| {
        let arrays = [words(&text), floats(logits)].concat();
        message("{\"reply\":\"logits\",\"rows\":1}", &arrays)
    };
    let (all, end) = ([0.0; 8], message("{\"reply\":\"generate\"}", &[]));
    let of_losses = |nats: &[f32]| message("{\"reply\":\"losses\"}", &floats(nats));
    let faults: [(Ask, Vec<Vec<u8>>, &str); 16] = [
        (losses, vec![of_losses(&[1.0; 4])], "announces arrays of 16 bytes, expected 12"),
        (losses, vec![of_losses(&[1.0, f32::NAN, 1.0])], "says loss 1 is NaN nats"),
        (losses, vec![of_losses(&[1.0, 1.0, -1.0])], "says loss 2 is -1 nats"),
        (losses, vec![of_losses(&[1e38, 1.0, 1.0])], "nats, expected 0 to 10000"),
        (score, vec![scored(1e38, 0)], "nats, expected 0 to 10000"),
        (losses, vec![scored(1.0, 0)], "answered `score`, expected `losses`"),
        (score, vec![scored(f32::INFINITY, 0)], "says score 0 is inf nats"),
        (score, vec![scored(1.0, 7)], "says `greedy` 0 is 7, expected 0 or 1"),
        (score, vec![scored(3.0, 1)], "says token 0 is the likeliest at 3 nats"),
        (generate, vec![end.clone()], "says all texts are at their end, 2 are not"),
        (generate, vec![logits([0, 2], &all)], "sample 2 of prompt 0, which was not asked for"),
        (
            generate,
            vec![logits([0, 1], &all), logits([0, 1], &all)],
            "sample 1 of prompt 0, which is at its end",
        ),
        (generate, vec![logits([0, 0], &all[..7])], "announces arrays of 36 bytes, expected 40"),
        (
            generate,
            vec![logits([0, 0], &[0.0, 0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0])],
            "says the logit of token 2 in row 0 is NaN",
        ),
        (
            generate,
            vec![message("{\"reply\":\"logits\",\"rows\":3}", &[])],
            "sends 3 rows of logits, expected 1 to 2",
        ),
        (generate, vec![scored(1.0, 0)], "answered `score`, expected `logits` or `generate`"),
    ];
    for (ask, answers, expected) in faults {
        let folder = tempfile::tempdir().unwrap();
        let messages = [&[message(HELLO, &[])], &answers[..]].concat();
        let mut worker = says(folder.path(), &messages).unwrap();
        let error = ask(&mut worker).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}\n{expected}");
        assert!(error.hint().unwrap().contains("docs/engines.md"), "{error}");
        assert_eq!(losses(&mut worker).unwrap_err(), error, "it is not asked again");
    }
    // The same worker, honest.
    let folder = tempfile::tempdir().unwrap();
    let messages = [message(HELLO, &[]), of_losses(&[1.0; 3]), scored(1.0, 1)];
    let rest = [logits([0, 1], &all), logits([0, 0], &all), end];
    let mut worker = says(folder.path(), &[&messages[..], &rest[..]].concat()).unwrap();
    for ask in [losses as Ask, score, generate] {
        ask(&mut worker).unwrap();
    }
}

#[test]
fn a_worker_that_dies_shows_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let script = "for i in $(seq 30); do echo \"line $i\" >&2; done; exit 3";
    let error = Worker::start(shell(folder.path(), script, &[]), PATIENCE, &NEVER).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("ended (exit status: 3) before it had answered"), "{text}");
    assert!(text.ends_with("\n  line 29\n  line 30"), "{text}");
    assert!(!text.contains("line 20\n"), "{text}");

    // After it has said what it has.
    let script = "cat \"$0\"; echo out of memory >&2; kill -9 $$";
    let command = shell(folder.path(), script, &[message(HELLO, &[])]);
    let mut worker = Worker::start(command, PATIENCE, &NEVER).unwrap();
    let text = losses(&mut worker).unwrap_err().to_string();
    assert!(text.contains("ended (signal: 9 (SIGKILL))"), "{text}");
    assert!(text.ends_with("the end of its standard error:\n  out of memory"), "{text}");
}

#[test]
fn a_worker_that_is_silent_too_long_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(300);
    let script = "cat \"$0\"; sleep 1000";
    let command = shell(folder.path(), script, &[message(HELLO, &[])]);
    let mut worker = Worker::start(command, limit, &NEVER).unwrap();
    let error = losses(&mut worker).unwrap_err();
    assert!(error.to_string().contains("was silent for 0.3 seconds"), "{error}");
    assert!(error.hint().unwrap().contains("standard error"));

    // Progress on standard error is a heartbeat, however long it takes.
    let script = "for i in 1 2 3 4 5 6 7 8; do echo $i >&2; sleep 0.1; done; cat \"$0\"; sleep 9";
    Worker::start(shell(folder.path(), script, &[message(HELLO, &[])]), limit, &NEVER).unwrap();
}

#[test]
fn a_silent_worker_is_waited_for_no_longer_than_we_are_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("messages.pids");
    let stop = AtomicBool::new(false);
    let command = shell(folder.path(), STAYS, &[message(HELLO, &[])]);
    let mut worker = Worker::start(command, PATIENCE, &stop).unwrap();
    let started = fs::read_to_string(&pids).unwrap();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            stop.store(true, Ordering::Relaxed);
        });
        losses(&mut worker).unwrap_err()
    });
    assert_eq!(error, LanguageModelError::stopped());
    drop(worker);
    soon("the worker ends", &|| !alive(&started));
    // One that loads for long.
    let command = shell(folder.path(), "sleep 987", &[]);
    assert!(Worker::start(command, PATIENCE, &stop).unwrap_err().is_stopped());
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = Worker::start(Command::new("no-such-worker"), PATIENCE, &NEVER).unwrap_err();
    assert!(error.to_string().starts_with("cannot start the worker `no-such-worker`: "), "{error}");
    assert_eq!(error.hint().unwrap(), "install `no-such-worker`, or correct its path");
}

/// Names the folder of the process that is killed.
const KILLED: &str = "SPARKJOY_TEST_KILLED";
/// A worker that would live for long, and a child of its own.
const STAYS: &str = "sleep 987 & echo $$ $! > \"$0.pids\"; cat \"$0\"; sleep 987; sleep 987";

/// Waits, half a minute at most.
fn soon(what: &str, done: &dyn Fn() -> bool) {
    for _ in 0..1500 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not done: {what}");
}

/// Whether one of these processes is there, and not only to be waited for.
fn alive(pids: &str) -> bool {
    pids.split_whitespace().any(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !["", "Z", "X"].contains(&state(rest)))
    })
}

/// The first word: the state, after the name of a process in its `stat`.
fn state(rest: &str) -> &str {
    rest.split_whitespace().next().unwrap_or_default()
}

#[cfg(target_os = "linux")] // Elsewhere there is no `/proc` to look at.
#[test]
fn a_worker_and_its_children_never_outlive_us() {
    if let Some(folder) = std::env::var_os(KILLED) {
        // The process that is killed: this test, started again by the lines below.
        let command = shell(Path::new(&folder), STAYS, &[message(HELLO, &[])]);
        let mut worker = Worker::start(command, PATIENCE, &NEVER).unwrap();
        losses(&mut worker).unwrap_err();
        panic!("nobody killed us");
    }
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("messages.pids");
    let read = || fs::read_to_string(&pids).unwrap();

    let command = shell(folder.path(), STAYS, &[message(HELLO, &[])]);
    let worker = Worker::start(command, PATIENCE, &NEVER).unwrap();
    let of_dropped = read();
    assert!(alive(&of_dropped), "{of_dropped}");
    drop(worker);
    soon("the dropped worker ends", &|| !alive(&of_dropped));

    fs::remove_file(&pids).unwrap();
    let mut us = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::a_worker_and_its_children_never_outlive_us"])
        .env(KILLED, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    soon("the worker starts", &|| fs::read_to_string(&pids).is_ok_and(|p| p.ends_with('\n')));
    us.kill().unwrap();
    us.wait().unwrap();
    soon("the worker ends", &|| !alive(&read()));
}

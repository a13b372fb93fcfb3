//! A folder with a tiny study on made-up text, and the program to run on it.
#![expect(dead_code, reason = "each test file uses its own part")]

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// How a command ended, with the folder's own name taken out of its texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The study of the tests: 80 steps of 256 tokens, four windows' worth of branches.
pub(crate) const STUDY: &str = r#"
name = "tiny"
seed = 17

[tokenizer]
kind = "bpe"
vocab = 300

[model]
layers = 1
width = 32
heads = 2
context = 32

[training]
budget = "20_480"
batch = 8
optimizer = { kind = "lionw", lr = 1e-3, betas = [0.9, 0.95], weight_decay = 1e-4 }
schedule = { kind = "inverse-sqrt", warmup = "5 steps", scale = "5 steps", cooldown = "0" }
grad_clip = 1.0
replicates = 2

[sources.crawl]
path = "crawl.jsonl"
domain = "web"
holdout = "10%"

[sources.sums]
path = "sums.jsonl"
domain = "math"
holdout = "10%"

[sources.proofs]
path = "proofs.jsonl"
domain = "math"
holdout = "10%"

[mixtures.base]
crawl = 0.8
math = 0.2

[mixtures.upsampled]
crawl = 0.4
math = 0.6

[trunk]
mixture = "base"

[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["10%", "25%"]

[[questions]]
ask = "removal"
mixture = "upsampled"
window = "25%"
remove = ["sums"]
refill = "domain"

[evaluation]
held_out = "1K"
"#;

/// A folder of its own for one test.
pub(crate) struct Laboratory {
    folder: TempDir,
}

impl Laboratory {
    /// A folder with the study and its three sources, about 60 KB each.
    pub(crate) fn new() -> Self {
        let laboratory = Self { folder: TempDir::new().expect("a folder for the test") };
        laboratory.write("study.toml", STUDY);
        for (seed, source) in ["crawl", "sums", "proofs"].iter().enumerate() {
            laboratory.write(&format!("{source}.jsonl"), &documents(seed as u64 + 1, 200));
        }
        laboratory
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("the test's folder can be written");
    }

    pub(crate) fn edit(&self, from: &str, to: &str) {
        let study = fs::read_to_string(self.path("study.toml")).expect("it was written");
        assert!(study.contains(from), "the study holds no `{from}`");
        self.write("study.toml", &study.replacen(from, to, 1));
    }

    /// The program, about to run in the folder.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sparkjoy"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        // What the developer's shell says about task files is not what is tested.
        command.env_remove("SPARKJOY_EVAL_DATA");
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.ended(&mut self.command(arguments))
    }

    pub(crate) fn ended(&self, command: &mut Command) -> Ended {
        let output = command.output().expect("the program starts");
        let folder = self.folder.path().display().to_string();
        let text = |bytes| String::from_utf8(bytes).expect("text").replace(&folder, "[DIR]");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        Ended { code: output.status.code(), stdout, stderr }
    }

    /// Runs the program to its end and expects all to be well.
    pub(crate) fn succeed(&self, arguments: &str) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments}: {}", ended.stderr);
        ended
    }

    /// What is refused, as the user sees it. The exit code must be 2.
    pub(crate) fn refuse(&self, arguments: &str) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "what is refused prints no data");
        // What was shown on the way is not the message.
        let at = ended.stderr.find("error: ").expect("a message");
        without_ids(&ended.stderr[at..])
    }

    /// Starts the program and waits until it has begun `count` things that were not done before.
    ///
    /// Waiting for what it says, and not for a time, hits the same jobs on every machine.
    pub(crate) fn start(&self, arguments: &str, count: usize) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let new = lines.map_while(Result::ok).filter(|line| !line.contains("done before"));
        new.take(count).for_each(drop);
        child
    }

    /// The only folder or file whose name starts with `start`, below `folder`.
    pub(crate) fn find(&self, folder: &str, start: &str) -> PathBuf {
        let entries = fs::read_dir(self.path(folder)).expect("a folder");
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| name(path).starts_with(start))
            .collect();
        found.sort();
        assert!(!found.is_empty(), "nothing in {folder} is called {start}…");
        found.remove(0)
    }

    /// A shard of training tokens.
    pub(crate) fn shard(&self) -> PathBuf {
        let source = self.find("prepared", "crawl-");
        let relative = source.strip_prefix(self.folder.path()).expect("found below it");
        self.find(&relative.to_string_lossy(), "train")
    }

    /// The report's files, by name.
    pub(crate) fn report(&self) -> Vec<(String, Vec<u8>)> {
        let names = ["report.csv", "report.json"];
        let read = |file: &str| fs::read(self.path("runs/tiny").join(file)).expect("a report");
        names.map(|file| (file.to_owned(), read(file))).to_vec()
    }
}

/// A text with every fingerprint and checksum as `[ID]`: they follow from formats, not messages.
pub(crate) fn without_ids(text: &str) -> String {
    let is_id =
        |word: &str| matches!(word.len(), 8 | 16) && word.bytes().all(|b| b.is_ascii_hexdigit());
    let ends_word = |c: char| !c.is_ascii_alphanumeric();
    let words = text.split_inclusive(ends_word).map(|piece| {
        let word = piece.trim_end_matches(ends_word);
        if is_id(word) { format!("[ID]{}", &piece[word.len()..]) } else { piece.to_owned() }
    });
    words.collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Made-up documents as JSON Lines: the same for the same seed, each source with words of its own.
pub(crate) fn documents(seed: u64, count: u64) -> String {
    let mut state = seed;
    let mut random = |below: u64| {
        // Knuth's MMIX generator: good enough to pick words.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed);
        (state >> 33) % below
    };
    let mut lines = String::new();
    for _ in 0..count {
        let words = (0..40 + random(20)).map(|_| format!("w{}", seed * 100 + random(60)));
        let text = words.collect::<Vec<_>>().join(" ");
        let _ = writeln!(lines, "{{\"text\": \"{text}\"}}");
    }
    lines
}

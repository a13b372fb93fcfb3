//! A study so small that it is prepared, run, reported and evaluated within a second.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::program::{Ended, command, program, run};
use super::tree::FileTree;
use crate::command::Failed;
use crate::random::Random;

const STUDY: &str = r#"name = "tiny"
seed = 17

[tokenizer]
kind = "bpe"
vocab = 300

[model]
layers = 1
width = 16
heads = 2
context = 32

[training]
budget = "3_072"
batch = 8
optimizer = { kind = "lionw", lr = 1e-3, betas = [0.9, 0.95], weight_decay = 1e-4 }
schedule = { kind = "inverse-sqrt", warmup = "2 steps", scale = "2 steps", cooldown = "0" }
grad_clip = 1.0
replicates = REPLICATES

[sources.crawl]
path = "crawl.jsonl"
domain = "web"
holdout = "20%"

[sources.sums]
path = "sums.jsonl"
domain = "math"
holdout = "20%"

[mixtures.base]
crawl = 0.8
sums = 0.2

[mixtures.upsampled]
crawl = 0.4
sums = 0.6

[trunk]
mixture = "base"

[[questions]]
ask = "duration"
mixture = "upsampled"
windows = ["25%"]

[evaluation]
held_out = "256"
tasks = ["puzzles.toml"]
data = "tasks"
limit = 4
at = ["50%"]
"#;

const TASKS: &str = r#"[suite]
name = "puzzles"

[[suite.categories]]
name = "all"
tasks = ["adding", "tales", "riddles"]

[[tasks]]
name = "adding"
type = "multiple-choice"
files = ["adding.jsonl"]
shots = 1
baseline = 0.5

[[tasks]]
name = "tales"
type = "language-modeling"
files = ["tales.jsonl"]
shots = 0
baseline = 0.0

[[tasks]]
name = "riddles"
type = "generation"
files = ["riddles.jsonl"]
shots = 0
stop = ["\n"]
normalize = true
rule = "prefix"
baseline = 0.0
"#;

/// The commands in the order in which a user gives them.
pub(super) const VERBS: [&str; 4] = ["prepare", "run", "report", "eval"];

/// A study that was written, and the program that is to run it.
pub(super) struct Study {
    program: PathBuf,
    /// Study, text and tasks: nothing in it changes.
    pub(super) input: PathBuf,
    /// The checkpoint that `eval` scores, below a folder that holds prepared text and runs.
    model: Option<PathBuf>,
}

/// What the commands leave when nothing disturbs them.
pub(super) struct Undisturbed {
    /// Before the first command, then after each of [`VERBS`].
    pub(super) after: Vec<FileTree>,
    /// What each of them printed, given again once all is done.
    pub(super) said: Vec<String>,
}

impl Study {
    /// Writes a study with its text and tasks into a folder.
    ///
    /// # Errors
    ///
    /// [`Failed`] if it cannot be written.
    pub(super) fn write(input: &Path, replicates: u64) -> Result<Self, Failed> {
        let study = STUDY.replace("REPLICATES", &replicates.to_string());
        let mut files = vec![
            ("study.toml", study),
            ("puzzles.toml", TASKS.to_owned()),
            ("crawl.jsonl", documents(1)),
            ("sums.jsonl", documents(2)),
        ];
        let rows = |row: &dyn Fn(usize) -> String| (0..6).map(|i| row(i) + "\n").collect();
        files.push((
            "tasks/adding.jsonl",
            rows(&|i| {
                let [a, b] = if i % 2 == 0 { [i + 1, i] } else { [i, i + 1] };
                format!("{{\"query\":\"{i}+1\",\"choices\":[\"{a}\",\"{b}\"],\"gold\":{}}}", i % 2)
            }),
        ));
        files.push((
            "tasks/tales.jsonl",
            rows(&|i| format!("{{\"context\":\"tale {i}\",\"continuation\":\"ends\"}}")),
        ));
        files.push((
            "tasks/riddles.jsonl",
            rows(&|i| format!("{{\"context\":\"What {i}?\",\"answer\":\"egg\"}}")),
        ));
        for (name, content) in files {
            write(&input.join(name), content.as_bytes())?;
        }
        Ok(Self { program: program()?, input: input.to_owned(), model: None })
    }

    /// The command line of one of [`VERBS`].
    pub(super) fn line(&self, verb: &str) -> String {
        let input = self.input.display();
        let what = match verb {
            "eval" => {
                let model = self.model.as_deref().unwrap_or(Path::new("runs")).display();
                format!(
                    "eval {model} --tasks {input}/puzzles.toml --eval-data {input}/tasks --limit 4"
                )
            }
            verb => format!("{verb} {input}/study.toml"),
        };
        format!("{what} --prepared prepared --runs runs --threads 1")
    }

    /// The checkpoint that `eval` scores.
    ///
    /// # Errors
    ///
    /// [`Failed`] if the study was not run.
    pub(super) fn model(&self) -> Result<&Path, Failed> {
        self.model.as_deref().ok_or_else(|| Failed("the study has left no checkpoint".to_owned()))
    }

    /// Runs a command line in a folder of prepared text and runs.
    ///
    /// - `before`: what runs the program, if anything.
    ///
    /// # Errors
    ///
    /// [`Failed`] if it cannot be started.
    pub(super) fn run(
        &self,
        before: &[String],
        line: &str,
        folder: &Path,
    ) -> Result<Ended, Failed> {
        run(&mut command(before, &self.program, line, folder))
    }

    /// Gives all commands twice: first to have the trees, then to have what is said when all is
    /// done.
    ///
    /// # Errors
    ///
    /// [`Failed`] if one of them fails.
    pub(super) fn undisturbed(&mut self, folder: &Path) -> Result<Undisturbed, Failed> {
        FileTree::default().restore(folder)?;
        let mut after = vec![FileTree::default()];
        for verb in VERBS {
            self.succeed(verb, folder)?;
            after.push(FileTree::read(folder)?);
            if verb == "run" {
                let found = after.last().into_iter().flat_map(|tree| tree.0.keys());
                let is_model =
                    |path: &&PathBuf| path.starts_with("runs") && path.ends_with("step-000009");
                self.model = found.into_iter().find(is_model).cloned();
            }
        }
        let said = VERBS.iter().map(|verb| self.succeed(verb, folder)).collect::<Result<_, _>>()?;
        let again = FileTree::read(folder)?;
        let differing = after[VERBS.len()].differing(&again);
        if !differing.is_empty() {
            return Err(Failed(format!("the commands given again change {differing:?}")));
        }
        *after.last_mut().expect("there are commands") = again;
        Ok(Undisturbed { after, said })
    }

    fn succeed(&self, verb: &str, folder: &Path) -> Result<String, Failed> {
        let ended = self.run(&[], &self.line(verb), folder)?;
        if ended.is_done() {
            return Ok(ended.stdout);
        }
        Err(Failed(format!("`{verb}` of the undisturbed study ended so: {ended:?}")))
    }
}

/// Writes a file and the folder it lies in.
///
/// # Errors
///
/// [`Failed`] with its path.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Failed> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = written.and_then(|()| fs::write(path, content));
    written.map_err(|e| Failed(format!("cannot write `{}`: {e}", path.display())))
}

/// Lines of JSON: documents of words that only this source has.
pub(super) fn documents(source: usize) -> String {
    let mut random = Random(source as u64);
    let mut lines = String::new();
    for _ in 0..70 {
        let words: Vec<String> = (0..30 + random.below(20))
            .map(|_| format!("w{}", 100 * source + random.below(60)))
            .collect();
        let _ = writeln!(lines, "{{\"text\": \"{}\"}}", words.join(" "));
    }
    lines
}

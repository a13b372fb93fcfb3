//! Changed bytes for each reader of the program: what is read, or refused by name, and never more.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::mutate::mutate;
use super::study::{Study, Undisturbed, VERBS, documents};
use super::tally::TrialOutcome;
use super::tree::FileTree;
use super::{Bench, Trial, parallel};
use crate::command::{Failed, root};
use crate::random::Random;

/// Prepares one source, whatever its text is.
const PREPARE: &str = "prepare in/source.toml --prepared out --runs out --threads 1";
/// Counts all text of a folder.
const NEW: &str = "new out/new.toml --data in --threads 1";

/// The study of one source that [`PREPARE`] prepares.
const SOURCE: &str = r#"name = "one"
seed = 1

[tokenizer]
kind = "bpe"
vocab = 260

[model]
layers = 1
width = 16
heads = 2
context = 32

[training]
budget = "1K"
batch = 4
optimizer = { kind = "lionw", lr = 1e-3, betas = [0.9, 0.95], weight_decay = 1e-4 }
schedule = { kind = "inverse-sqrt", warmup = "1 steps", scale = "1 steps", cooldown = "0" }
grad_clip = 1.0
replicates = 1

[sources.text]
path = "one/*.EXTENSION"
domain = "web"
holdout = "20%"

[mixtures.base]
text = 1.0

[trunk]
mixture = "base"

[[questions]]
ask = "duration"
mixture = "base"
windows = ["25%"]

[evaluation]
held_out = "64"
"#;

/// A reader, valid files for it, and the commands that have it read them.
struct Reader {
    name: &'static str,
    /// Everything in the folder, by path.
    files: FileTree,
    /// Which of them are changed.
    changed: Vec<PathBuf>,
    /// Command lines; each trial gives the first, or the last each `every`-th time.
    lines: Vec<String>,
    every: usize,
    /// Whether nothing but what they print of the valid files may be printed: the files are our own
    /// and carry hashes.
    is_ours: bool,
    /// What each prints of the valid files.
    said: Vec<String>,
}

/// Fuzzes each reader for some time.
///
/// # Errors
///
/// [`Failed`] if the undisturbed study fails, or a file cannot be written.
pub(super) fn readers(bench: &Bench, seconds: Duration) -> Result<Vec<Trial>, Failed> {
    let mut study = Study::write(&bench.folder("input"), 1)?;
    let work = bench.folder("work-0");
    let undisturbed = study.undisturbed(&work)?;
    let mut readers = all(&study, &undisturbed)?;
    for reader in &mut readers {
        for line in &reader.lines {
            reader.files.restore(&work)?;
            let ended = study.run(&[], line, &work)?;
            if !ended.is_done() {
                return Err(Failed(format!("`{line}` of valid files ended so: {ended:?}")));
            }
            reader.said.push(ended.stdout);
        }
    }
    parallel(bench, &readers, |reader, work, tell| {
        let begin = Instant::now();
        let mut random = Random(2);
        for number in 0.. {
            if begin.elapsed() >= seconds {
                break;
            }
            tell(one(&study, reader, number, &mut random, work)?);
        }
        Ok(())
    })
}

fn one(
    study: &Study,
    reader: &Reader,
    number: usize,
    random: &mut Random,
    work: &Path,
) -> Result<Trial, Failed> {
    let path = &reader.changed[random.below(reader.changed.len())];
    let bytes = reader.files.0[path].as_deref().unwrap_or_default();
    let changed = mutate(bytes, random);
    let mut files = reader.files.clone();
    files.0.insert(path.clone(), Some(changed.clone()));
    files.restore(work)?;
    let is_last = number % reader.every == reader.every - 1;
    let which = if is_last { reader.lines.len() - 1 } else { 0 };
    let ended = study.run(&[], &reader.lines[which], work)?;
    let other = reader.is_ours && reader.said[which] != ended.stdout;
    let outcome = match () {
        () if ended.hangs => TrialOutcome::Hang,
        () if ended.is_panic() => TrialOutcome::Panic,
        () if !ended.is_done() && ended.names(path) => TrialOutcome::Named,
        () if !ended.is_done() => TrialOutcome::Unnamed,
        () if other => TrialOutcome::Silent,
        () => TrialOutcome::Harmless,
    };
    let mut what =
        format!("{}, trial {number}, {}: {}", reader.name, path.display(), reader.lines[which]);
    if outcome.is_fault() {
        let kept = root().join("target/torture").join(format!("{}-{number}", reader.name));
        super::study::write(&kept, &changed)?;
        what = format!("{what}, kept as `{}`", kept.display());
    }
    Ok(Trial { row: reader.name.to_owned(), what, outcome, why: ended.stderr })
}

/// Every reader with its files.
fn all(study: &Study, undisturbed: &Undisturbed) -> Result<Vec<Reader>, Failed> {
    let (input, done) = (FileTree::read(&study.input)?, &undisturbed.after[VERBS.len()]);
    let below = |tree: &FileTree, folder: &str| -> FileTree {
        let place = |path: &PathBuf| {
            if folder.is_empty() { path.clone() } else { Path::new(folder).join(path) }
        };
        let files = tree.0.iter().map(|(path, bytes)| (place(path), bytes.clone()));
        let folder = (!folder.is_empty()).then(|| (folder.into(), None));
        FileTree(folder.into_iter().chain(files).collect())
    };
    let with_input = |tree: &FileTree| {
        FileTree(tree.0.clone().into_iter().chain(below(&input, "in").0).collect())
    };
    let (text, packed) = (documents(1), documents(3));
    let mut readers = vec![
        // Text that is read before it is known what it is.
        source("json lines", "jsonl", &[("text.jsonl".to_owned(), text.clone().into_bytes())]),
        source("plain text", "txt", &plain(&text)),
        source("gzip", "jsonl.gz", &[("text.jsonl.gz".to_owned(), gzip(&packed)?)]),
        source("zstd", "jsonl.zst", &[("text.jsonl.zst".to_owned(), zstd(&packed)?)]),
        source("parquet", "parquet", &parquet()?),
    ];
    let all = with_input(done);
    let changed = |tree: &FileTree, is_it: &dyn Fn(&str) -> bool| -> Vec<PathBuf> {
        let files = tree.files().map(|(path, _)| path);
        files.filter(|path| is_it(&path.to_string_lossy())).map(Path::to_owned).collect()
    };
    let of = |verb: &str| study.line(verb).replace(&study.input.display().to_string(), "in");
    let eval = |model: &str| {
        let tasks = "--tasks in/puzzles.toml --eval-data in/tasks --limit 2 --out out --threads 1";
        format!("eval {model} {tasks}")
    };
    let model = study.model()?.display().to_string();
    readers.push(Reader {
        name: "study",
        changed: vec!["in/study.toml".into()],
        files: all.clone(),
        lines: vec![of("plan")],
        every: 1,
        is_ours: false,
        said: Vec::new(),
    });
    readers.push(Reader {
        name: "tasks",
        changed: changed(&all, &|path| path.starts_with("in/tasks/") || path == "in/puzzles.toml"),
        files: all.clone(),
        lines: vec![eval(&model)],
        every: 1,
        is_ours: false,
        said: Vec::new(),
    });
    // A model folder of somebody else: the checkpoint without what makes it one.
    let is_model = |path: &Path| {
        path.starts_with(&model) && !["DONE", "state.json"].iter().any(|it| path.ends_with(it))
    };
    let files = all.0.iter().filter(|(path, _)| is_model(path));
    let foreign = files
        .map(|(path, bytes)| (path.strip_prefix(&model).unwrap_or(path).to_owned(), bytes.clone()));
    let foreign = foreign.filter(|(path, _)| path != Path::new("")).collect();
    let foreign = FileTree(
        below(&FileTree(foreign), "model").0.into_iter().chain(below(&input, "in").0).collect(),
    );
    for (name, is_tokenizer) in [("tokenizer", true), ("model folder", false)] {
        let is_it = |path: &str| {
            let is_of_tokens = path.contains("token");
            path.starts_with("model/")
                && is_of_tokens == is_tokenizer
                && (is_of_tokens
                    || path.ends_with("config.json")
                    || path.ends_with("model.safetensors"))
        };
        readers.push(Reader {
            name,
            changed: changed(&foreign, &is_it),
            files: foreign.clone(),
            lines: vec![eval("model"), "show model".to_owned()],
            every: 2,
            is_ours: false,
            said: Vec::new(),
        });
    }
    readers.push(Reader {
        name: "prepared folder",
        changed: changed(&all, &|path| path.starts_with("prepared/")),
        files: all.clone(),
        lines: vec![of("report"), of("prepare")],
        every: 2,
        is_ours: true,
        said: Vec::new(),
    });
    readers.push(Reader {
        name: "checkpoint",
        changed: changed(&all, &|path| path.starts_with(&model)),
        files: all,
        lines: vec![eval(&model)],
        every: 1,
        is_ours: true,
        said: Vec::new(),
    });
    Ok(readers)
}

/// A reader of text: a study of one source, and a folder to look at.
fn source(name: &'static str, extension: &str, files: &[(String, Vec<u8>)]) -> Reader {
    let study = SOURCE.replace("EXTENSION", extension);
    let mut tree = FileTree::default();
    let mut changed = Vec::new();
    for folder in ["in", "in/one", "in/two", "in/three", "out"] {
        tree.0.insert(folder.into(), None);
    }
    // As much as a study needs.
    for (path, sources) in [("in/two/more.jsonl", 4..9), ("in/three/more.jsonl", 9..14)] {
        let more: String = sources.map(documents).collect();
        tree.0.insert(path.into(), Some(more.into_bytes()));
    }
    tree.0.insert("in/source.toml".into(), Some(study.into_bytes()));
    for (file, bytes) in files {
        let path = Path::new("in/one").join(file);
        tree.0.insert(path.clone(), Some(bytes.clone()));
        changed.push(path);
    }
    Reader {
        name,
        files: tree,
        changed,
        lines: vec![PREPARE.into(), NEW.into()],
        // It takes seconds.
        every: 25,
        is_ours: false,
        said: Vec::new(),
    }
}

/// Documents as files of plain text.
fn plain(lines: &str) -> Vec<(String, Vec<u8>)> {
    let text = lines.replace("{\"text\": \"", "").replace("\"}", "");
    let file = |(index, line): (usize, &str)| (format!("text-{index}.txt"), line.into());
    text.lines().enumerate().map(file).collect()
}

fn gzip(text: &str) -> Result<Vec<u8>, Failed> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    packed.map_err(|e| Failed(format!("cannot pack: {e}")))
}

fn zstd(text: &str) -> Result<Vec<u8>, Failed> {
    zstd::encode_all(text.as_bytes(), 3).map_err(|e| Failed(format!("cannot pack: {e}")))
}

/// The Parquet files of the tests, one of each kind.
fn parquet() -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let folder = root().join("crates/data/testdata/parquet");
    let names =
        ["plain.parquet", "dictionary.parquet", "zstd.parquet", "gzip.parquet", "snappy.parquet"];
    let read = |name: &str| Ok((name.to_owned(), fs::read(folder.join(name))?));
    let files = names.into_iter().map(read).collect::<std::io::Result<_>>();
    files.map_err(|e| Failed(format!("`{}`: {e}", folder.display())))
}

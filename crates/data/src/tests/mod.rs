//! Tests of the whole path from text files to sequences.

mod bad_input;
mod document_reader;
mod held_out;
mod interrupted;
mod parquet_files;
mod prepared;
mod row_text;
mod shards;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use sparkjoy_base::{Hint, Ppm, SourceName, write_atomic};
use tempfile::TempDir;

use crate::prepare::{Sizes, prepare_sized};
use crate::{
    Corpus, DataError, OnBadDocument, Part, PrepareOptions, Rows, SourceFiles, Tokenizer,
    Validation,
};

/// Small enough that a few documents fill a block, and a few blocks a shard.
const TINY: Sizes =
    Sizes { block_bytes: 300, document_bytes_max: 5000, shard_bytes: 500, progress_bytes: 0 };

/// A tokenizer quick to make: 300 ids, two bytes each.
fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| bpe("seven sequences of text "));
    &TOKENIZER
}

fn bpe(text: &str) -> Tokenizer {
    let text = (0..400).fold(String::new(), |mut all, i| {
        write!(all, "{text}{i} ").unwrap();
        all
    });
    Tokenizer::train_bpe(&[text], 300).unwrap()
}

/// A folder with input files and a place for prepared ones.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.root().join("in").join(name);
        write_atomic(&path, bytes).unwrap();
        path
    }

    /// A source of `paths` of which `split` is held out.
    fn source(&self, paths: &[&str], split: u32) -> SourceFiles {
        SourceFiles {
            name: SourceName::new("web").unwrap(),
            paths: paths.iter().map(|&p| p.to_owned()).collect(),
            root: self.root().join("in"),
            rows: Rows::default(),
            on_bad_document: OnBadDocument::Refuse,
            validation: Validation::Split(Ppm(split)),
        }
    }

    fn out(&self) -> PathBuf {
        self.root().join("out")
    }

    fn prepare(&self, source: &SourceFiles) -> Result<Corpus, DataError> {
        prepare(source, &self.out(), 2)
    }

    /// Error and hint as the command line shows them, with the folder's name taken out.
    fn refusal(&self, source: &SourceFiles) -> String {
        self.shown(&self.prepare(source).expect_err("it was accepted"))
    }

    fn shown(&self, error: &DataError) -> String {
        let hint = error.hint().expect("every refusal says what to type next");
        let root = self.root().to_string_lossy().into_owned();
        format!("error: {error}\nhint: {hint}").replace(&root, "HERE")
    }
}

fn prepare(source: &SourceFiles, folder: &Path, threads: usize) -> Result<Corpus, DataError> {
    let stop = AtomicBool::new(false);
    let options = PrepareOptions { threads, stop: &stop, progress: &|_| {} };
    prepare_sized(source, tokenizer(), folder, &options, &TINY)
}

/// The text of document `i`: of many lengths, some with escapes and letters beyond ASCII.
fn text(i: usize) -> String {
    format!("document {i}\n{}", "sévèn \"sequences\" ".repeat(i * 7 % 13))
}

/// JSON Lines of documents `range`.
fn json_lines(range: std::ops::Range<usize>) -> Vec<u8> {
    range.fold(Vec::new(), |mut lines, i| {
        let line = serde_json::json!({ "id": i, "text": text(i) });
        serde_json::to_writer(&mut lines, &line).unwrap();
        lines.push(b'\n');
        lines
    })
}

/// All tokens of a part.
fn tokens(corpus: &Corpus, part: Part) -> Vec<u32> {
    let mut all = vec![0; corpus.tokens(part) as usize];
    for (i, token) in (0..).zip(all.iter_mut()) {
        corpus.read(part, i, std::slice::from_mut(token)).unwrap();
    }
    all
}

/// The documents of a part as text.
fn documents(corpus: &Corpus, part: Part) -> Vec<String> {
    let tokens = tokens(corpus, part);
    let end = tokenizer().end_of_text();
    let mut documents: Vec<_> =
        tokens.split(|&t| t == end).map(|ids| tokenizer().decode(ids)).collect();
    assert_eq!(documents.pop().unwrap(), "", "every document is followed by its end-of-text");
    documents
}

/// Names and bytes of all files in a folder, except what depends on the input's times.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

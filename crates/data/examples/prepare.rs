//! How fast text becomes shards, and how much memory that takes.
//!
//! ```text
//! cargo run --release -p sparkjoy-data --example prepare -- \
//!     <tokenizer: cl100k or a folder> <threads> <out folder> <file>...
//! ```
//!
//! Files are taken as they are, 1 % is held out. The output folder must not exist.

#![expect(clippy::disallowed_types, reason = "a benchmark needs a clock")]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use sparkjoy_base::{Ppm, SourceName, bytes, duration, thousands};
use sparkjoy_data::{
    OnBadDocument, Part, PrepareOptions, Rows, SourceFiles, Tokenizer, Validation, prepare,
};

#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tokenizer, threads, out, files @ ..] = arguments.as_slice() else {
        return Err("expected: <cl100k or folder> <threads> <out folder> <file>...".into());
    };
    let tokenizer = match tokenizer.as_str() {
        "cl100k" => Tokenizer::cl100k(),
        folder => Tokenizer::open(Path::new(folder))?,
    };
    let source = SourceFiles {
        name: SourceName::new("bench")?,
        paths: files.to_vec(),
        root: PathBuf::from("."),
        rows: Rows::default(),
        on_bad_document: OnBadDocument::Refuse,
        validation: Validation::Split(Ppm(10_000)),
    };
    let stop = AtomicBool::new(false);
    let threads: usize = threads.parse()?;
    let options = PrepareOptions { threads, stop: &stop, progress: &|_| {} };
    let started = Instant::now();
    let corpus = prepare(&source, &tokenizer, Path::new(out), &options)?;
    let seconds = started.elapsed().as_secs_f64();
    let both = |count: &dyn Fn(Part) -> u64| count(Part::Train) + count(Part::Validation);
    let text = both(&|part| corpus.text_bytes(part));
    println!(
        "{} of text, {} tokens, {} documents in {}: {:.1} MB/s with {threads} threads, peak {}",
        bytes(text),
        thousands(both(&|part| corpus.tokens(part))),
        thousands(both(&|part| corpus.documents(part))),
        duration(seconds),
        text as f64 / 1e6 / seconds,
        peak_memory().unwrap_or_default(),
    );
    Ok(())
}

/// The most memory this process has held.
fn peak_memory() -> Option<String> {
    let status = sparkjoy_base::read_to_string(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(bytes(kib * 1024))
}

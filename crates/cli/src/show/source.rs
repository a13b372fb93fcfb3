//! A prepared source: how much it holds, and how its text begins.

use std::path::Path;

use serde::Serialize;
use sparkjoy_base::{Fingerprint, SourceName, bytes, thousands};
use sparkjoy_data::{Corpus, Part};
use sparkjoy_report::Table;

use super::{excerpt, legend, prepared, text_of};
use crate::args::Place;
use crate::failure::Failure;
use crate::output::{Output, print, print_json};

/// Tokens of each excerpt: enough to recognise a text by.
const EXCERPT: usize = 64;

/// A prepared source as shown.
#[derive(Debug, Serialize)]
struct Prepared {
    source: SourceName,
    tokenizer: Fingerprint,
    parts: Vec<Content>,
    skipped: u64,
    /// The beginning of the training text, in stretches of 64 tokens.
    texts: Vec<String>,
}

/// What is trained on, or what is held out.
#[derive(Debug, Serialize)]
struct Content {
    part: &'static str,
    fingerprint: Fingerprint,
    documents: u64,
    text_bytes: u64,
    tokens: u64,
}

/// Whether a folder is a prepared source, or a file a shard of one.
pub(super) fn is_one(path: &Path) -> bool {
    folder_of(path).join("source.json").is_file()
}

/// A shard is shown as the source it is a part of.
fn folder_of(path: &Path) -> &Path {
    if path.is_dir() { path } else { path.parent().unwrap_or(path) }
}

/// Shows a prepared source, or the one a shard belongs to.
pub(super) fn show(path: &Path, rows: usize, place: &Place) -> Result<(), Failure> {
    let folder = folder_of(path);
    let corpus = Corpus::open(folder)?;
    let tokenizer = prepared::tokenizer(folder.parent().unwrap_or(folder), corpus.tokenizer())?;
    let sequences = corpus.sequences(Part::Train, EXCERPT).min(rows as u64);
    let texts = (0..sequences).map(|ordinal| text_of(&corpus, &tokenizer, EXCERPT, ordinal));
    let source = Prepared {
        source: corpus.name().clone(),
        tokenizer: corpus.tokenizer(),
        parts: [("train", Part::Train), ("held out", Part::Validation)]
            .map(|(name, part)| content(&corpus, name, part))
            .into(),
        skipped: corpus.skipped(),
        texts: texts.collect::<Result<_, _>>()?,
    };
    match place.output() {
        Output::Json => print_json(&source),
        Output::Text => print(&render(&source)),
    }
}

fn content(corpus: &Corpus, name: &'static str, part: Part) -> Content {
    Content {
        part: name,
        fingerprint: corpus.fingerprint(part),
        documents: corpus.documents(part),
        text_bytes: corpus.text_bytes(part),
        tokens: corpus.tokens(part),
    }
}

fn render(source: &Prepared) -> String {
    let mut parts = Table::new(["<part", "documents", "text", "tokens", "<content"]);
    for part in &source.parts {
        parts.row([
            part.part.to_owned(),
            thousands(part.documents),
            bytes(part.text_bytes),
            thousands(part.tokens),
            part.fingerprint.to_string(),
        ]);
    }
    let mut text = format!(
        "source {} · tokenizer {} · {} documents skipped\n\n{}\n",
        source.source,
        source.tokenizer,
        thousands(source.skipped),
        parts.text()
    );
    for excerpted in &source.texts {
        text.push_str(&excerpt(excerpted, 96));
        text.push('\n');
    }
    text.push_str(legend(source.texts.iter()));
    text
}

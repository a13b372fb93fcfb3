//! `prepare`: text to shards, and what came out.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use sparkjoy_base::{SourceName, bytes, counted, thousands};
use sparkjoy_data::{Corpus, LeftOutRows, Part, Tokenizer};
use sparkjoy_jobs::{held_out_notes, open_corpora, text_is_gone};
use sparkjoy_report::Table;
use sparkjoy_study::Study;

use crate::args::Place;
use crate::failure::Failure;
use crate::output::{Output, print, print_json, say};
use crate::study;

/// A prepared source as shown.
#[derive(Debug, Serialize)]
struct Prepared {
    source: SourceName,
    documents: u64,
    tokens: u64,
    text_bytes: u64,
    held_out_documents: u64,
    held_out_tokens: u64,
    skipped: u64,
    /// The first of them: where each stands and what is wrong with it.
    skipped_shown: Vec<String>,
    left_out: LeftOutRows,
}

impl Prepared {
    fn new(corpus: &Corpus) -> Self {
        Self {
            source: corpus.name().clone(),
            documents: corpus.documents(Part::Train),
            tokens: corpus.tokens(Part::Train),
            text_bytes: corpus.text_bytes(Part::Train),
            held_out_documents: corpus.documents(Part::Validation),
            held_out_tokens: corpus.tokens(Part::Validation),
            skipped: corpus.skipped(),
            skipped_shown: corpus.skipped_shown().to_vec(),
            left_out: corpus.left_out(),
        }
    }
}

/// Prepares the sources of a study and shows how much text each holds.
///
/// # Errors
///
/// What is wrong with the study or its text; an interruption.
pub(crate) fn prepare(path: &Path, place: &Place, stop: &AtomicBool) -> Result<(), Failure> {
    let study = study::open(path, place)?;
    let corpora = match whole_without_text(&study, place) {
        Some((tokenizer, corpora)) => {
            say("all is prepared; its text is not on this machine, and nothing needs it");
            study::check(&study, &corpora, &tokenizer, place, stop)?;
            corpora
        }
        None => study::prepare(&study, place, stop)?.1,
    };
    let prepared: Vec<Prepared> = corpora.iter().map(Prepared::new).collect();
    match place.output() {
        Output::Json => print_json(&prepared)?,
        Output::Text => print(&render(&prepared))?,
    }
    let notes = held_out_notes(&study, &corpora, &place.prepared)?;
    for note in notes.iter().filter(|note| note.is_of_check()) {
        say(&format!("note: {note}"));
    }
    Ok(())
}

/// What is prepared of a study, where that is all of it and its text is gone.
fn whole_without_text(study: &Study, place: &Place) -> Option<(Tokenizer, Vec<Corpus>)> {
    text_is_gone(study).then(|| open_corpora(study, &place.prepared))?.ok()
}

fn render(prepared: &[Prepared]) -> String {
    let mut table = Table::new([
        "<source",
        "documents",
        "text",
        "tokens",
        "bytes per token",
        "held-out tokens",
        "skipped documents",
    ]);
    for source in prepared {
        table.row([
            source.source.to_string(),
            thousands(source.documents),
            bytes(source.text_bytes),
            thousands(source.tokens),
            match source.tokens {
                0 => "–".to_owned(),
                tokens => format!("{:.2}", source.text_bytes as f64 / tokens as f64),
            },
            thousands(source.held_out_tokens),
            thousands(source.skipped),
        ]);
    }
    let mut text = table.text();
    for Prepared { source, left_out, .. } in prepared {
        let LeftOutRows { filtered, null, missing } = *left_out;
        if filtered > 0 {
            let rows = counted(filtered, "row");
            let _ = writeln!(text, "\nsource `{source}`: {rows} left out by `where`");
        }
        if null + missing > 0 {
            let (null, missing) = (thousands(null), thousands(missing));
            let _ =
                writeln!(text, "\nsource `{source}`: text null in {null}, missing in {missing}");
        }
    }
    for source in prepared.iter().filter(|source| source.skipped > 0) {
        let (name, skipped) = (&source.source, thousands(source.skipped));
        let _ = writeln!(text, "\nsource `{name}` skipped {skipped} documents");
        for bad in &source.skipped_shown {
            let _ = writeln!(text, "  {bad}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prepared_source_is_a_row() {
        let web = Prepared {
            source: SourceName::new("web").unwrap(),
            documents: 1592,
            tokens: 7_654_321,
            text_bytes: 32_002_420,
            held_out_documents: 15,
            held_out_tokens: 65_432,
            skipped: 2,
            skipped_shown: vec!["`web/a.jsonl` line 7: no field `text`, found `body`".to_owned()],
            left_out: LeftOutRows { filtered: 1234, null: 0, missing: 2 },
        };
        let text = anstream::adapter::strip_str(&render(&[web])).to_string();
        insta::assert_snapshot!(text, @"
        source  documents      text     tokens  bytes per token  held-out tokens  skipped documents
        web         1,592  30.5 MiB  7,654,321             4.18           65,432                  2

        source `web`: 1,234 rows left out by `where`

        source `web`: text null in 0, missing in 2

        source `web` skipped 2 documents
          `web/a.jsonl` line 7: no field `text`, found `body`
        ");
    }
}

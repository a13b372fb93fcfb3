//! `new`: a study with every setting spelled out, or one of the text in a folder.

use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::json;
use sparkjoy_base::{about, counted, quantity, thousands, write_atomic};
use sparkjoy_data::{Broken, Shared};
use sparkjoy_draft::{Draft, DraftSource, draft};
use sparkjoy_report::{Table, wrap};
use sparkjoy_study::STUDY_TEMPLATE;

use crate::args::Place;
use crate::failure::Failure;
use crate::output::{Output, print, print_json, say};

/// Writes a study to `file`: the template, or one of the text in the folder of `--data`.
///
/// # Errors
///
/// [`Failure::Exists`] rather than overwriting anything; what is wrong with the text.
pub(crate) fn write(file: &Path, place: &Place, stop: &AtomicBool) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        return Err(Failure::Exists { path: file.to_owned() });
    }
    match &place.data {
        None => template(file, place.output()),
        Some(data) => of_data(data, file, place, stop),
    }
}

fn template(file: &Path, output: Output) -> Result<(), Failure> {
    write_atomic(file, STUDY_TEMPLATE.as_bytes())?;
    let shown = file.display();
    match output {
        Output::Json => print_json(&json!({ "study": shown.to_string() })),
        Output::Text => print(&format!(
            "wrote {shown}\n\nName your sources in it, then: sparkjoy prepare {shown}\n"
        )),
    }
}

fn of_data(data: &Path, file: &Path, place: &Place, stop: &AtomicBool) -> Result<(), Failure> {
    say(&format!("reading `{}`", data.display()));
    let draft = draft(data, file, place.threads(), stop)?;
    write_atomic(file, draft.text.as_bytes())?;
    match place.output() {
        Output::Json => print_json(&json!({
            "study": file.display().to_string(),
            "sources": draft.sources,
            "left_out": draft.left_out,
            "shared": draft.shared,
            "near_tie": draft.near_tie,
            "parameters": draft.parameters,
            "budget": draft.budget.0,
            "tree": draft.tree.0,
            "seconds": draft.seconds,
        })),
        Output::Text => print(&render(&draft, file)),
    }
}

fn render(draft: &Draft, file: &Path) -> String {
    let mut table =
        Table::new(["<source", "<domain", "files", "tokens", "<", "base", "upsampled", "epochs"]);
    for source in &draft.sources {
        table.row(row(source));
    }
    let mut text = table.text();
    for source in &draft.sources {
        if let Some(line) = &source.text {
            let _ = writeln!(text, "\ntext of {}: {line}", source.name);
        }
    }
    for source in &draft.sources {
        if let Some(Broken { documents, of, first }) = &source.broken {
            let of = format!("{} of {}", thousands(*documents), counted(*of, "document"));
            let _ = writeln!(text, "\nleft out of {}: {of}\n  the first: {first}", source.name);
        }
    }
    for left_out in &draft.left_out {
        let mut names = left_out.shown.join(", ");
        if left_out.files as usize > left_out.shown.len() {
            names.push_str(", …");
        }
        let _ = writeln!(text, "\nleft out: {names}\n  {}", left_out.why);
    }
    for note in draft.shared.iter().map(shared).chain(draft.near_tie.clone()) {
        let _ = writeln!(text, "\n{}", wrap(&format!("note: {note}")).join("\n"));
    }
    let shown = file.display();
    let _ = write!(
        text,
        "\nwrote {shown}\n{} parameters, {} tokens of trunk, {} in all\n\
         on this machine {}: training, and scoring of held-out text\n\n\
         Read what it proposes, or go: sparkjoy run {shown}\n",
        quantity(draft.parameters),
        quantity(draft.budget.0),
        quantity(draft.tree.0),
        about(draft.seconds),
    );
    text
}

/// Held-out text that is trained on too.
fn shared(Shared { source, within, documents, of_documents }: &Shared) -> String {
    let within: Vec<String> = within.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "{documents} of {} that `{source}` holds out stand in the training text of {} too, so \
         `sparkjoy run` will refuse the study: take them out there, or allow it with \
         `leaked = [\"{source}\"]` in `[evaluation]`",
        counted(*of_documents, "document"),
        within.join(", ")
    )
}

fn row(source: &DraftSource) -> [String; 8] {
    let percent = |parts: u32| format!("{:.2} %", f64::from(parts) / 1e4);
    [
        source.name.to_string(),
        source.domain.to_string(),
        thousands(source.files),
        if source.exact { thousands(source.tokens.0) } else { quantity(source.tokens.0) },
        if source.exact { "" } else { "about" }.to_owned(),
        percent(source.base),
        percent(source.upsampled),
        format!("{:.2}", source.epochs),
    ]
}

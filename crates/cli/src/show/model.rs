//! A model folder of somebody else: what it is, and whether it can be evaluated.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use sparkjoy_base::{Fingerprint, Hint, bytes, thousands};
use sparkjoy_data::ModelTokenizer;
use sparkjoy_report::Table;
use sparkjoy_spec::Shape;
use sparkjoy_train::{Instead, ModelFolder, TrainError, WeightFile};

use crate::failure::Failure;
use crate::output::{Output, print, print_json};

#[derive(Debug, Serialize)]
struct Model {
    shape: Shape,
    parameters: u64,
    weights: Vec<WeightFile>,
    tokenizer: Option<Vocabulary>,
    /// What its config says of the end of text, where the tokenizer says something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_end_of_text: Option<String>,
    /// Why it cannot be evaluated, if it cannot.
    refused: Option<String>,
}

#[derive(Debug, Serialize)]
struct Vocabulary {
    fingerprint: Fingerprint,
    ids: u32,
    end_of_text: Option<u32>,
    /// What stands before every text.
    begin: Vec<u32>,
}

/// Whether a folder is a model that is no checkpoint of ours, or something of a model's that is
/// refused by its name.
pub(super) fn is_one(path: &Path) -> bool {
    path.join("config.json").exists() || Instead::of(path) != Instead::Unknown
}

/// Shows a model. All of it is read, every weight once, so that what is said of it is what `eval`
/// would say.
pub(super) fn show(folder: &Path, output: Output) -> Result<(), Failure> {
    let opened = ModelFolder::open(folder)?;
    let mut other_end_of_text = None;
    let (tokenizer, refused) = match opened.tokenizer() {
        Ok(tokenizer) => {
            other_end_of_text = tokenizer.other_end_of_text(folder)?;
            (Some(vocabulary(&tokenizer)), opened.content().err())
        }
        Err(error) => (None, Some(error)),
    };
    let refused = refused.as_ref().map(reason);
    let shape = *opened.shape();
    let weights = opened.weight_files()?;
    let parameters = shape.parameters();
    let model = Model { shape, parameters, weights, tokenizer, other_end_of_text, refused };
    match output {
        Output::Json => print_json(&model),
        Output::Text => print(&render(&model)),
    }
}

/// An error, its causes and what to do, a line each.
fn reason(error: &TrainError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, "\n  caused by: {error}");
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        let _ = write!(text, "\n  {hint}");
    }
    text
}

fn render(model: &Model) -> String {
    let Shape { layers, width, heads, context, vocab, clip_qkv } = model.shape;
    let clip = clip_qkv.map_or_else(String::new, |clip| format!(", clip_qkv {clip}"));
    let mut files = Table::new(["<weights", "size", "tensors", "<numbers"]);
    for file in &model.weights {
        let tensors = thousands(file.tensors as u64);
        files.row([file.name.clone(), bytes(file.bytes), tensors, file.types.join(", ")]);
    }
    let mut text = format!(
        "MPT · {} parameters ({layers} layers, width {width}, {heads} heads, context {context}, \
         {} rows of embedding{clip})\n\n{}\n",
        thousands(model.parameters),
        thousands(vocab as u64),
        files.text(),
    );
    if let Some(Vocabulary { fingerprint, ids, end_of_text, begin }) = &model.tokenizer {
        let end = end_of_text
            .map_or_else(|| "no end of text".to_owned(), |id| format!("end of text {id}"));
        let begin = match begin[..] {
            [] => String::new(),
            _ => format!(", {begin:?} before every text"),
        };
        let ids = thousands(u64::from(*ids));
        let _ = writeln!(text, "tokenizer {fingerprint}: {ids} ids, {end}{begin}");
    }
    if let Some(other) = &model.other_end_of_text {
        let _ = writeln!(text, "note: {other}");
    }
    match &model.refused {
        None => text.push_str("can be evaluated\n"),
        Some(reason) => {
            let _ = writeln!(text, "cannot be evaluated: {reason}");
        }
    }
    text
}

fn vocabulary(tokenizer: &ModelTokenizer) -> Vocabulary {
    let mut begin = Vec::new();
    tokenizer.encoder().begin(&mut begin);
    Vocabulary {
        fingerprint: tokenizer.fingerprint(),
        ids: tokenizer.vocab(),
        end_of_text: tokenizer.end_of_text(),
        begin,
    }
}

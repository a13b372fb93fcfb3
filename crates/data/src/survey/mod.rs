//! Finds sources in a folder, for users who have text and no study yet.
//!
//! The result is a proposal that is written to a study file; only that file determines a study.
//! Large text is sampled, not read completely.

mod count;
mod grouping;
mod listing;
mod measure;
mod names;
mod paths;
mod probe;
mod shared;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use sparkjoy_base::{DomainName, Ppm, SourceName};

use crate::row_text::Rows;
use crate::source::{Input, Kind, refuse_address};
use crate::{DataError, OnBadDocument, SourceFiles, Validation};
use grouping::{Group, Placed};
use listing::Aside;
use measure::Amount;

pub use count::count_tokens;
pub use listing::LeftOut;
pub use shared::Shared;

/// The sources found in a folder.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Text that can be trained on, sorted by domain and name.
    pub sources: Vec<SurveyedSource>,
    /// Files that belong to no source, by reason.
    pub left_out: Vec<LeftOut>,
    /// Held-out text that is trained on, whatever share is held out.
    pub shared: Vec<Shared>,
}

/// A source that was found.
#[derive(Clone, Debug)]
pub struct SurveyedSource {
    /// The source as a study declares it.
    pub files: SourceFiles,
    /// Its domain; a source without a group is a domain of its own name.
    pub domain: DomainName,
    /// Files, held-out ones included.
    pub file_count: u64,
    /// Bytes of text to train on.
    pub text_bytes: u64,
    /// Documents to train on.
    pub documents: u64,
    /// Bytes of held-out text.
    pub held_out_bytes: u64,
    /// Documents of held-out text.
    pub held_out_documents: u64,
    /// Whether all of it was read; otherwise the numbers are scaled from a sample.
    pub whole: bool,
    /// Its documents that cannot be used, among those read.
    pub broken: Option<Broken>,
}

/// Documents that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// How many.
    pub documents: u64,
    /// Of how many that were read.
    pub of: u64,
    /// The place of the first, and what is wrong with it.
    pub first: String,
}

/// Finds the sources of a folder and how much text each holds.
///
/// # Guarantees
///
/// Every source names exactly the files counted for it, and has both text to train on and held-out
/// text. About 8 MiB of each source are read, or all of it if it has few documents.
///
/// # Errors
///
/// [`FileError`](sparkjoy_base::FileError) if the folder cannot be listed;
/// [`DataError::Interrupted`] if `stop` is set.
pub fn survey(root: &Path, stop: &AtomicBool) -> Result<Survey, DataError> {
    refuse_address(&root.to_string_lossy())?;
    let mut aside = Aside::default();
    let listing = listing::list_folder(root, &mut aside)?;
    let placed: Vec<Placed> = listing.inputs.iter().map(place).collect();
    let name = root.canonicalize().ok();
    let name = name.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let found = Found { root, inputs: &listing.inputs, others: &listing.others };
    let mut measured = Vec::new();
    for group in grouping::group(&placed, &name) {
        if stop.load(Ordering::Relaxed) {
            return Err(DataError::Interrupted);
        }
        match found.source(&group, &mut aside) {
            Ok(source) => measured.push(source),
            Err(Some(why)) => {
                let files = group.train.len() + group.validation.len();
                aside.many(why, files as u64, &group.name);
            }
            // Its files are listed one by one.
            Err(None) => {}
        }
    }
    shared::hold_out_alike(&mut measured);
    let shared = shared::trained_on(&measured);
    let sources = measured.into_iter().map(|it| it.source).collect();
    Ok(Survey { sources, left_out: aside.list(), shared })
}

/// The line of a study that names the text of `inputs`, where that is not what `rows` says.
pub(crate) fn text_elsewhere(inputs: &[Input], rows: &Rows) -> Option<String> {
    let found = probe::rows(&inputs.iter().collect::<Vec<_>>()).ok()?;
    (found.text != rows.text).then(|| found.line()).flatten()
}

fn place(input: &Input) -> Placed {
    let mut folders: Vec<String> = input.name.split('/').map(str::to_owned).collect();
    let file = folders.pop().unwrap_or_default();
    Placed { folders, file, records: !matches!(input.kind, Kind::Text(_)) }
}

/// A source with its text as it was measured.
struct Measured {
    source: SurveyedSource,
    /// All text, of which a share may be held out.
    train: Amount,
    /// That of held-out files.
    held_out: Amount,
}

impl Measured {
    /// Divides the text as the source says what is held out.
    fn divide(&mut self) {
        let Self { source, train, held_out } = self;
        let (held, documents) = match source.files.validation {
            Validation::Split(share) => train.held_out(share),
            _ => (held_out.bytes, held_out.documents),
        };
        let of_train = match source.files.validation {
            Validation::Split(_) => held,
            _ => 0,
        };
        let text = train.bytes - of_train;
        let all = u128::from(train.bytes.max(1));
        source.text_bytes = text;
        source.documents = (u128::from(train.documents) * u128::from(text) / all) as u64;
        (source.held_out_bytes, source.held_out_documents) = (held, documents);
    }
}

/// All files found.
struct Found<'a> {
    root: &'a Path,
    inputs: &'a [Input],
    others: &'a [String],
}

impl Found<'_> {
    /// The source of a group, or why it is not one.
    fn source(&self, group: &Group, aside: &mut Aside) -> Result<Measured, Option<String>> {
        let name = SourceName::new(&group.name).expect("a group's name is one of a source");
        let domain = DomainName::new(&group.domain).expect("and so is that of its domain");
        let of = |indices: &[usize]| indices.iter().map(|&i| &self.inputs[i]).collect::<Vec<_>>();
        let (mut train, mut held_out) = (of(&group.train), of(&group.validation));
        for &index in &group.test {
            aside.add("a third part, beside training and validation", &self.inputs[index].name);
        }
        let rows = Rows { lines: probe::is_lines(&train), ..probe::rows(&train)? };
        let amount = measured(&mut train, &rows, aside);
        if train.is_empty() {
            return Err(None);
        }
        if amount.mostly_broken() {
            return Err(Some(match amount.first_broken {
                Some(first) => format!("most documents cannot be used: {first}"),
                None => "no document that can be used".to_owned(),
            }));
        }
        let mut amount_held_out = measured(&mut held_out, &rows, aside);
        if amount_held_out.stands_in(&amount) {
            for input in held_out.drain(..) {
                aside.add("held-out documents that stand in the training text too", &input.name);
            }
            amount_held_out = Amount::default();
        }
        let like = SourceFiles {
            name,
            paths: Vec::new(),
            root: self.root.to_owned(),
            rows,
            on_bad_document: OnBadDocument::Refuse,
            validation: Validation::Split(Ppm(0)),
        };
        let validation = if amount_held_out.bytes > 0 {
            Validation::Files(self.paths(&like, &held_out))
        } else {
            let share = amount.holdout().ok_or_else(|| amount.why_none_held_out())?;
            Validation::Split(share)
        };
        let broken = amount.broken + amount_held_out.broken;
        let read = amount.read() + amount_held_out.read();
        let first = amount.first_broken.clone().or(amount_held_out.first_broken.clone());
        let source = SurveyedSource {
            documents: 0,
            files: SourceFiles {
                paths: self.paths(&like, &train),
                on_bad_document: match broken {
                    0 => OnBadDocument::Refuse,
                    _ => OnBadDocument::Skip,
                },
                validation,
                ..like
            },
            domain,
            file_count: (train.len() + held_out.len()) as u64,
            text_bytes: 0,
            held_out_bytes: 0,
            held_out_documents: 0,
            whole: amount.whole,
            broken: first.map(|first| Broken { documents: broken, of: broken + read, first }),
        };
        let mut measured = Measured { source, train: amount, held_out: amount_held_out };
        measured.divide();
        Ok(measured)
    }

    /// Paths or globs that name exactly `wanted`.
    fn paths(&self, like: &SourceFiles, wanted: &[&Input]) -> Vec<String> {
        let mine: std::collections::BTreeSet<&str> =
            wanted.iter().map(|input| input.name.as_str()).collect();
        let others = self.inputs.iter().map(|input| input.name.as_str());
        let others = others.chain(self.others.iter().map(String::as_str));
        let others: Vec<&str> = others.filter(|name| !mine.contains(name)).collect();
        paths::paths(like, wanted, &others)
    }
}

/// Measures files; unreadable ones are removed and listed as left out.
fn measured(inputs: &mut Vec<&Input>, rows: &Rows, aside: &mut Aside) -> Amount {
    let amount = measure::measure(inputs, rows);
    for (index, why) in amount.unreadable.iter().rev() {
        aside.add(format!("cannot be read: {why}"), &inputs[*index].name);
        inputs.remove(*index);
    }
    amount
}

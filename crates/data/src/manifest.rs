//! The manifest of a prepared folder (`source.json`), and the journal of an unfinished one
//! (`journal.json`).
//!
//! The manifest is written after the last shard, then `DONE`. The journal is written after each
//! shard and holds the position to continue from.

use std::cmp::Ordering;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sparkjoy_base::{
    Fingerprint, Opened, Problem, SourceName, apart, no_seal, open_seal, sealed, write_atomic,
};

use crate::compression::fingerprint;
use crate::encode::{ByPart, Reached};
use crate::error::prepare_again;
use crate::row_text::{LeftOutRows, Rows};
use crate::source::{Input, OnBadDocument, Stamp, Validation};
use crate::{DataError, Part, SourceFiles, Tokenizer};

/// The manifest's file name.
pub(crate) const MANIFEST: &str = "source.json";
/// The journal's file name.
pub(crate) const JOURNAL: &str = "journal.json";
/// Version of both.
const VERSION: u32 = 1;

/// The most broken documents listed in a manifest; all are counted.
pub(crate) const BAD_SHOWN: usize = 100;

/// The settings that determine the tokens of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) source: SourceName,
    pub(crate) tokenizer: Fingerprint,
    #[serde(rename = "text_field")]
    pub(crate) rows: Rows,
    pub(crate) on_bad_document: OnBadDocument,
    pub(crate) validation: ValidationRule,
}

/// How held-out text is chosen. The records of the files say which ones are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ValidationRule {
    Files,
    /// Parts per million.
    Split(u32),
    All,
}

impl ValidationRule {
    pub(crate) fn shown(self) -> String {
        match self {
            Self::Files => "validation files".to_owned(),
            Self::All => "all its text".to_owned(),
            Self::Split(ppm) => format!("a split of {}", sparkjoy_base::Ppm(ppm)),
        }
    }
}

impl Settings {
    pub(crate) fn new(source: &SourceFiles, tokenizer: &Tokenizer) -> Self {
        Self {
            source: source.name.clone(),
            tokenizer: tokenizer.fingerprint(),
            rows: source.rows.clone(),
            on_bad_document: source.on_bad_document,
            validation: match source.validation {
                Validation::Files(_) => ValidationRule::Files,
                Validation::Split(ppm) => ValidationRule::Split(ppm.0),
                Validation::All => ValidationRule::All,
            },
        }
    }

    /// Refuses a folder made with other settings.
    pub(crate) fn check(&self, folder: &Path, made_with: &Self) -> Result<(), Problem> {
        let bad = |rule: OnBadDocument| format!("{rule:?}").to_lowercase();
        let [found, expected] = apart(made_with.tokenizer, self.tokenizer);
        let rows = [
            ("source", made_with.source.to_string(), self.source.to_string()),
            ("tokenizer", found, expected),
            ("text_field", made_with.rows.shown(), self.rows.shown()),
            ("on_bad_document", bad(made_with.on_bad_document), bad(self.on_bad_document)),
            ("validation from", made_with.validation.shown(), self.validation.shown()),
        ];
        match rows.into_iter().find(|(_, found, expected)| found != expected) {
            None => Ok(()),
            Some((what, found, expected)) => {
                let text = format!("was prepared with {what} `{found}`, expected `{expected}`");
                Err(other_folder(folder, &text))
            }
        }
    }
}

/// A prepared folder that was made of something else. `what`: what follows its name.
fn other_folder(folder: &Path, what: &str) -> Problem {
    let folder = folder.display();
    Problem::new(format!("`{folder}` {what}")).with_hint(format!(
        "remove it (`rm -r {folder}`), or keep it and prepare elsewhere with `--prepared`"
    ))
}

/// An input file as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputRecord {
    pub(crate) file: String,
    pub(crate) stamp: Stamp,
    pub(crate) part: Option<Part>,
    /// The hash of its bytes as stored; `None` until it has been read completely.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Usable documents, held-out ones included.
    pub(crate) documents: u64,
    /// Documents left out as broken.
    pub(crate) skipped: u64,
    /// The first of them, with line and reason.
    pub(crate) bad: Vec<String>,
    /// Rows without a document, where a study says more of rows than a field.
    #[serde(default, skip_serializing_if = "LeftOutRows::is_none")]
    pub(crate) left_out: LeftOutRows,
}

impl InputRecord {
    pub(crate) fn new(input: &Input) -> Self {
        Self {
            file: input.name.clone(),
            stamp: input.stamp.clone(),
            part: input.part,
            fingerprint: None,
            documents: 0,
            skipped: 0,
            bad: Vec::new(),
            left_out: LeftOutRows::default(),
        }
    }

    fn is_as_listed(&self, input: &Input) -> bool {
        self.file == input.name && self.stamp == input.stamp && self.part == input.part
    }
}

/// Compares the current files with the recorded ones.
///
/// Files with other names or times are read again. If their bytes are the same, `records` gets the
/// new names and times. Returns whether that happened.
///
/// # Errors
///
/// The first file that differs.
pub(crate) fn reconcile(
    folder: &Path,
    records: &mut [InputRecord],
    inputs: &[Input],
) -> Result<bool, DataError> {
    let changed =
        |change: String| other_folder(folder, &format!("was prepared from other text: {change}"));
    if let Some(change) = other_count(records, inputs) {
        return Err(changed(change).into());
    }
    let mut refreshed = false;
    for (record, input) in records.iter_mut().zip(inputs) {
        if record.is_as_listed(input) {
            continue;
        }
        let file = &input.name;
        if record.part != input.part {
            let shown = |part| match part {
                Some(Part::Train) => "trained on",
                Some(Part::Validation) => "held out",
                None => "split",
            };
            let (found, expected) = (shown(input.part), shown(record.part));
            let change = format!("file `{file}` is {found} now, expected {expected}");
            return Err(changed(change).into());
        }
        let found = fingerprint(input)?;
        match record.fingerprint {
            Some(expected) if expected != found => {
                let change = format!("file `{file}` has fingerprint {found}, expected {expected}");
                return Err(changed(change).into());
            }
            _ => {
                record.file.clone_from(&input.name);
                record.stamp = input.stamp.clone();
                refreshed = true;
            }
        }
    }
    Ok(refreshed)
}

/// How other files than before are there.
fn other_count(records: &[InputRecord], inputs: &[Input]) -> Option<String> {
    let (found, expected) = (inputs.len(), records.len());
    let known = |name: &str| records.iter().any(|r| r.file == name);
    let there = |name: &str| inputs.iter().any(|i| i.name == name);
    match found.cmp(&expected) {
        Ordering::Equal => None,
        Ordering::Greater => {
            let file = inputs.iter().map(|i| &i.name).find(|name| !known(name))?;
            Some(format!("file `{file}` is new ({found} files found, expected {expected})"))
        }
        Ordering::Less => {
            let file = records.iter().map(|r| &r.file).find(|name| !there(name))?;
            Some(format!("file `{file}` is gone ({found} files found, expected {expected})"))
        }
    }
}

/// The position from which an interrupted preparation continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    version: u32,
    pub(crate) settings: Settings,
    pub(crate) reached: ByPart<Reached>,
    pub(crate) inputs: Vec<InputRecord>,
}

impl Journal {
    pub(crate) fn new(settings: Settings, inputs: &[Input]) -> Self {
        let inputs = inputs.iter().map(InputRecord::new).collect();
        Self { version: VERSION, settings, reached: ByPart::default(), inputs }
    }

    /// Whether it was written for exactly these files, unchanged since then.
    pub(crate) fn is_about(&self, inputs: &[Input]) -> bool {
        self.inputs.len() == inputs.len()
            && self.inputs.iter().zip(inputs).all(|(record, input)| record.is_as_listed(input))
    }
}

/// A shard as the manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardRecord {
    pub(crate) file: String,
    pub(crate) tokens: u64,
    pub(crate) documents: u64,
    pub(crate) text_bytes: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) hash: Fingerprint,
}

/// One part of a prepared source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    /// Hash of the tokenizer's fingerprint and every token in order; see `docs/formats.md`.
    pub(crate) fingerprint: Fingerprint,
    pub(crate) tokens: u64,
    pub(crate) documents: u64,
    pub(crate) text_bytes: u64,
    pub(crate) shards: Vec<ShardRecord>,
}

/// The manifest of a complete folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    version: u32,
    pub(crate) settings: Settings,
    pub(crate) vocab: u32,
    pub(crate) end_of_text: u32,
    pub(crate) parts: ByPart<PartRecord>,
    pub(crate) skipped: u64,
    /// The first skipped documents, with file, line and reason.
    pub(crate) bad: Vec<String>,
    pub(crate) inputs: Vec<InputRecord>,
}

impl Manifest {
    pub(crate) fn new(journal: Journal, tokenizer: &Tokenizer, parts: ByPart<PartRecord>) -> Self {
        let mut inputs = journal.inputs;
        let skipped = inputs.iter().map(|input| input.skipped).sum();
        let bad = inputs.iter_mut().flat_map(|i| std::mem::take(&mut i.bad)).take(BAD_SHOWN);
        Self {
            version: VERSION,
            settings: journal.settings,
            vocab: tokenizer.vocab(),
            end_of_text: tokenizer.end_of_text(),
            parts,
            skipped,
            bad: bad.collect(),
            inputs,
        }
    }
}

/// Writes a manifest or a journal, with its seal.
pub(crate) fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), DataError> {
    let json = serde_json::to_vec_pretty(value).expect("plain data has a JSON form");
    Ok(write_atomic(path, &sealed(&json, b""))?)
}

/// Reads a manifest or a journal.
///
/// # Errors
///
/// One that was altered, or has no seal; another version, or another shape.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    match load_any(path)? {
        (value, true) => Ok(value),
        (_, false) => Err(no_seal(path).into()),
    }
}

/// The same of one that may have no seal, and whether it has one.
///
/// # Errors
///
/// As [`load`].
pub(crate) fn load_any<T: DeserializeOwned>(path: &Path) -> Result<(T, bool), DataError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let refuse = |message: String| {
        let file = path.display();
        Problem::new(format!("`{file}` is not a manifest this version can read: {message}"))
            .with_hint(prepare_again(path))
    };
    let opened = open_seal(path, &sparkjoy_base::read(path)?, b"");
    let Opened { json, has_seal } = opened.map_err(|it| it.with_hint(prepare_again(path)))?;
    let parsed = serde_json::from_slice(&json).map_err(|error| {
        if !error.is_eof() {
            return refuse(error.to_string());
        }
        let (file, size) = (path.display(), sparkjoy_base::bytes(json.len() as u64));
        Problem::new(format!("`{file}` is cut off: it ends after {size}, within its JSON"))
            .with_hint(prepare_again(path))
    });
    let Versioned { version } = parsed?;
    if version != VERSION {
        return Err(refuse(format!("format version {version} found, expected {VERSION}")).into());
    }
    Ok((serde_json::from_slice(&json).map_err(|e| refuse(e.to_string()))?, has_seal))
}

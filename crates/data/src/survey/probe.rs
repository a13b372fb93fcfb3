//! Finds what the text of a record is: a field, several of them, or a list of messages.

use std::collections::{BTreeMap, BTreeSet};

use crate::blocks::{self, Content};
use crate::encode::each_document;
use crate::error::quoted;
use crate::json::{self, Found};
use crate::kinds;
use crate::parquet_column::SurveyedColumn;
use crate::parquet_text;
use crate::prepare::Sizes;
use crate::row_text::{BLANK_LINE, MESSAGE, RowText, Rows, Template};
use crate::source::{Input, Kind};

/// Fields that are known to hold text, the most usual first.
const KNOWN: [&str; 11] = [
    "text",
    "content",
    "body",
    "document",
    "raw_content",
    "contents",
    "article",
    "passage",
    "story",
    "code",
    "markdown",
];
/// Two fields that make a document together.
const PAIRS: [[&str; 2]; 7] = [
    ["instruction", "output"],
    ["instruction", "response"],
    ["prompt", "completion"],
    ["prompt", "response"],
    ["question", "answer"],
    ["query", "response"],
    ["input", "output"],
];
/// A field that may stand between the two.
const BETWEEN: [&str; 2] = ["input", "context"];
/// From so many lines on, of so many bytes on average, each may be a document.
const LINES: usize = 20;
const LINE_BYTES: usize = 120;
/// The most records read per file, and the most files read.
const RECORDS: usize = 64;
const FILES: usize = 4;

/// The fields of the records that were looked at.
#[derive(Default)]
struct Fields {
    /// Of each that holds strings: in how many records, and their characters.
    strings: BTreeMap<String, (usize, usize)>,
    /// Those that hold a list of messages.
    messages: BTreeSet<String>,
    /// Others, with what they hold.
    others: Vec<String>,
}

/// What the text of a record of `inputs` is, or the reason why there is none.
pub(super) fn rows(inputs: &[&Input]) -> Result<Rows, String> {
    let records: Vec<&Input> =
        inputs.iter().copied().filter(|input| !matches!(input.kind, Kind::Text(_))).collect();
    if records.is_empty() {
        return Ok(Rows::default());
    }
    let mut fields = Fields::default();
    let mut broken = None;
    for i in 0..records.len().min(FILES) {
        let input = records[i * records.len() / records.len().min(FILES)];
        let looked = match input.kind {
            Kind::Parquet => fields.of_columns(input),
            _ => fields.of_lines(input),
        };
        broken = broken.or(looked.err());
    }
    match (fields.known()?, broken) {
        (Some(rows), _) => Ok(rows),
        (None, Some(why)) => Err(why),
        (None, None) => fields.longest(),
    }
}

/// Whether files of plain text seem to hold a document a line: many long lines and none that is
/// empty, as prose and programs have between their parts.
pub(super) fn is_lines(inputs: &[&Input]) -> bool {
    let sizes = Sizes { block_bytes: 1 << 16, ..Sizes::USUAL };
    let lines = Rows { lines: true, ..Rows::default() };
    let Some(first) =
        inputs.first().filter(|it| kinds::extension(&it.name).is_some_and(|e| e == "txt"))
    else {
        return false;
    };
    let mut is = false;
    let read = blocks::read(0, first, &lines, &sizes, |block| {
        if let Content::TextLines { bytes, .. } = &block.content {
            let bytes = bytes.trim_ascii_end();
            let lines = || bytes.split(|&byte| byte == b'\n');
            let count = lines().count();
            is = count >= LINES
                && bytes.len() >= LINE_BYTES * count
                && lines().all(|line| !line.trim_ascii().is_empty());
        }
        false
    });
    is && read.is_ok() && inputs.iter().all(|input| matches!(input.kind, Kind::Text(_)))
}

impl Fields {
    fn of_lines(&mut self, input: &Input) -> Result<(), String> {
        let sizes = Sizes { block_bytes: 1 << 16, ..Sizes::USUAL };
        let (mut broken, usual) = (Ok(0), Rows::default());
        let read = blocks::read(0, input, &usual, &sizes, |block| {
            let Content::Lines { bytes, .. } = &block.content else { return false };
            for line in bytes.split(|&byte| byte == b'\n').take(RECORDS) {
                for (name, found) in json::fields(line).unwrap_or_default() {
                    match found {
                        Found::Text(length) => self.count(name, length),
                        Found::Messages => drop(self.messages.insert(name)),
                        Found::Other(other) => self.add(format!("`{name}` ({other})")),
                    }
                }
            }
            if self.strings.is_empty() && self.others.is_empty() && self.messages.is_empty() {
                // As the reader would say it.
                broken = each_document(&block, &usual, |place, text| match text {
                    Err(fault) => {
                        let path = input.name.clone();
                        Err(crate::BadDocument { path, place, fault }.into())
                    }
                    Ok(_) => Ok(()),
                });
            }
            false
        });
        read.map(drop).and(broken.map(drop)).map_err(|error| error.to_string())
    }

    fn of_columns(&mut self, input: &Input) -> Result<(), String> {
        let sizes = Sizes { block_bytes: 1 << 16, ..Sizes::USUAL };
        let columns = parquet_text::columns(input).map_err(|error| error.to_string())?;
        let mut broken = Ok(());
        for SurveyedColumn { name, messages, strings } in columns {
            if messages {
                self.messages.insert(name);
                continue;
            }
            let mut length = 0;
            let read = blocks::read(0, input, &Rows::of_field(name.as_str()), &sizes, |block| {
                if let Content::Rows(rows) = &block.content {
                    length += rows.bytes.len();
                }
                false
            });
            match read {
                Ok(_) if length > 0 => self.count(name, length),
                Ok(_) => self.add(format!("`{name}` (empty)")),
                Err(error) if strings => broken = broken.and(Err(error.to_string())),
                Err(_) => self.add(format!("`{name}` (no strings)")),
            }
        }
        broken
    }

    fn add(&mut self, other: String) {
        if !self.others.contains(&other) {
            self.others.push(other);
        }
    }

    fn count(&mut self, name: String, length: usize) {
        let (records, characters) = self.strings.entry(name).or_default();
        *records += 1;
        *characters += length;
    }

    /// In how many records the field is that most have.
    fn most(&self) -> usize {
        self.strings.values().map(|&(count, _)| count).max().unwrap_or(0)
    }

    /// Whether most records have the field, and some have text in it.
    fn has_text(&self, name: &str) -> bool {
        let most = self.most();
        self.strings.get(name).is_some_and(|(count, length)| 2 * *count > most && *length > 0)
    }

    /// The text by what its fields are called.
    fn known(&self) -> Result<Option<Rows>, String> {
        if let Some(&name) = KNOWN.iter().find(|name| self.has_text(name)) {
            return Ok(Some(Rows::of_field(name)));
        }
        let mut lists = self.messages.iter();
        match (lists.next(), lists.next()) {
            (Some(field), None) => return Ok(Some(messages(field))),
            (Some(field), Some(_)) => {
                return Err(format!(
                    "more than one list of messages ({}): name one in its source, for example \
                     `messages = \"{field}\"`",
                    quoted(&self.messages.iter().collect::<Vec<_>>())
                ));
            }
            (None, _) => {}
        }
        if let Some(pair) = PAIRS.iter().find(|pair| pair.iter().all(|name| self.has_text(name))) {
            return self.of_pair(*pair).map(Some);
        }
        let inner = |name: &&String| {
            let last = name.rsplit('.').next().unwrap_or_default();
            name.contains('.') && KNOWN.contains(&last) && self.has_text(name)
        };
        let nested: Vec<&String> = self.strings.keys().filter(inner).collect();
        match nested[..] {
            [] => Ok(self.has_text("completion").then(|| Rows::of_field("completion"))),
            [name] => Ok(Some(Rows::of_field(name.as_str()))),
            [name, ..] => Err(format!(
                "more than one field that may hold the text ({}): name one in its source, for \
                 example `text_field = \"{name}\"`",
                quoted(&nested)
            )),
        }
    }

    /// The two fields joined, with the one between them where every record has it.
    fn of_pair(&self, [first, last]: [&str; 2]) -> Result<Rows, String> {
        let every = |name: &str| self.strings[name].0 == self.most();
        let between =
            BETWEEN.into_iter().find(|name| self.has_text(name) && ![first, last].contains(name));
        let fields: Vec<&str> = [Some(first), between, Some(last)].into_iter().flatten().collect();
        if let Some(some) = fields.iter().find(|name| !every(name)) {
            return Err(format!(
                "several fields make its text, of which `{some}` is not in every record: name \
                 those to join in its source, for example `text_field = [\"{first}\", \"{last}\"]`"
            ));
        }
        let fields = fields.into_iter().map(str::to_owned).collect();
        Ok(Rows::of(RowText::Fields { fields, separator: BLANK_LINE.to_owned() }))
    }

    /// The field with the most text.
    fn longest(mut self) -> Result<Rows, String> {
        let texts = self.strings.iter().filter(|(name, _)| self.has_text(name));
        if let Some((name, _)) = texts.max_by_key(|(_, (_, length))| *length) {
            return Ok(Rows::of_field(name.as_str()));
        }
        if self.others.is_empty() {
            return Err("no record in it".to_owned());
        }
        self.others.truncate(6);
        Err(format!(
            "no field that holds a string, found {}; `text_field` names one, `messages` a list of \
             messages",
            self.others.join(", ")
        ))
    }
}

fn messages(field: &str) -> Rows {
    let template = Template::of_message(MESSAGE).expect("a template of a message");
    let separator = BLANK_LINE.to_owned();
    Rows::of(RowText::Messages { field: field.to_owned(), template, separator })
}

//! Finds the field of a record, or the column, that holds the text.

use std::collections::BTreeMap;

use crate::blocks::{self, Content};
use crate::encode::each_document;
use crate::json;
use crate::parquet_text;
use crate::prepare::Sizes;
use crate::source::{Input, Kind};

/// The default field of a study.
pub(super) const USUAL: &str = "text";
/// Fields that are known to hold text, the most usual first.
const KNOWN: [&str; 12] = [
    USUAL,
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
    "completion",
];
/// The most records read per file, and the most files read.
const RECORDS: usize = 64;
const FILES: usize = 4;

/// The field that holds the text of `inputs`, or the reason why there is none.
pub(super) fn text_field(inputs: &[&Input]) -> Result<String, String> {
    let records: Vec<&Input> =
        inputs.iter().copied().filter(|input| !matches!(input.kind, Kind::Text(_))).collect();
    if records.is_empty() {
        return Ok(USUAL.to_owned());
    }
    // Characters of each field that holds strings, and in how many records.
    let mut fields: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut others: Vec<String> = Vec::new();
    let mut broken = None;
    for i in 0..records.len().min(FILES) {
        let input = records[i * records.len() / records.len().min(FILES)];
        let looked = match input.kind {
            Kind::Parquet => columns(input, &mut fields, &mut others),
            _ => lines(input, &mut fields, &mut others),
        };
        broken = broken.or(looked.err());
    }
    let most = fields.values().map(|&(count, _)| count).max().unwrap_or(0);
    // A field that only some records have is not the text, nor is one that is always empty.
    fields.retain(|_, (count, length)| 2 * *count > most && *length > 0);
    let known = KNOWN.iter().find(|&&name| fields.contains_key(name));
    let longest = || fields.iter().max_by_key(|(_, (_, length))| *length).map(|(name, _)| name);
    if let Some(why) = broken.filter(|_| known.is_none()) {
        return Err(why);
    }
    match (known, longest()) {
        (Some(&name), _) => Ok(name.to_owned()),
        (None, Some(name)) => Ok(name.clone()),
        (None, None) if others.is_empty() => Err("no record in it".to_owned()),
        (None, None) => {
            others.truncate(6);
            Err(format!("no field that holds a string, found {}", others.join(", ")))
        }
    }
}

type Fields = BTreeMap<String, (usize, usize)>;

fn lines(input: &Input, fields: &mut Fields, others: &mut Vec<String>) -> Result<(), String> {
    let sizes = Sizes { block_bytes: 1 << 16, ..Sizes::USUAL };
    let mut broken = Ok(());
    blocks::read(0, input, USUAL, &sizes, |block| {
        let Content::Lines { bytes, .. } = &block.content else { return false };
        for line in bytes.split(|&byte| byte == b'\n').take(RECORDS) {
            for (name, found) in json::fields(line).unwrap_or_default() {
                match found {
                    Ok(length) => count(fields, name, length),
                    Err(other) => add(others, format!("`{name}` ({other})")),
                }
            }
        }
        if fields.is_empty() && others.is_empty() {
            // As the reader would say it.
            broken = each_document(&block, USUAL, |place, text| match text {
                Err(fault) => {
                    let path = input.name.clone();
                    Err(crate::BadDocument { path, place, fault }.into())
                }
                Ok(_) => Ok(()),
            });
        }
        false
    })
    .and(broken)
    .map_err(|error| error.to_string())
}

fn columns(input: &Input, fields: &mut Fields, others: &mut Vec<String>) -> Result<(), String> {
    let sizes = Sizes { block_bytes: 1 << 16, ..Sizes::USUAL };
    let names = parquet_text::columns(input).map_err(|error| error.to_string())?;
    for name in names {
        let mut length = 0;
        let read = blocks::read(0, input, &name, &sizes, |block| {
            if let Content::Rows(rows) = &block.content {
                length += rows.bytes.len();
            }
            false
        });
        match read {
            Ok(_) if length > 0 => count(fields, name, length),
            Ok(_) => add(others, format!("`{name}` (empty)")),
            Err(_) => add(others, format!("`{name}` (no strings)")),
        }
    }
    Ok(())
}

fn add(others: &mut Vec<String>, other: String) {
    if !others.contains(&other) {
        others.push(other);
    }
}

fn count(fields: &mut Fields, name: String, length: usize) {
    let (records, characters) = fields.entry(name).or_default();
    *records += 1;
    *characters += length;
}

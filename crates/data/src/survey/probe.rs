//! Finds the field of a record, or the column, that holds the text.

use std::collections::BTreeMap;
use std::fs::File;

use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

use crate::blocks::{self, Content};
use crate::encode::each_document;
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
    // A field that only some records have is not the text.
    fields.retain(|_, (count, _)| 2 * *count > most);
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
            Err(format!("no field that holds a text, found `{}`", others.join("`, `")))
        }
    }
}

type Fields = BTreeMap<String, (usize, usize)>;

fn lines(input: &Input, fields: &mut Fields, others: &mut Vec<String>) -> Result<(), String> {
    let sizes = Sizes { block_bytes: 1 << 16, ..Sizes::USUAL };
    let (mut array, mut broken) = (false, Ok(()));
    blocks::read(0, input, USUAL, &sizes, |block| {
        let Content::Lines { bytes, .. } = &block.content else { return false };
        if bytes.trim_ascii_start().starts_with(b"[") {
            array = true;
            return false;
        }
        for line in bytes.split(|&byte| byte == b'\n').take(RECORDS) {
            let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
            let Ok(Value::Object(object)) = serde_json::from_slice(line) else { continue };
            for (name, value) in object {
                match value {
                    Value::String(text) => count(fields, name, text.len()),
                    _ if !others.contains(&name) => others.push(name),
                    _ => {}
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
    .map_err(|error| error.to_string())?;
    if array {
        let name = &input.name;
        return Err(format!(
            "`{name}` is one JSON array, expected an object a line: `jq -c '.[]' {name} > NEW.jsonl`"
        ));
    }
    Ok(())
}

fn columns(input: &Input, fields: &mut Fields, others: &mut Vec<String>) -> Result<(), String> {
    let names = || -> Option<Vec<String>> {
        let file = SerializedFileReader::new(File::open(&input.path).ok()?).ok()?;
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        Some(schema.root_schema().get_fields().iter().map(|f| f.name().to_owned()).collect())
    };
    let sizes = Sizes { block_bytes: 1 << 16, ..Sizes::USUAL };
    let Some(names) = names() else {
        // As the reader would say it.
        return match blocks::read(0, input, USUAL, &sizes, |_| false) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
    };
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
            _ => others.push(name),
        }
    }
    Ok(())
}

fn count(fields: &mut Fields, name: String, length: usize) {
    let (records, characters) = fields.entry(name).or_default();
    *records += 1;
    *characters += length;
}

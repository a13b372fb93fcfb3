//! The documents of a Parquet file, a few megabytes of rows at a time. Only the columns that are
//! needed are read.
//!
//! Text is read as bytes, without Arrow, so that invalid UTF-8 is an error of one row, not of a
//! page.

use std::borrow::Cow;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use sparkjoy_base::Problem;

use crate::DataError;
use crate::blocks::too_long;
use crate::compression::open_unchanged;
use crate::encode::utf8;
use crate::error::{Fault, Place};
use crate::guard::guarded;
use crate::parquet_column::{Column, Found, Record, SurveyedColumn, Value, find};
use crate::parquet_pages::PageFile;
use crate::row_text::{Cell, Message, Plan, Rows};
use crate::source::Input;

/// The most rows of a block: rows may be shorter than their file says.
pub(crate) const ROWS_MAX: usize = 4096;

/// Rows of a file: the bytes of their texts end to end.
#[derive(Default)]
pub(crate) struct RowBlock {
    pub(crate) bytes: Vec<u8>,
    /// Of each row, where its text ends in `bytes`, or why there is none.
    pub(crate) ends: Vec<Row<usize>>,
    /// Number of the first row, from 1.
    pub(crate) first_row: u64,
}

/// A row of a block.
pub(crate) enum Row<T> {
    /// Its text; of a field as it stands, it may not be UTF-8.
    Text(T),
    /// What is wrong with it.
    Fault(Fault),
    /// It is not read.
    Filtered,
}

/// A Parquet file being read.
pub(crate) struct ParquetText<'a> {
    input: &'a Input,
    file: SerializedFileReader<PageFile>,
    plan: Plan<'a>,
    /// The columns of each field of the plan: one, or those of roles and contents.
    fields: Vec<Found>,
    columns: Vec<Column>,
    next_row: u64,
}

impl<'a> ParquetText<'a> {
    /// Opens `input` and finds the columns that `rows` names.
    pub(crate) fn open(input: &'a Input, rows: &'a Rows) -> Result<Self, DataError> {
        let file = PageFile(open_unchanged(input)?);
        let file = library(input, 1, || SerializedFileReader::new(file))?;
        let plan = Plan::new(rows);
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        for (place, field) in plan.fields.iter().enumerate() {
            let found = find(input, &schema, field, &plan, place)?;
            fields.push(match found {
                Found::One(index) => {
                    columns.push(Column::new(&schema, index));
                    Found::One(columns.len() - 1)
                }
                Found::Messages { role, content } => {
                    columns.push(Column::new(&schema, role));
                    columns.push(Column::new(&schema, content));
                    Found::Messages { role: columns.len() - 2, content: columns.len() - 1 }
                }
            });
        }
        Ok(Self { input, file, plan, fields, columns, next_row: 1 })
    }

    /// Rows read so far and rows in all.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let all = self.file.metadata().file_metadata().num_rows();
        (self.next_row - 1, u64::try_from(all).unwrap_or(0))
    }

    /// The next rows, about `block_bytes` of them; `None` at the end.
    ///
    /// # Guarantees
    ///
    /// A block is at most `block_bytes` and one document long, however often a value repeats.
    pub(crate) fn next(
        &mut self,
        block_bytes: usize,
        document_bytes_max: usize,
    ) -> Result<Option<RowBlock>, DataError> {
        let mut block = RowBlock { first_row: self.next_row, ..RowBlock::default() };
        while block.bytes.len() < block_bytes && block.ends.len() < ROWS_MAX {
            let Some(records) = self.records(block_bytes)? else { break };
            let row = match &records[..] {
                [Record::One(Some(Value::Bytes(text)))] if self.plan.is_plain() => {
                    Row::Text(Cow::Borrowed(text.data()))
                }
                records => self.row(records),
            };
            block.ends.push(match row {
                Row::Text(text) if text.len() > document_bytes_max => {
                    let place = Place::Row(self.next_row);
                    return Err(too_long(self.input, place, document_bytes_max).into());
                }
                Row::Text(text) => {
                    block.bytes.extend_from_slice(&text);
                    Row::Text(block.bytes.len())
                }
                Row::Fault(fault) => Row::Fault(fault),
                Row::Filtered => Row::Filtered,
            });
            self.next_row += 1;
        }
        Ok((!block.ends.is_empty()).then_some(block))
    }

    /// The next row: a record of each column; `None` at the end.
    fn records(&mut self, block_bytes: usize) -> Result<Option<Vec<Record>>, DataError> {
        let mut records = Vec::with_capacity(self.columns.len());
        for column in &mut self.columns {
            let next = library(self.input, self.next_row, || column.next(&self.file, block_bytes))?;
            records.extend(next);
        }
        match records.len() {
            0 => Ok(None),
            all if all == self.columns.len() => Ok(Some(records)),
            _ => {
                let uneven = ParquetError::General("columns of different length".to_owned());
                Err(broken(self.input, self.next_row, &uneven))
            }
        }
    }

    /// What the plan makes of the records of a row.
    fn row<'r>(&self, records: &'r [Record]) -> Row<Cow<'r, [u8]>> {
        let mut cells = Vec::with_capacity(self.fields.len());
        for (field, name) in self.fields.iter().zip(&self.plan.fields) {
            let cell = match field {
                Found::One(column) => cell(&records[*column]),
                Found::Messages { role, content } => messages(&records[*role], &records[*content]),
            };
            match cell {
                Ok(cell) => cells.push(cell),
                Err(fault) => return Row::Fault(fault.within(name)),
            }
        }
        let missing = |field: &str| Fault::of_document(format!("no column `{field}`"));
        match self.plan.document(cells, missing) {
            Ok(Some(Cow::Borrowed(text))) => Row::Text(Cow::Borrowed(text.as_bytes())),
            Ok(Some(Cow::Owned(text))) => Row::Text(Cow::Owned(text.into_bytes())),
            Ok(None) => Row::Filtered,
            Err(fault) => Row::Fault(fault),
        }
    }
}

fn cell(record: &Record) -> Result<Cell<'_>, Fault> {
    Ok(match record {
        Record::One(None) => Cell::Null,
        Record::One(Some(Value::Bytes(text))) => Cell::Text(utf8(text.data())?),
        Record::One(Some(Value::Bool(value))) => Cell::Bool(*value),
        Record::One(Some(Value::Int(value))) => Cell::Int(*value),
        Record::One(Some(Value::Float(value))) => Cell::Float(*value),
        Record::Many(_) => Cell::List { of_objects: false },
    })
}

fn messages<'r>(roles: &'r Record, contents: &'r Record) -> Result<Cell<'r>, Fault> {
    let (Record::Many(Some(roles)), Record::Many(Some(contents))) = (roles, contents) else {
        return Ok(Cell::Null);
    };
    let uneven = || Fault::of_document("more roles than contents, or fewer".to_owned());
    let text = |value: &'r Option<Value>, number: usize, name: &str| match value {
        Some(Value::Bytes(text)) => utf8(text.data()),
        _ => Err(Fault::of_document(format!(
            "message {number} has as `{name}` null, expected a string"
        ))),
    };
    if roles.len() != contents.len() {
        return Err(uneven());
    }
    let all: Result<Vec<Message<'_>>, Fault> = (1..)
        .zip(roles.iter().zip(contents))
        .map(|(number, (role, content))| {
            Ok((text(role, number, "role")?, text(content, number, "content")?))
        })
        .collect();
    Ok(Cell::Messages(all))
}

/// Runs code of the library; what it says against the file is the file's error, panics included.
fn library<T>(
    input: &Input,
    row: u64,
    run: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, DataError> {
    let result = guarded(run).unwrap_or_else(|words| Err(ParquetError::General(words)));
    result.map_err(|error| broken(input, row, &error))
}

/// The columns of a file as a survey sees them, in its order: fields by their paths, and lists of
/// messages.
pub(crate) fn columns(input: &Input) -> Result<Vec<SurveyedColumn>, DataError> {
    let file = PageFile(open_unchanged(input)?);
    let file = library(input, 1, || SerializedFileReader::new(file))?;
    Ok(crate::parquet_column::surveyed(file.metadata().file_metadata().schema_descr()))
}

impl RowBlock {
    /// Each row with the bytes of its text.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<&[u8]>> {
        let mut start = 0;
        self.ends.iter().map(move |row| match row {
            Row::Text(end) => {
                let text = &self.bytes[start..*end];
                start = *end;
                Row::Text(text)
            }
            Row::Fault(fault) => Row::Fault(fault.clone()),
            Row::Filtered => Row::Filtered,
        })
    }
}

fn broken(input: &Input, row: u64, error: &ParquetError) -> DataError {
    let message = error.to_string();
    let message = message.strip_prefix("Parquet error: ").unwrap_or(&message);
    let path = &input.name;
    Problem::new(format!("`{path}` is not a whole Parquet file, near row {row}: {message}"))
        .with_hint("copy the file again: its end or a page is missing")
        .into()
}

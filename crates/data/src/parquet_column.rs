//! One column of a Parquet file as records: a value, or a list of them.

use std::collections::VecDeque;

use parquet::basic::{Encoding, LogicalType, Repetition, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescPtr, SchemaDescriptor, TypePtr};
use sparkjoy_base::Problem;

use crate::error::quoted;
use crate::parquet_pages::{CheckedPages, PageFile};
use crate::parquet_text::ROWS_MAX;
use crate::row_text::Plan;
use crate::source::Input;

/// The most entries of lists in a row group: a record is unpacked whole, and a few bytes may stand
/// for any number of entries.
const ENTRIES_MAX: u64 = 1 << 24;
/// The parts of a message, as they are called.
const ROLE: [&str; 2] = ["role", "from"];
const CONTENT: [&str; 2] = ["content", "value"];

/// A value of a column.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Bytes(ByteArray),
    Bool(bool),
    Int(i128),
    Float(f64),
}

/// What a row has in a column.
pub(crate) enum Record {
    /// A value; `None` for a null.
    One(Option<Value>),
    /// A list of values; `None` for a null.
    Many(Option<Vec<Option<Value>>>),
}

/// The indices of the columns of a field.
pub(crate) enum Found {
    One(usize),
    /// A list of messages.
    Messages {
        role: usize,
        content: usize,
    },
}

/// A column being read.
pub(crate) struct Column {
    index: usize,
    /// The level of a value that is there.
    level: i16,
    /// The level from which a list has an entry; `None` where there is no list.
    entry_level: Option<i16>,
    /// Whether whole numbers have no sign.
    unsigned: bool,
    next_group: usize,
    group: Option<Group>,
}

/// The row group being read.
struct Group {
    reader: ColumnReader,
    rows_left: usize,
    rows_at_once: usize,
    /// Rows that are unpacked and were not taken yet. The rows of a dictionary share their bytes.
    unpacked: VecDeque<Record>,
}

impl Column {
    /// The column at `index`, from its beginning.
    pub(crate) fn new(schema: &SchemaDescPtr, index: usize) -> Self {
        let descriptor = schema.column(index);
        let unsigned = matches!(
            descriptor.logical_type_ref(),
            Some(LogicalType::Integer(whole)) if !whole.is_signed
        );
        let entry_level =
            (descriptor.max_rep_level() > 0).then(|| entry_level(schema, &descriptor));
        let level = descriptor.max_def_level();
        Self { index, level, entry_level, unsigned, next_group: 0, group: None }
    }

    /// The next row; `None` at the end.
    pub(crate) fn next(
        &mut self,
        file: &SerializedFileReader<PageFile>,
        block_bytes: usize,
    ) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.group.as_mut().and_then(|group| group.unpacked.pop_front()) {
                return Ok(Some(record));
            }
            // A group may be without rows.
            if self.group.as_ref().is_none_or(|group| group.rows_left == 0) {
                if self.next_group == file.num_row_groups() {
                    return Ok(None);
                }
                self.group = Some(self.open_group(file, block_bytes)?);
                self.next_group += 1;
            } else {
                self.unpack()?;
            }
        }
    }

    fn open_group(
        &self,
        file: &SerializedFileReader<PageFile>,
        block_bytes: usize,
    ) -> Result<Group> {
        let group = file.get_row_group(self.next_group)?;
        let column = group.metadata().column(self.index);
        let rows_left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let bytes = usize::try_from(column.uncompressed_size()).unwrap_or(0);
        let row_bytes = bytes / rows_left.max(1);
        // Only in this encoding has every row memory of its own, of any length.
        let in_pieces = column.encodings().any(|e| e == Encoding::DELTA_BYTE_ARRAY);
        let most = if in_pieces { 1 } else { ROWS_MAX };
        let rows_at_once = (block_bytes / row_bytes.max(1)).clamp(1, most);
        let pages = CheckedPages {
            pages: group.get_column_page_reader(self.index)?,
            in_pieces,
            levels: usize::from(self.level > 0) + usize::from(self.entry_level.is_some()),
            values_left: if self.entry_level.is_some() { ENTRIES_MAX } else { u64::MAX },
        };
        let descriptor = file.metadata().file_metadata().schema_descr().column(self.index);
        let reader = get_column_reader(descriptor, Box::new(pages));
        Ok(Group { reader, rows_left, rows_at_once, unpacked: VecDeque::new() })
    }

    fn unpack(&mut self) -> Result<()> {
        let (level, entry_level, unsigned) = (self.level, self.entry_level, self.unsigned);
        let group = self.group.as_mut().expect("opened by the caller");
        let wanted = group.rows_at_once.min(group.rows_left);
        let levels = (level, entry_level);
        let records = match &mut group.reader {
            ColumnReader::ByteArrayColumnReader(it) => records(it, wanted, levels, Value::Bytes),
            ColumnReader::BoolColumnReader(it) => records(it, wanted, levels, Value::Bool),
            ColumnReader::Int32ColumnReader(it) => records(it, wanted, levels, |n| {
                Value::Int(if unsigned { n.cast_unsigned().into() } else { n.into() })
            }),
            ColumnReader::Int64ColumnReader(it) => records(it, wanted, levels, |n| {
                Value::Int(if unsigned { n.cast_unsigned().into() } else { n.into() })
            }),
            ColumnReader::FloatColumnReader(it) => {
                records(it, wanted, levels, |n| Value::Float(n.into()))
            }
            ColumnReader::DoubleColumnReader(it) => records(it, wanted, levels, Value::Float),
            _ => Err(ParquetError::General("a column of another type".to_owned())),
        }?;
        if records.is_empty() {
            return Err(missing(group.rows_left));
        }
        group.rows_left = group.rows_left.saturating_sub(records.len());
        group.unpacked.extend(records);
        Ok(())
    }
}

fn missing(rows: usize) -> ParquetError {
    ParquetError::EOF(format!("{rows} rows are missing"))
}

/// The next records of a column, at most `wanted`.
fn records<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    wanted: usize,
    (level, entry_level): (i16, Option<i16>),
    value: impl Fn(T::T) -> Value,
) -> Result<Vec<Record>> {
    let (mut levels, mut repeats, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let repeated = entry_level.is_some().then_some(&mut repeats);
    let (rows, _, _) = reader.read_records(wanted, Some(&mut levels), repeated, &mut values)?;
    // A column without nulls has no levels.
    if level == 0 {
        levels.resize(rows, 0);
    }
    let present = levels.iter().filter(|&&found| found == level).count();
    if present != values.len() || (entry_level.is_none() && levels.len() != rows) {
        return Err(missing(wanted));
    }
    let mut values = values.into_iter().map(value);
    let mut one = |found: i16| if found == level { values.next() } else { None };
    let Some(entry_level) = entry_level else {
        return Ok(levels.into_iter().map(|found| Record::One(one(found))).collect());
    };
    if repeats.len() != levels.len() {
        return Err(missing(wanted));
    }
    let mut records: Vec<Record> = Vec::with_capacity(rows);
    for (found, repeat) in levels.into_iter().zip(repeats) {
        if repeat == 0 {
            // Below the level of an empty list the list itself, or what holds it, is null.
            records.push(Record::Many((found + 1 >= entry_level).then(Vec::new)));
        }
        let Some(Record::Many(list)) = records.last_mut() else { return Err(missing(wanted)) };
        if found >= entry_level {
            list.get_or_insert_default().push(one(found));
        }
    }
    Ok(records)
}

/// The level from which the list that holds a column has an entry.
fn entry_level(schema: &SchemaDescriptor, column: &ColumnDescriptor) -> i16 {
    let (mut level, mut fields) = (0, schema.root_schema().get_fields());
    for part in column.path().parts() {
        let Some(field) = fields.iter().find(|field| field.name() == part) else { break };
        match repetition(field) {
            Repetition::REPEATED => return level + 1,
            Repetition::OPTIONAL => level += 1,
            Repetition::REQUIRED => {}
        }
        if field.is_group() {
            fields = field.get_fields();
        }
    }
    level
}

fn repetition(field: &TypePtr) -> Repetition {
    let info = field.get_basic_info();
    if info.has_repetition() { info.repetition() } else { Repetition::REQUIRED }
}

/// Finds the columns of the field at `place` of a plan. A text must be strings; what a condition
/// asks for may be numbers and booleans too.
pub(crate) fn find(
    input: &Input,
    schema: &SchemaDescriptor,
    field: &str,
    plan: &Plan<'_>,
    place: usize,
) -> std::result::Result<Found, Problem> {
    let path = &input.name;
    let (is_text, is_messages) = (plan.is_text(place), plan.is_messages(place));
    let (expected, usual) = match (is_text, is_messages) {
        (_, true) => ("lists of messages", "name the column of the messages with `messages`"),
        (true, _) => ("strings", "name the column that holds the text with `text_field`"),
        _ => ("strings, numbers or booleans", "name a column of such values in `where`"),
    };
    let refuse = |found: &str, hint: String| {
        let text = format!("`{path}`: column `{field}` holds {found}, expected {expected}");
        Err(Problem::new(text).with_hint(hint))
    };
    let listed = messages_of(schema, field);
    let one = schema.columns().iter().position(|column| column.path().string() == field);
    match (is_messages, listed, one) {
        (true, Some((role, content)), _) => return Ok(Found::Messages { role, content }),
        (false, _, Some(index)) => {
            let column = schema.column(index);
            return match other_type(&column, is_text) {
                Some(found) => refuse(&found, usual.to_owned()),
                None => Ok(Found::One(index)),
            };
        }
        _ => {}
    }
    let within = columns_within(schema, field);
    if one.is_none() && within.is_empty() {
        let fields: Vec<String> = surveyed(schema).into_iter().map(|column| column.name).collect();
        let text = format!("`{path}` has no column `{field}`, found {}", quoted(&fields));
        return Err(Problem::new(text).with_hint(usual));
    }
    let is_string = |index: &usize| other_type(&schema.column(*index), true).is_none();
    let hint = match within.into_iter().find(is_string) {
        _ if is_messages || !is_text => usual.to_owned(),
        _ if listed.is_some() => {
            format!("for a list of messages type `messages = \"{field}\"` in place of `text_field`")
        }
        Some(index) => {
            let inner = schema.column(index).path().string();
            format!("name a field in it, for example `text_field = \"{inner}\"`")
        }
        None => usual.to_owned(),
    };
    refuse("lists or structs", hint)
}

/// What a column holds, unless it is a value of a type that is read.
fn other_type(column: &ColumnDescriptor, text: bool) -> Option<String> {
    let logical = column.logical_type_ref();
    let is_string = column.physical_type() == PhysicalType::BYTE_ARRAY
        && matches!(
            logical,
            None | Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)
        );
    let is_number = matches!(
        column.physical_type(),
        PhysicalType::INT32 | PhysicalType::INT64 | PhysicalType::FLOAT | PhysicalType::DOUBLE
    ) && matches!(logical, None | Some(LogicalType::Integer(_)));
    let is_scalar = is_number || column.physical_type() == PhysicalType::BOOLEAN;
    if column.max_rep_level() == 0 && (is_string || (is_scalar && !text)) {
        return None;
    }
    Some(match logical {
        Some(logical) => format!("{logical:?}"),
        None => column.physical_type().to_string(),
    })
}

/// The columns of roles and contents of a field that is a list of messages.
fn messages_of(schema: &SchemaDescriptor, field: &str) -> Option<(usize, usize)> {
    let within = |names: [&str; 2]| {
        names.iter().find_map(|name| {
            schema.columns().iter().position(|column| {
                let path = column.path().string();
                let inner = path.strip_prefix(field).and_then(|rest| rest.strip_prefix('.'));
                // One list, and at most the two groups that stand for it.
                let depth = inner.map_or(0, |inner| inner.split('.').count());
                (1..=3).contains(&depth)
                    && column.path().parts().last().is_some_and(|last| last == name)
                    && column.max_rep_level() == 1
                    && column.physical_type() == PhysicalType::BYTE_ARRAY
            })
        })
    };
    Some((within(ROLE)?, within(CONTENT)?))
}

/// The columns within the struct or the list `field`.
fn columns_within(schema: &SchemaDescriptor, field: &str) -> Vec<usize> {
    let within = |column: &ColumnDescriptor| {
        let path = column.path().string();
        path.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'))
    };
    let columns = schema.columns().iter().enumerate();
    columns.filter(|(_, column)| within(column)).map(|(index, _)| index).collect()
}

/// What a survey sees of a column.
pub(crate) struct SurveyedColumn {
    /// Its path; of a list at the top, the name of the list.
    pub(crate) name: String,
    /// Whether it is a list of messages.
    pub(crate) messages: bool,
    /// Whether it holds strings by the file's own word, so that what cannot be read is damage.
    pub(crate) strings: bool,
}

/// What a survey sees: values by their paths, lists at the top by their names.
pub(crate) fn surveyed(schema: &SchemaDescriptor) -> Vec<SurveyedColumn> {
    let mut all: Vec<SurveyedColumn> = Vec::new();
    for column in schema.columns() {
        let name = match column.max_rep_level() {
            0 => column.path().string(),
            _ => column.path().parts()[0].clone(),
        };
        if all.iter().all(|known| known.name != name) {
            let messages = column.max_rep_level() > 0 && messages_of(schema, &name).is_some();
            let strings = column.max_rep_level() == 0
                && column.physical_type() == PhysicalType::BYTE_ARRAY
                && matches!(column.logical_type_ref(), Some(LogicalType::String) | None);
            all.push(SurveyedColumn { name, messages, strings });
        }
    }
    all
}

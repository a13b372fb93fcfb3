//! The text column of a Parquet file, a few megabytes of rows at a time.
//!
//! It is read as bytes, without Arrow, so that invalid UTF-8 is an error of one row, not of a page.

use std::collections::VecDeque;

use parquet::basic::{Encoding, LogicalType, Type as PhysicalType};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;
use sparkjoy_base::Problem;

use crate::DataError;
use crate::blocks::too_long;
use crate::compression::open_unchanged;
use crate::error::{Place, quoted};
use crate::guard::guarded;
use crate::parquet_pages::{CheckedPages, PageFile};
use crate::source::Input;

/// The most rows of a block: rows may be shorter than their file says.
const ROWS_MAX: usize = 4096;

/// Rows of a text column: their bytes end to end.
#[derive(Default)]
pub(crate) struct RowBlock {
    pub(crate) bytes: Vec<u8>,
    /// Where each row ends in `bytes`; `None` for a null.
    pub(crate) ends: Vec<Option<usize>>,
    /// Number of the first row, from 1.
    pub(crate) first_row: u64,
}

/// A Parquet file being read.
pub(crate) struct ParquetText<'a> {
    input: &'a Input,
    file: SerializedFileReader<PageFile>,
    column: usize,
    nullable: bool,
    next_group: usize,
    group: Option<Group>,
    next_row: u64,
}

/// The row group being read.
struct Group {
    column: ColumnReaderImpl<ByteArrayType>,
    rows_left: usize,
    rows_at_once: usize,
    /// Rows that are unpacked and in no block yet, `None` for a null. The rows of a dictionary
    /// share their bytes.
    unpacked: VecDeque<Option<ByteArray>>,
}

impl<'a> ParquetText<'a> {
    /// Opens `input` and finds the column `field`.
    pub(crate) fn open(input: &'a Input, field: &str) -> Result<Self, DataError> {
        let file = PageFile(open_unchanged(input)?);
        let file = library(input, 1, || SerializedFileReader::new(file))?;
        let column = find_column(input, file.metadata().file_metadata().schema_descr(), field)?;
        let descriptor = file.metadata().file_metadata().schema_descr().column(column);
        let nullable = descriptor.max_def_level() > 0;
        Ok(Self { input, file, column, nullable, next_group: 0, group: None, next_row: 1 })
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
            if !self.has_row(block_bytes)? {
                break;
            }
            let row = self.group.as_mut().and_then(|group| group.unpacked.pop_front()).flatten();
            let text = row.as_ref().map(ByteArray::data);
            if text.is_some_and(|text| text.len() > document_bytes_max) {
                let place = Place::Row(self.next_row);
                return Err(too_long(self.input, place, document_bytes_max).into());
            }
            block.ends.push(text.map(|text| {
                block.bytes.extend_from_slice(text);
                block.bytes.len()
            }));
            self.next_row += 1;
        }
        Ok((!block.ends.is_empty()).then_some(block))
    }

    /// Whether there is another row; it is then unpacked.
    fn has_row(&mut self, block_bytes: usize) -> Result<bool, DataError> {
        loop {
            if self.group.as_ref().is_some_and(|group| !group.unpacked.is_empty()) {
                return Ok(true);
            }
            // A group may be without rows.
            if self.group.as_ref().is_none_or(|group| group.rows_left == 0) {
                if self.next_group == self.file.num_row_groups() {
                    return Ok(false);
                }
                self.group = Some(self.open_group(block_bytes)?);
                self.next_group += 1;
            } else {
                self.unpack()?;
            }
        }
    }

    fn open_group(&self, block_bytes: usize) -> Result<Group, DataError> {
        library(self.input, self.next_row, || {
            let group = self.file.get_row_group(self.next_group)?;
            let column = group.metadata().column(self.column);
            let rows_left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            let bytes = usize::try_from(column.uncompressed_size()).unwrap_or(0);
            let row_bytes = bytes / rows_left.max(1);
            // Only in this encoding has every row memory of its own, of any length.
            let in_pieces = column.encodings().any(|e| e == Encoding::DELTA_BYTE_ARRAY);
            let most = if in_pieces { 1 } else { ROWS_MAX };
            let rows_at_once = (block_bytes / row_bytes.max(1)).clamp(1, most);
            let pages = group.get_column_page_reader(self.column)?;
            let pages = CheckedPages { pages, in_pieces, nullable: self.nullable };
            let descriptor = self.file.metadata().file_metadata().schema_descr();
            let column = ColumnReaderImpl::new(descriptor.column(self.column), Box::new(pages));
            Ok(Group { column, rows_left, rows_at_once, unpacked: VecDeque::new() })
        })
    }

    fn unpack(&mut self) -> Result<(), DataError> {
        let group = self.group.as_mut().expect("opened by the caller");
        let wanted = group.rows_at_once.min(group.rows_left);
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (rows, _, _) = library(self.input, self.next_row, || {
            group.column.read_records(wanted, Some(&mut levels), None, &mut values)
        })?;
        // A column without nulls has no levels.
        levels.resize(rows, i16::from(!self.nullable));
        let present = levels.iter().filter(|&&level| level > 0).count();
        if rows == 0 || present != values.len() {
            let missing = ParquetError::EOF(format!("{} rows are missing", group.rows_left));
            return Err(broken(self.input, self.next_row, &missing));
        }
        group.rows_left = group.rows_left.saturating_sub(rows);
        let mut values = values.into_iter();
        let row = |level: i16| if level > 0 { values.next() } else { None };
        group.unpacked.extend(levels.into_iter().map(row));
        Ok(())
    }
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

/// The column names of a file, in its order.
pub(crate) fn columns(input: &Input) -> Result<Vec<String>, DataError> {
    let file = PageFile(open_unchanged(input)?);
    let file = library(input, 1, || SerializedFileReader::new(file))?;
    let schema = file.metadata().file_metadata().schema_descr();
    Ok(schema.root_schema().get_fields().iter().map(|f| f.name().to_owned()).collect())
}

impl RowBlock {
    /// The text of each row, `None` for a null.
    pub(crate) fn texts(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            end.map(|end| {
                let text = &self.bytes[start..end];
                start = end;
                text
            })
        })
    }
}

/// The top-level column `field`, which must hold strings.
fn find_column(input: &Input, schema: &SchemaDescriptor, field: &str) -> Result<usize, Problem> {
    let path = &input.name;
    let problem = |text| {
        Err(Problem::new(text).with_hint("name the column that holds the text with `text_field`"))
    };
    let refuse = |found: &str| {
        problem(format!("`{path}`: column `{field}` holds {found}, expected strings"))
    };
    let Some(index) = schema.columns().iter().position(|c| c.path().parts() == [field]) else {
        let fields = schema.root_schema().get_fields();
        let found: Vec<&str> = fields.iter().map(|f| f.name()).collect();
        if found.contains(&field) {
            return refuse("lists or structs");
        }
        return problem(format!("`{path}` has no column `{field}`, found {}", quoted(&found)));
    };
    let column = schema.column(index);
    let text = matches!(
        column.logical_type_ref(),
        None | Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)
    );
    if column.physical_type() != PhysicalType::BYTE_ARRAY || !text || column.max_rep_level() > 0 {
        return refuse(&match column.logical_type_ref() {
            Some(logical) => format!("{logical:?}"),
            None => column.physical_type().to_string(),
        });
    }
    Ok(index)
}

fn broken(input: &Input, row: u64, error: &ParquetError) -> DataError {
    let message = error.to_string();
    let message = message.strip_prefix("Parquet error: ").unwrap_or(&message);
    let path = &input.name;
    Problem::new(format!("`{path}` is not a whole Parquet file, near row {row}: {message}"))
        .with_hint("copy the file again: its end or a page is missing")
        .into()
}

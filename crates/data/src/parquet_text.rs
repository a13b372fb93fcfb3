//! The text column of a Parquet file, a few megabytes of rows at a time.
//!
//! It is read as bytes, without Arrow, so that invalid UTF-8 is an error of one row, not of a page.

use std::fs::File;

use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::ByteArrayType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;
use sparkjoy_base::{FileError, Problem};

use crate::DataError;
use crate::blocks::too_long;
use crate::compression::check_unchanged;
use crate::error::{Place, quoted};
use crate::source::Input;

/// ParquetText of a text column: their bytes end to end.
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
    file: SerializedFileReader<File>,
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
    rows_per_block: usize,
}

impl<'a> ParquetText<'a> {
    /// Opens `input` and finds the column `field`.
    pub(crate) fn open(input: &'a Input, field: &str) -> Result<Self, DataError> {
        let file = File::open(&input.path).map_err(FileError::at("read", &input.path))?;
        check_unchanged(input, &file)?;
        let file = SerializedFileReader::new(file).map_err(|e| broken(input, 1, &e))?;
        let column = find_column(input, file.metadata().file_metadata().schema_descr(), field)?;
        let descriptor = file.metadata().file_metadata().schema_descr().column(column);
        let nullable = descriptor.max_def_level() > 0;
        Ok(Self { input, file, column, nullable, next_group: 0, group: None, next_row: 1 })
    }

    /// ParquetText read so far and rows in all.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let all = self.file.metadata().file_metadata().num_rows();
        (self.next_row - 1, u64::try_from(all).unwrap_or(0))
    }

    /// The next rows, about `block_bytes` of them; `None` at the end.
    pub(crate) fn next(
        &mut self,
        block_bytes: usize,
        document_bytes_max: usize,
    ) -> Result<Option<RowBlock>, DataError> {
        loop {
            if self.group.as_ref().is_none_or(|group| group.rows_left == 0) {
                if self.next_group == self.file.num_row_groups() {
                    return Ok(None);
                }
                self.group = Some(self.open_group(block_bytes)?);
                self.next_group += 1;
            }
            let block = self.read()?;
            if let Some(at) = block.longer_than(document_bytes_max) {
                let place = Place::Row(block.first_row + at as u64);
                return Err(too_long(self.input, place, document_bytes_max).into());
            }
            if !block.ends.is_empty() {
                return Ok(Some(block));
            }
        }
    }

    fn open_group(&self, block_bytes: usize) -> Result<Group, DataError> {
        let at = |e: ParquetError| broken(self.input, self.next_row, &e);
        let reader = self.file.get_row_group(self.next_group).map_err(at)?;
        let rows_left = usize::try_from(reader.metadata().num_rows()).unwrap_or(0);
        let bytes = usize::try_from(reader.metadata().column(self.column).uncompressed_size());
        // Dictionary-encoded rows are longer than this estimate, so a block also has a row limit.
        let row_bytes = bytes.unwrap_or(0) / rows_left.max(1);
        let rows_per_block = (block_bytes / row_bytes.max(1)).clamp(1, 4096);
        match reader.get_column_reader(self.column).map_err(at)? {
            ColumnReader::ByteArrayColumnReader(column) => {
                Ok(Group { column, rows_left, rows_per_block })
            }
            _ => unreachable!("the column's type was checked when the file was opened"),
        }
    }

    fn read(&mut self) -> Result<RowBlock, DataError> {
        let group = self.group.as_mut().expect("opened by the caller");
        let wanted = group.rows_per_block.min(group.rows_left);
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (rows, _, _) = group
            .column
            .read_records(wanted, Some(&mut levels), None, &mut values)
            .map_err(|e| broken(self.input, self.next_row, &e))?;
        if rows == 0 {
            let missing = ParquetError::EOF(format!("{} rows are missing", group.rows_left));
            return Err(broken(self.input, self.next_row, &missing));
        }
        group.rows_left -= rows;

        let mut block = RowBlock { first_row: self.next_row, ..RowBlock::default() };
        self.next_row += rows as u64;
        let mut values = values.iter();
        // A column without nulls has no levels.
        levels.resize(rows, i16::from(!self.nullable));
        for level in levels {
            let present = level > 0;
            block.ends.push(present.then(|| {
                let value = values.next().expect("as many values as rows that are not null");
                block.bytes.extend_from_slice(value.data());
                block.bytes.len()
            }));
        }
        Ok(block)
    }
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

    fn longer_than(&self, bytes: usize) -> Option<usize> {
        self.texts().position(|text| text.is_some_and(|text| text.len() > bytes))
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

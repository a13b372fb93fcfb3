//! Reads input files as blocks of documents.
//!
//! One thread reads and does not parse. Its slowest work is decompression, at 500 MB/s of text;
//! that is ten times what a core encodes.

use std::io::Read;

use sparkjoy_base::{Fingerprint, Problem, bytes};

use crate::DataError;
use crate::compression::{TextStream, fingerprint};
use crate::error::Place;
use crate::json;
use crate::line_blocks::{CutError, LineBlock, LineBlocks};
use crate::parquet_text::{ParquetText, RowBlock};
use crate::prepare::Sizes;
use crate::row_text::Rows;
use crate::sniff;
use crate::source::{Compression, Input, Kind};

/// Some documents of a file, not parsed yet.
pub(crate) struct Block {
    /// Index of the file.
    pub(crate) file: usize,
    pub(crate) content: Content,
    /// Bytes of the file read so far, as stored.
    pub(crate) stored_bytes: u64,
}

/// The documents of a block, by kind of file.
pub(crate) enum Content {
    /// Whole lines, each a JSON object.
    Lines {
        /// The lines.
        bytes: Vec<u8>,
        /// Number of the first line, from 1.
        first_line: u64,
    },
    /// Whole lines of plain text, each a document.
    TextLines {
        /// The lines.
        bytes: Vec<u8>,
        /// Number of the first line, from 1.
        first_line: u64,
    },
    /// Rows of a Parquet file.
    Rows(RowBlock),
    /// One document.
    Document(Vec<u8>),
}

/// Reads a file block by block.
///
/// `take` gets the blocks in order and returns whether to continue. Returns the fingerprint of the
/// bytes of the file, or `None` if `take` returned false.
///
/// # Errors
///
/// A truncated stream, a document that is too long, plain text where rows are asked for.
pub(crate) fn read(
    index: usize,
    input: &Input,
    rows: &Rows,
    sizes: &Sizes,
    take: impl FnMut(Block) -> bool,
) -> Result<Option<Fingerprint>, DataError> {
    match sniff::kind(input)? {
        Kind::JsonLines(compression) => read_lines(index, input, compression, sizes, true, take),
        Kind::Parquet => read_rows(index, input, rows, sizes, take),
        Kind::Text(_) if rows.filter.is_some() => {
            let path = &input.name;
            let text = format!("`{path}` is plain text, which has no fields for `where`");
            let hint = "name JSON Lines or Parquet, or take `where` out of the source";
            Err(Problem::new(text).with_hint(hint).into())
        }
        Kind::Text(compression) if rows.lines => {
            read_lines(index, input, compression, sizes, false, take)
        }
        Kind::Text(compression) => read_text(index, input, compression, sizes, take),
    }
}

/// `json`: whether the lines are objects; else each is a text.
fn read_lines(
    file: usize,
    input: &Input,
    compression: Compression,
    sizes: &Sizes,
    json: bool,
    mut take: impl FnMut(Block) -> bool,
) -> Result<Option<Fingerprint>, DataError> {
    let text = TextStream::open(input, compression)?;
    let mut lines = LineBlocks::new(text, sizes.block_bytes, sizes.document_bytes_max);
    loop {
        match lines.next() {
            Ok(Some(LineBlock { mut bytes, first_line })) => {
                if first_line == 1 {
                    sniff::refuse_packed_twice(input, compression, &bytes)?;
                    sniff::refuse_carriage_returns(input, compression, &bytes)?;
                }
                let content = if json {
                    if first_line == 1 {
                        refuse_one_value(input, compression, &bytes)?;
                    }
                    Content::Lines { bytes, first_line }
                } else {
                    if first_line == 1 {
                        drop_mark(&mut bytes);
                    }
                    Content::TextLines { bytes, first_line }
                };
                let stored_bytes = lines.get_ref().stored_bytes();
                if !take(Block { file, content, stored_bytes }) {
                    return Ok(None);
                }
            }
            Ok(None) => return lines.get_ref().finish(input).map(Some),
            Err(CutError::Read(error)) => return Err(lines.get_ref().explain(input, error)),
            Err(CutError::TooLong(line)) => {
                return Err(too_long(input, Place::Line(line), sizes.document_bytes_max).into());
            }
        }
    }
}

/// Refuses a file that is one JSON value over many lines, by its first block.
fn refuse_one_value(input: &Input, compression: Compression, block: &[u8]) -> Result<(), Problem> {
    let Some((what, program)) = json::over_many_lines(block) else { return Ok(()) };
    let path = &input.name;
    let command = match compression {
        Compression::Plain => format!("jq -c '{program}' {path}"),
        Compression::Gzip => format!("gzip -dc {path} | jq -c '{program}'"),
        Compression::Zstd => format!("zstd -dc {path} | jq -c '{program}'"),
    };
    let command = format!("`{command} > NEW.jsonl`");
    Err(Problem::new(format!("`{path}` is {what}, expected an object a line: {command}"))
        .with_hint(format!("write it so: {command}, and name the new file")))
}

fn read_rows(
    file: usize,
    input: &Input,
    rows: &Rows,
    sizes: &Sizes,
    mut take: impl FnMut(Block) -> bool,
) -> Result<Option<Fingerprint>, DataError> {
    let mut rows = ParquetText::open(input, rows)?;
    while let Some(block) = rows.next(sizes.block_bytes, sizes.document_bytes_max)? {
        let (read, all) = rows.progress();
        let stored = u128::from(input.stamp.size) * u128::from(read) / u128::from(all.max(1));
        let stored_bytes = (stored as u64).min(input.stamp.size);
        if !take(Block { file, content: Content::Rows(block), stored_bytes }) {
            return Ok(None);
        }
    }
    fingerprint(input).map(Some)
}

fn read_text(
    file: usize,
    input: &Input,
    compression: Compression,
    sizes: &Sizes,
    mut take: impl FnMut(Block) -> bool,
) -> Result<Option<Fingerprint>, DataError> {
    let mut text = TextStream::open(input, compression)?;
    let mut bytes = Vec::new();
    let most = sizes.document_bytes_max as u64;
    if let Err(error) = text.by_ref().take(most + 1).read_to_end(&mut bytes) {
        return Err(text.explain(input, error));
    }
    if bytes.len() as u64 > most {
        return Err(too_long(input, Place::File, sizes.document_bytes_max).into());
    }
    sniff::refuse_packed_twice(input, compression, &bytes)?;
    drop_mark(&mut bytes);
    let stored_bytes = text.stored_bytes();
    if !take(Block { file, content: Content::Document(bytes), stored_bytes }) {
        return Ok(None);
    }
    text.finish(input).map(Some)
}

/// Some editors open a file with a byte-order mark; it is no part of the text.
fn drop_mark(bytes: &mut Vec<u8>) {
    if bytes.starts_with(json::BYTE_ORDER_MARK.as_bytes()) {
        bytes.drain(..json::BYTE_ORDER_MARK.len());
    }
}

/// A document that would not fit in memory several times over. `limit`: the most bytes allowed.
pub(crate) fn too_long(input: &Input, place: Place, limit: usize) -> Problem {
    let (path, limit) = (&input.name, bytes(limit as u64));
    Problem::new(format!("`{path}` {place}: longer than {limit}, the most a document may have"))
        .with_hint("split the document, or leave the file out")
}

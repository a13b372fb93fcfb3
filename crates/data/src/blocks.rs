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
use crate::line_blocks::{CutError, LineBlocks};
use crate::parquet_text::{ParquetText, RowBlock};
use crate::prepare::Sizes;
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
    /// ParquetText of a Parquet column.
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
/// A truncated stream, a document that is too long.
pub(crate) fn read(
    index: usize,
    input: &Input,
    field: &str,
    sizes: &Sizes,
    take: impl FnMut(Block) -> bool,
) -> Result<Option<Fingerprint>, DataError> {
    match sniff::kind(input)? {
        Kind::JsonLines(compression) => read_lines(index, input, compression, sizes, take),
        Kind::Parquet => read_rows(index, input, field, sizes, take),
        Kind::Text(compression) => read_text(index, input, compression, sizes, take),
    }
}

fn read_lines(
    file: usize,
    input: &Input,
    compression: Compression,
    sizes: &Sizes,
    mut take: impl FnMut(Block) -> bool,
) -> Result<Option<Fingerprint>, DataError> {
    let text = TextStream::open(input, compression)?;
    let mut lines = LineBlocks::new(text, sizes.block_bytes, sizes.document_bytes_max);
    loop {
        match lines.next() {
            Ok(Some(block)) => {
                if block.first_line == 1 {
                    refuse_one_value(input, compression, &block.bytes)?;
                }
                let content = Content::Lines { bytes: block.bytes, first_line: block.first_line };
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
    field: &str,
    sizes: &Sizes,
    mut take: impl FnMut(Block) -> bool,
) -> Result<Option<Fingerprint>, DataError> {
    let mut rows = ParquetText::open(input, field)?;
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
    // Some editors open a file with it; it is no part of the text.
    if bytes.starts_with(json::BYTE_ORDER_MARK.as_bytes()) {
        bytes.drain(..json::BYTE_ORDER_MARK.len());
    }
    let stored_bytes = text.stored_bytes();
    if !take(Block { file, content: Content::Document(bytes), stored_bytes }) {
        return Ok(None);
    }
    text.finish(input).map(Some)
}

/// A document that would not fit in memory several times over. `limit`: the most bytes allowed.
pub(crate) fn too_long(input: &Input, place: Place, limit: usize) -> Problem {
    let (path, limit) = (&input.name, bytes(limit as u64));
    Problem::new(format!("`{path}` {place}: longer than {limit}, the most a document may have"))
        .with_hint("split the document, or leave the file out")
}

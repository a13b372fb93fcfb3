//! The pages of a Parquet column, checked before the library makes memory of what they say.
//!
//! The library believes two numbers of a page: its size when unpacked, and how many values a list
//! of lengths has. Either may be a few bytes that stand for gigabytes.

use std::fs::File;
use std::io::{BufRead, BufReader};

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// The most bytes of a page, unpacked: twice what one document may have.
const PAGE_BYTES_MAX: u64 = 512 << 20;

/// A Parquet file whose page headers are read before they are obeyed.
pub(crate) struct PageFile(pub(crate) File);

impl Length for PageFile {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for PageFile {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut reader = self.0.get_read(start)?;
        match page_bytes(reader.fill_buf()?) {
            Some(found) if found > PAGE_BYTES_MAX => Err(refused(&format!(
                "a page of {}, expected at most {}",
                sparkjoy_base::bytes(found),
                sparkjoy_base::bytes(PAGE_BYTES_MAX)
            ))),
            _ => Ok(reader),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// The unpacked or the stored bytes of the page whose header begins here, whichever is more.
///
/// # Source
///
/// `PageHeader` of `parquet.thrift` in the compact protocol: its first three fields are numbers
/// that are always there.
fn page_bytes(header: &[u8]) -> Option<u64> {
    let mut at = 0;
    let mut field = || {
        // The next field, and a 32-bit number.
        (*header.get(at)? == 0x15).then_some(())?;
        at += 1;
        let zigzag = number(header, &mut at)?;
        Some(if zigzag & 1 == 0 { zigzag >> 1 } else { 0 })
    };
    field()?;
    Some(field()?.max(field()?))
}

/// A number of seven bits a byte, the lowest first.
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The pages of one column, each checked before its values are unpacked.
pub(crate) struct CheckedPages {
    pub(crate) pages: Box<dyn PageReader>,
    /// Whether the values may be in pieces of earlier ones.
    pub(crate) in_pieces: bool,
    /// Lists of levels before the values: one for nulls, one for lists.
    pub(crate) levels: usize,
    /// Values that the column may still have.
    pub(crate) values_left: u64,
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(page) = &page {
            self.check(page)?;
            if !matches!(page, Page::DictionaryPage { .. }) {
                let left = self.values_left.checked_sub(page.num_values().into());
                self.values_left = left.ok_or_else(|| {
                    refused("a row group of too many list entries, expected at most 16 million")
                })?;
            }
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

impl CheckedPages {
    fn check(&self, page: &Page) -> Result<()> {
        let lists = match page.encoding() {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
            Encoding::DELTA_BYTE_ARRAY if self.in_pieces => 2,
            Encoding::DELTA_BYTE_ARRAY => {
                return Err(refused("a page in an encoding its column does not name"));
            }
            _ => return Ok(()),
        };
        let mut rest = values(page, self.levels).unwrap_or_default();
        for _ in 0..lists {
            let end = lengths(rest, u64::from(page.num_values()))
                .ok_or_else(|| refused("a page whose list of lengths is not whole"))?;
            rest = &rest[end..];
        }
        Ok(())
    }
}

fn refused(text: &str) -> ParquetError {
    ParquetError::General(text.to_owned())
}

/// What follows the levels of a page.
fn values(page: &Page, lists: usize) -> Option<&[u8]> {
    let mut bytes: &[u8] = page.buffer();
    let levels = match page {
        Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
            *def_levels_byte_len as usize + *rep_levels_byte_len as usize
        }
        Page::DataPage { .. } => {
            for _ in 0..lists {
                bytes = bytes.get(4 + u32::from_le_bytes(*bytes.first_chunk()?) as usize..)?;
            }
            0
        }
        Page::DictionaryPage { .. } => 0,
    };
    bytes.get(levels..)
}

/// Where a list of at most `most` lengths ends; `None` if it has more, or breaks off.
///
/// # Source
///
/// `DELTA_BINARY_PACKED` of the Parquet format.
fn lengths(bytes: &[u8], most: u64) -> Option<usize> {
    let mut at = 0;
    let block = number(bytes, &mut at)?;
    let parts = usize::try_from(number(bytes, &mut at)?).ok()?;
    let count = number(bytes, &mut at)?;
    number(bytes, &mut at)?;
    let in_part = block.checked_div(parts as u64)?;
    if count > most || in_part == 0 || in_part > u64::from(u32::MAX) {
        return None;
    }
    let mut left = count.saturating_sub(1);
    while left > 0 {
        number(bytes, &mut at)?;
        let widths = bytes.get(at..at.checked_add(parts)?)?;
        at += parts;
        // What the last block has beyond the values is not there.
        for &width in widths {
            at += if left == 0 { 0 } else { (u64::from(width) * in_part / 8) as usize };
            left = left.saturating_sub(in_part);
        }
    }
    (at <= bytes.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_of_a_page_header_are_its_sizes() {
        // A data page of 789 MB from 479 bytes.
        let header = [0x15, 0x00, 0x15, 0x90, 0xde, 0xba, 0xf0, 0x05, 0x15, 0xbe, 0x07, 0x2c];
        assert_eq!(page_bytes(&header), Some(789_010_312));
        assert_eq!(page_bytes(&header[..4]), None);
        assert_eq!(page_bytes(b"\x30\x00\x00\x00PAR1"), None);
    }

    #[test]
    fn a_list_of_lengths_is_no_longer_than_its_page_says() {
        // Blocks of 128 in 4 parts; 5 values, the first 3, deltas of 2 bits.
        let mut list = vec![0x80, 0x01, 4, 5, 6, 0, 2, 9, 9, 9];
        list.extend([0; 8]);
        assert_eq!(lengths(&list, 5), Some(18));
        assert_eq!(lengths(&list, 4), None, "more than there are values");
        assert_eq!(lengths(&list[..17], 5), None, "cut off");
        // 197 million equal ones are as short.
        let many = [0x80, 0x01, 4, 0xc0, 0xfa, 0xf7, 0x5d, 0];
        assert_eq!(lengths(&many, 100), None);
        assert_eq!(lengths(&[0x80, 0x01, 0, 1, 0], 5), None, "no parts");
        assert_eq!(lengths(&[0x80, 0x01, 4, 1, 0, 7], 5), Some(5));
    }
}

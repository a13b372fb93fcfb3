//! Splits a stream of text into blocks of whole lines.

use std::io::{self, Read};

/// Whole lines, in stream order.
pub(crate) struct LineBlock {
    /// Whole lines with their `\n`; the last line of the stream may lack it.
    pub(crate) bytes: Vec<u8>,
    /// Number of the first line, from 1.
    pub(crate) first_line: u64,
}

/// An error while splitting.
pub(crate) enum CutError {
    Read(io::Error),
    /// The line of this number is longer than allowed.
    TooLong(u64),
}

/// A stream being split.
pub(crate) struct LineBlocks<R> {
    reader: R,
    /// The beginning of an incomplete line.
    begun: Vec<u8>,
    next_line: u64,
    block_bytes: usize,
    line_bytes_max: usize,
    ended: bool,
}

impl<R: Read> LineBlocks<R> {
    /// - `block_bytes`: the size at which a block ends.
    /// - `line_bytes_max`: a longer line is an error, so that memory stays bounded.
    pub(crate) fn new(reader: R, block_bytes: usize, line_bytes_max: usize) -> Self {
        let begun = Vec::new();
        Self { reader, begun, next_line: 1, block_bytes, line_bytes_max, ended: false }
    }

    /// The stream; it has been read a little beyond the returned blocks.
    pub(crate) fn get_ref(&self) -> &R {
        &self.reader
    }

    /// The next block, `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Result<Option<LineBlock>, CutError> {
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.reserve(2 * self.block_bytes);
        while !self.ended {
            let read_before = bytes.len();
            let wanted = self.block_bytes as u64;
            let read = self.reader.by_ref().take(wanted).read_to_end(&mut bytes);
            self.ended = (read.map_err(CutError::Read)? as u64) < wanted;
            if let Some(end) = memchr::memrchr(b'\n', &bytes[read_before..])
                && !self.ended
            {
                self.begun = bytes.split_off(read_before + end + 1);
                break;
            }
            // Only a line that began before this read can exceed the limit.
            if !self.ended && bytes.len() > self.line_bytes_max {
                return Err(CutError::TooLong(self.next_line));
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let first_line = self.next_line;
        self.next_line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        Ok(Some(LineBlock { bytes, first_line }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], block_bytes: usize) -> Vec<(u64, Vec<u8>)> {
        let mut lines = LineBlocks::new(text, block_bytes, 1 << 20);
        let mut blocks = Vec::new();
        while let Ok(Some(block)) = lines.next() {
            blocks.push((block.first_line, block.bytes));
        }
        blocks
    }

    #[test]
    fn blocks_hold_whole_lines_and_know_their_number_whatever_their_size() {
        let text = b"one\ntwo two two\n\nfour\nlast without end";
        for block_bytes in 1..60 {
            let blocks = cut(text, block_bytes);
            assert_eq!(blocks.iter().flat_map(|b| b.1.clone()).collect::<Vec<_>>(), text);
            let mut line = 1;
            for (i, (first, bytes)) in blocks.iter().enumerate() {
                assert_eq!(*first, line, "blocks of {block_bytes}");
                assert!(i + 1 == blocks.len() || bytes.ends_with(b"\n"));
                line += memchr::memchr_iter(b'\n', bytes).count() as u64;
            }
        }
        assert!(cut(b"", 10).is_empty());
    }

    #[test]
    fn a_line_past_the_bound_is_refused_by_number() {
        let text = [b"short\n".as_slice(), &[b'x'; 500], b"\nshort\n"].concat();
        let mut lines = LineBlocks::new(&text[..], 16, 100);
        let refused = loop {
            match lines.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the long line was accepted"),
                Err(CutError::TooLong(line)) => break line,
                Err(CutError::Read(e)) => panic!("{e}"),
            }
        };
        assert_eq!(refused, 2);
    }
}

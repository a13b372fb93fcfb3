//! What a file is by its first bytes, where its name does not say it.

use std::fs::File;
use std::os::unix::fs::FileExt;

use sparkjoy_base::{FileError, Problem};

use crate::DataError;
use crate::compression::open_unchanged;
use crate::source::{Compression, Input, Kind};

/// Bytes looked at.
const FIRST: usize = 4096;

const GZIP: &[u8] = &[0x1f, 0x8b, 8];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const PARQUET: &[u8] = b"PAR1";

/// First bytes of files that hold no text, and what such a file is called.
const OTHERS: [(&[u8], &str); 19] = [
    (b"MMIDIDX\0\0", "an index of tokens (Megatron)"),
    (b"\x93NUMPY", "an array (NumPy)"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "an Arrow file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3\0", "a database (SQLite)"),
    (b"PK\x03\x04", "an archive (zip)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7z)"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"BZh", "a bzip2 file"),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x7fELF", "a program"),
    (b"\x80\x02", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
];

/// The kind of `input` by name and first bytes: compression follows from the bytes.
///
/// # Errors
///
/// A file that holds no text, whatever its name says.
pub(crate) fn kind(input: &Input) -> Result<Kind, DataError> {
    let (named, found) = match input.kind {
        Kind::Parquet => return Ok(Kind::Parquet),
        Kind::JsonLines(named) | Kind::Text(named) => {
            (named, first(input, &open_unchanged(input)?)?)
        }
    };
    let compression = if found.starts_with(GZIP) {
        Compression::Gzip
    } else if found.starts_with(ZSTD) {
        Compression::Zstd
    } else {
        if let Some(problem) = unreadable(input, named, &found) {
            return Err(problem.into());
        }
        named
    };
    Ok(match input.kind {
        Kind::Text(_) => Kind::Text(compression),
        _ => Kind::JsonLines(compression),
    })
}

/// Refuses text that was unpacked and is still packed.
pub(crate) fn refuse_packed_twice(
    input: &Input,
    compression: Compression,
    unpacked: &[u8],
) -> Result<(), Problem> {
    let (inner, unpack) = match unpacked {
        it if it.starts_with(GZIP) => ("gzip", "gzip -d"),
        it if it.starts_with(ZSTD) => ("zstd", "zstd -d"),
        _ => return Ok(()),
    };
    let path = &input.name;
    let text = format!("`{path}` is packed twice: unpacked it is {inner} again, expected text");
    let outer = if compression == Compression::Zstd { "zstd" } else { "gzip" };
    let hint = format!("unpack it: `{outer} -dc {path} | {unpack} > NEW`, and name the new file");
    Err(Problem::new(text).with_hint(hint))
}

/// Refuses a Git LFS pointer, which has the name of the file it stands for.
pub(crate) fn refuse_pointer(input: &Input, file: &File) -> Result<(), DataError> {
    if !first(input, file)?.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Ok(());
    }
    let path = &input.name;
    let text =
        format!("`{path}` is a Git LFS pointer, expected the file it stands for: `git lfs pull`");
    let hint = "run `git lfs pull` in the repository it comes from";
    Err(Problem::new(text).with_hint(hint).into())
}

fn first(input: &Input, file: &File) -> Result<Vec<u8>, FileError> {
    let mut bytes = vec![0; FIRST];
    let length = file.read_at(&mut bytes, 0).map_err(FileError::at("read", &input.path))?;
    bytes.truncate(length);
    Ok(bytes)
}

/// Why a file that begins with these bytes holds no text that is read here.
fn unreadable(input: &Input, named: Compression, found: &[u8]) -> Option<Problem> {
    let path = &input.name;
    let problem =
        |text: &str, hint: &str| Some(Problem::new(format!("`{path}` {text}")).with_hint(hint));
    if found.starts_with(PARQUET) {
        return problem("is a Parquet file under another name", "rename it to end in `.parquet`");
    }
    if let Some(encoding) = wide(found) {
        let command = format!("`iconv -f {encoding} -t UTF-8 {path} > NEW`");
        let text = format!("is {encoding} text, expected UTF-8: {command}");
        return problem(&text, &format!("convert it: {command}, and name the new file"));
    }
    let hint =
        "leave it out, or export its text as JSON Lines: an object a line, the text in `text`";
    if let Some((_, what)) = OTHERS.iter().find(|(begins, _)| found.starts_with(begins)) {
        return problem(&format!("is {what}, expected text"), hint);
    }
    // A compressor's bytes say nothing about the text.
    if named == Compression::Plain && found.contains(&0) && std::str::from_utf8(cut(found)).is_err()
    {
        return problem("holds binary data, expected text", hint);
    }
    let is_text = found.trim_ascii_start().starts_with(b"{");
    if named != Compression::Plain && is_text {
        let text = "is not compressed, whatever its name says: it begins as JSON";
        return problem(text, "take the last extension off its name");
    }
    None
}

/// The encoding of two bytes a character that text begins in: by its mark, else by zeros where the
/// upper halves of Latin letters are.
fn wide(found: &[u8]) -> Option<&'static str> {
    if found.starts_with(b"\xff\xfe") || found.starts_with(b"\xfe\xff") {
        return Some("UTF-16");
    }
    let zeros = |first: usize| found.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
    let most = found.len() * 2 / 5;
    match [zeros(0), zeros(1)] {
        [0, low] if low > most => Some("UTF-16LE"),
        [high, 0] if high > most => Some("UTF-16BE"),
        _ => None,
    }
}

/// Refuses lines that end with CR alone, by the first of them: they are one line.
pub(crate) fn refuse_carriage_returns(
    input: &Input,
    compression: Compression,
    bytes: &[u8],
) -> Result<(), Problem> {
    let bytes = bytes.trim_ascii();
    let is_three_lines = bytes.split(|&byte| byte == b'\r').nth(2).is_some();
    if !is_three_lines || bytes.contains(&b'\n') {
        return Ok(());
    }
    let path = &input.name;
    let command = match compression {
        Compression::Plain => format!("tr '\\r' '\\n' < {path}"),
        Compression::Gzip => format!("gzip -dc {path} | tr '\\r' '\\n'"),
        Compression::Zstd => format!("zstd -dc {path} | tr '\\r' '\\n'"),
    };
    let command = format!("`{command} > NEW`");
    let text = format!("`{path}` ends its lines with CR alone, expected LF: {command}");
    Err(Problem::new(text).with_hint(format!("convert it: {command}, and name the new file")))
}

/// The bytes up to the last that begins a character: the next may be cut off.
fn cut(bytes: &[u8]) -> &[u8] {
    let tail = bytes.iter().rev().take(4).position(|byte| byte & 0xc0 != 0x80);
    if bytes.len() < FIRST { bytes } else { &bytes[..bytes.len() - 1 - tail.unwrap_or(0)] }
}

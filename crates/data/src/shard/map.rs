//! The one place where a file becomes memory.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;
use sparkjoy_base::FileError;

/// Maps a whole file for reading.
///
/// # Errors
///
/// [`FileError`] if it cannot be opened or mapped.
#[expect(unsafe_code, reason = "mapping a file has no safe form")]
pub(super) fn map(path: &Path) -> Result<Mmap, FileError> {
    let file = File::open(path).map_err(FileError::at("read", path))?;
    // SAFETY: a shard is written beside its place, renamed into it and never written again, so no
    // process of ours changes a mapped file; whoever replaces one replaces its name, not its bytes.
    // Bytes altered from outside are only ever read as integers, each checked against its checksum.
    unsafe { Mmap::map(&file) }.map_err(FileError::at("read", path))
}

//! Every change this crate makes to a disk, one function each.
//!
//! They are gathered here so that the tests can stop the process, or the disk, before each of
//! them in turn (`tests::crash`). Outside tests the check is an empty function.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use sparkjoy_base::{AtomicFile, FileError, sync_folder, write_atomic};

/// Writes a whole file beside its place and renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    point(path)?;
    write_atomic(path, bytes)?;
    point(path)
}

/// Writes a part of a file that is not in its place yet.
pub(crate) fn put(file: &mut AtomicFile, bytes: &[u8]) -> Result<(), FileError> {
    point(file.path())?;
    file.put(bytes)
}

/// Puts a file in its place.
pub(crate) fn commit(file: AtomicFile) -> Result<(), FileError> {
    point(file.path())?;
    file.commit()
}

/// Appends to an open file, in one call to the system.
pub(crate) fn append(file: &mut File, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    point(path)?;
    file.write_all(bytes).map_err(FileError::at("write", path))?;
    point(path)
}

/// Makes a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<(), FileError> {
    point(path)?;
    sparkjoy_base::create_folder(path)
}

/// Renames a folder within its parent; done once the parent is on the disk.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    point(to)?;
    fs::rename(from, to).map_err(FileError::at("write", to))?;
    point(to)?;
    let parent = to.parent().expect("a folder inside a run folder has a parent");
    sync_folder(parent)
}

/// Removes a file or a folder with all it holds.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    point(path)?;
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(FileError::at("remove", path))
}

/// Where a test may stop the process or the disk.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "fails in tests")]
fn point(_path: &Path) -> Result<(), FileError> {
    Ok(())
}

#[cfg(test)]
pub(crate) use crate::tests::crash::point;

//! A scratch folder on the disk, for runs without protection. Protected runs have one in memory,
//! which disappears with the last process.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::SandboxError;

/// The scratch folder of a protected program, in its own file system in memory.
pub(crate) const INSIDE: &str = "/scratch";

/// The most passes over the folder. Every pass removes one level of folders.
const PASSES: usize = 100_000;

/// A folder that is removed with all its content.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Contains the program's folder, so that it can be removed even if the program made its folder
    /// read-only.
    outer: tempfile::TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::Io { action: "make a scratch folder", source };
        let outer = tempfile::Builder::new().prefix("sparkjoy-").tempdir().map_err(failed)?;
        let scratch = Self { outer };
        fs::create_dir(scratch.path()).map_err(failed)?;
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.outer.path().join("scratch")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that cannot be removed is no reason to lose a verdict.
        let _ = empty(self.outer.path());
    }
}

/// Removes all content of `top`, with any permissions and depth. Folders are first moved up into
/// `top`, so that no path exceeds the limit of the system.
fn empty(top: &Path) -> io::Result<()> {
    let mut moved = 0_u64;
    for _ in 0..PASSES {
        let mut is_empty = true;
        for entry in fs::read_dir(top)? {
            let entry = entry?;
            is_empty = false;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
                continue;
            }
            unlock(&entry.path())?;
            for inner in fs::read_dir(entry.path())? {
                let inner = inner?;
                if inner.file_type()?.is_dir() {
                    // Moving a folder changes its `..`, which takes the right to write to it.
                    unlock(&inner.path())?;
                    fs::rename(inner.path(), top.join(format!("moved {moved}")))?;
                    moved += 1;
                } else {
                    fs::remove_file(inner.path())?;
                }
            }
            fs::remove_dir(entry.path())?;
        }
        if is_empty {
            return Ok(());
        }
    }
    Ok(())
}

fn unlock(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_and_deep_folder_is_removed() {
        let scratch = Scratch::new().unwrap();
        let outer = scratch.outer.path().to_owned();
        // Built from the inside out: the whole path is longer than any call takes.
        let names = |i: u32| outer.join(format!("{i:0>200}"));
        fs::create_dir(names(0)).unwrap();
        fs::write(names(0).join("file"), "x").unwrap();
        for i in 1..100 {
            fs::create_dir(names(i)).unwrap();
            fs::rename(names(i - 1), names(i).join("inner")).unwrap();
        }
        fs::create_dir(scratch.path().join("locked")).unwrap();
        fs::write(scratch.path().join("locked").join("file"), "x").unwrap();
        for folder in [scratch.path().join("locked"), scratch.path()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o000)).unwrap();
        }
        drop(scratch);
        assert!(!outer.exists());
    }
}

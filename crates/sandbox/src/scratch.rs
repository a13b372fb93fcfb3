//! A scratch folder on the disk, for runs without protection. Protected runs have theirs in
//! memory, where it vanishes with the last process.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::SandboxError;

/// How often the folder is looked at again. Every look takes one level of folders away.
const LOOKS: usize = 100_000;

/// A folder that is removed with all that a program left in it.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// Holds the program's folder, so that a program that locks its own folder is no obstacle.
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
        // What is left behind by another user's file is not worth losing a verdict for.
        let _ = empty(self.outer.path());
    }
}

/// Removes all that is in `top`, whatever its rights and depth: folders are moved up into `top`
/// before they are looked into, so that no path gets longer than the system takes.
fn empty(top: &Path) -> io::Result<()> {
    let mut moved = 0_u64;
    for _ in 0..LOOKS {
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

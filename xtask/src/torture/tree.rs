//! Everything below a folder, in memory: to compare with, and to go back to.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::command::Failed;

/// Files with their content, and folders, by their path below the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileTree(pub(super) BTreeMap<PathBuf, Option<Vec<u8>>>);

impl FileTree {
    /// Reads a folder.
    ///
    /// # Errors
    ///
    /// [`Failed`] with what cannot be read.
    pub(super) fn read(folder: &Path) -> Result<Self, Failed> {
        let mut tree = Self::default();
        tree.add(folder, Path::new("")).map_err(|e| failed(folder, &e))?;
        Ok(tree)
    }

    fn add(&mut self, root: &Path, below: &Path) -> io::Result<()> {
        for entry in fs::read_dir(root.join(below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.0.insert(path.clone(), None);
                self.add(root, &path)?;
            } else {
                self.0.insert(path.clone(), Some(fs::read(entry.path())?));
            }
        }
        Ok(())
    }

    /// Makes a folder hold this and nothing else. What it holds already stays untouched.
    ///
    /// # Errors
    ///
    /// [`Failed`] with what cannot be written.
    pub(super) fn restore(&self, folder: &Path) -> Result<(), Failed> {
        fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
        let now = Self::read(folder)?;
        self.replace(&now, folder).map_err(|e| failed(folder, &e))
    }

    fn replace(&self, now: &Self, folder: &Path) -> io::Result<()> {
        // From the end: what is in a folder before the folder.
        for (path, found) in now.0.iter().rev() {
            let is_kind = |wanted: &Option<Vec<u8>>| wanted.is_some() == found.is_some();
            if !self.0.get(path).is_some_and(is_kind) {
                let path = folder.join(path);
                if found.is_some() { fs::remove_file(path)? } else { fs::remove_dir(path)? }
            }
        }
        for (path, wanted) in
            self.0.iter().filter(|(path, wanted)| now.0.get(*path) != Some(wanted))
        {
            match wanted {
                None => fs::create_dir(folder.join(path))?,
                Some(bytes) => fs::write(folder.join(path), bytes)?,
            }
        }
        Ok(())
    }

    /// The paths that differ from those of another tree, as far as they are results.
    pub(super) fn differing(&self, other: &Self) -> Vec<PathBuf> {
        let mut paths: Vec<&PathBuf> = self.0.keys().chain(other.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let differs = |path: &&PathBuf| is_result(path) && self.0.get(*path) != other.0.get(*path);
        paths.into_iter().filter(differs).cloned().collect()
    }

    /// Its files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().filter_map(|(path, found)| Some((path.as_path(), found.as_deref()?)))
    }
}

/// Whether a path must be the same after every run. Times, and files that hold them, need not be.
fn is_result(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let is_below = |name: &str| path.components().any(|part| part.as_os_str() == name);
    let is_times = is_below("timing") || is_below("live") || text.ends_with("report.html");
    !(is_times || text.ends_with("/lock") || text.ends_with(".sparkjoy"))
}

fn failed(folder: &Path, error: &io::Error) -> Failed {
    Failed(format!("`{}`: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_as_it_was_after_it_was_restored() {
        let folder = std::env::temp_dir().join(format!("xtask-tree-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("runs/a/scores.json", "1");
        write("runs/a/timing/a.json", "2");
        let before = FileTree::read(&folder).unwrap();
        write("runs/a/scores.json", "3");
        write("runs/a/timing/a.json", "4");
        write("runs/b/c/d", "5");
        let after = FileTree::read(&folder).unwrap();
        let differing = ["runs/a/scores.json", "runs/b", "runs/b/c", "runs/b/c/d"];
        assert_eq!(before.differing(&after), differing.map(PathBuf::from));
        before.restore(&folder).unwrap();
        assert_eq!(FileTree::read(&folder).unwrap(), before);
        fs::remove_dir_all(&folder).unwrap();
    }
}

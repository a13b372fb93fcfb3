//! The Python interpreter: its real path, and the files it must be able to read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::SandboxError;

/// Arguments that isolate an interpreter: no environment variables, no user or site packages, no
/// current folder, no byte code files, and UTF-8 in any locale.
pub(crate) const ISOLATED: [&str; 8] = ["-I", "-S", "-B", "-q", "-W", "ignore", "-X", "utf8"];

/// Folders of shared libraries, if they exist. Some may be links to others.
const LIBRARIES: [&str; 7] =
    ["/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/etc/ld.so.cache"];

/// A Python interpreter that was found and has described itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    program: PathBuf,
    version: [u32; 3],
    readable: Vec<PathBuf>,
}

/// What `describe.py` prints.
#[derive(Deserialize)]
struct Described {
    program: PathBuf,
    version: [u32; 3],
    standard: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
}

impl Interpreter {
    /// Finds `name`, a path or a program in `PATH`, and lets it describe itself.
    ///
    /// It runs once without protection: it is the user's own interpreter and runs a fixed program.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoInterpreter`] if it is not found, [`SandboxError::BadInterpreter`] if it
    /// is not Python 3.8 or later.
    pub fn find(name: impl AsRef<Path>) -> Result<Self, SandboxError> {
        let name = name.as_ref();
        let bad = |found: String| SandboxError::BadInterpreter { name: name.to_owned(), found };
        let output = Command::new(name)
            .args(ISOLATED)
            .args(["-c", include_str!("python/describe.py")])
            .stdin(Stdio::null())
            .output()
            .map_err(|source| SandboxError::NoInterpreter { name: name.to_owned(), source })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or("it said nothing");
            return Err(bad(format!("{}, {last}", output.status)));
        }
        let described: Described = serde_json::from_slice(&output.stdout)
            .map_err(|error| bad(format!("it does not describe itself, {error}")))?;
        if described.version < [3, 8, 0] {
            let [major, minor, _] = described.version;
            return Err(bad(format!("it is Python {major}.{minor}")));
        }
        let readable = readable(&described);
        Ok(Self { program: described.program, version: described.version, readable })
    }

    /// The path of the interpreter itself, with links resolved.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version, such as `3.11.7`.
    pub fn version(&self) -> String {
        let [major, minor, micro] = self.version;
        format!("{major}.{minor}.{micro}")
    }

    /// Files and folders that a confined run may read: the interpreter, its standard library,
    /// shared libraries. Sorted; no path is inside another.
    pub(crate) fn readable(&self) -> &[PathBuf] {
        &self.readable
    }
}

fn readable(described: &Described) -> Vec<PathBuf> {
    let mut all: BTreeSet<PathBuf> = LIBRARIES.into_iter().map(PathBuf::from).collect();
    all.extend(described.standard.iter().cloned());
    all.extend(described.libraries.iter().cloned());
    all.insert(described.program.clone());
    outermost(all.into_iter().filter(|path| path.is_absolute() && path.exists()))
}

/// The paths that are not inside another. The input is sorted, so a folder comes before its
/// content.
fn outermost(sorted: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in sorted {
        if !kept.iter().any(|outer| path.starts_with(outer)) {
            kept.push(path);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_named_folder_is_not_named_again() {
        let sorted = ["/lib", "/lib/python3", "/lib64", "/opt/p/bin/python"].map(PathBuf::from);
        let kept = outermost(sorted.into_iter());
        assert_eq!(kept, ["/lib", "/lib64", "/opt/p/bin/python"].map(PathBuf::from));
    }

    #[test]
    fn a_missing_interpreter_is_named() {
        let error = Interpreter::find("/nowhere/python3").unwrap_err();
        assert_eq!(
            error.to_string(),
            "found no Python interpreter `/nowhere/python3`, expected Python 3.8 or later"
        );
    }

    #[test]
    fn another_program_is_no_interpreter() {
        let error = Interpreter::find("true").unwrap_err().to_string();
        assert!(error.starts_with("`true` is no usable Python interpreter: "), "{error}");
    }
}

//! The Python that runs programs: where it really lies, and what it must be able to read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::SandboxError;

/// Arguments that keep an interpreter to itself: no variables, no user or site packages, no
/// current folder, no byte code written, UTF-8 whatever the machine's language.
pub(crate) const ISOLATED: [&str; 8] = ["-I", "-S", "-B", "-q", "-W", "ignore", "-X", "utf8"];

/// Folders of shared libraries, where they exist. Often one is a link to another.
const LIBRARIES: [&str; 7] =
    ["/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/etc/ld.so.cache"];

/// A Python interpreter, found and asked about itself.
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
    /// Finds `name`, a path or a program of the user's `PATH`, and asks it about itself.
    ///
    /// It is run once without protection: it is the user's own, and runs a fixed program.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NoInterpreter`] if there is none, [`SandboxError::BadInterpreter`] if what
    /// is there is no Python of at least 3.8.
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

    /// The interpreter itself, not a link or a script that leads to it.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its version, such as `3.11.7`.
    pub fn version(&self) -> String {
        let [major, minor, patch] = self.version;
        format!("{major}.{minor}.{patch}")
    }

    /// Files and folders a confined run may read: the interpreter, its standard library, shared
    /// libraries. Sorted; nothing is named that lies inside another.
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

/// The paths that lie in no other. Sorted input: what holds a path stands before it.
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

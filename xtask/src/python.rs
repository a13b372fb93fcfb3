//! Python programs that made our golden numbers, or that check us against the originals.
//!
//! They run in an environment of their own under `target/`, so that nobody's Python is touched
//! and a clean checkout can remake every number.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{Failed, root, run};

/// What the programs import. Pinned: golden numbers are made by a known version.
const PACKAGES: [&str; 7] = [
    "numpy==2.4.6",
    "safetensors==0.8.0",
    "scipy==1.17.1",
    "tiktoken==0.14.0",
    "tokenizers==0.23.3",
    "torch==2.15.0",
    "transformers==5.23.0",
];

/// An interpreter with [`PACKAGES`].
pub(crate) struct Python {
    interpreter: PathBuf,
}

impl Python {
    /// Makes the environment, or finds the one made before.
    ///
    /// # Errors
    ///
    /// [`Failed`] if there is no `python3` with `venv`, or the packages cannot be fetched.
    pub(crate) fn prepare() -> Result<Self, Failed> {
        let folder = root().join("target/python");
        let interpreter = folder.join("bin/python");
        if !interpreter.is_file() {
            run(Path::new("python3"), &["-m", "venv", &folder.to_string_lossy()])?;
        }
        let install = ["-m", "pip", "install", "--quiet"];
        run(&interpreter, &[&install[..], &PACKAGES[..]].concat())?;
        Ok(Self { interpreter })
    }

    /// All programs in the folders called `folder` of any crate, sorted by path.
    ///
    /// # Errors
    ///
    /// [`Failed`] if there are none: a check that checks nothing must not pass.
    pub(crate) fn scripts(folder: &str) -> Result<Vec<PathBuf>, Failed> {
        let mut found = Vec::new();
        for krate in entries(&root().join("crates"))? {
            collect(&krate.join(folder), &mut found)?;
        }
        found.sort();
        if found.is_empty() {
            return Err(Failed(format!("no Python program in any `crates/*/{folder}`")));
        }
        Ok(found)
    }

    /// Runs one program from the root of the workspace.
    ///
    /// # Errors
    ///
    /// [`Failed`] if it says it failed.
    pub(crate) fn run(&self, script: &Path) -> Result<(), Failed> {
        let shown = script.strip_prefix(root()).unwrap_or(script);
        run(&self.interpreter, &[&shown.to_string_lossy()])
    }
}

/// Makes all golden numbers again, each beside its program.
///
/// # Errors
///
/// [`Failed`] at the first program that fails.
pub(crate) fn golden() -> Result<(), Failed> {
    run_all("testdata")?;
    eprintln!("\n`git diff` shows which numbers changed");
    Ok(())
}

/// Checks the engine, the checkpoints and the tokenizers against the libraries they follow.
///
/// # Errors
///
/// [`Failed`] at the first check that fails.
pub(crate) fn parity() -> Result<(), Failed> {
    run_all("parity")
}

fn run_all(folder: &str) -> Result<(), Failed> {
    let scripts = Python::scripts(folder)?;
    let python = Python::prepare()?;
    scripts.iter().try_for_each(|script| python.run(script))
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    if !folder.is_dir() {
        return Ok(());
    }
    for path in entries(folder)? {
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "py") {
            found.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failed> {
    let failed = |e| Failed(format!("cannot read `{}`: {e}", folder.display()));
    fs::read_dir(folder).map_err(failed)?.map(|e| Ok(e.map_err(failed)?.path())).collect()
}

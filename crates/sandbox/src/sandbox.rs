//! The sandbox: an interpreter, a launcher, a level of protection and limits, tested before use.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use crate::error::SandboxError;
use crate::interpreter::{ISOLATED, Interpreter};
use crate::launch::{HIDDEN_ARGUMENT, LaunchOrder, Stage};
use crate::limits::Limits;
use crate::process::Confined;
use crate::run::Exit;
use crate::scratch::{INSIDE, Scratch};

/// Level of protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// All layers of the threat model; otherwise nothing runs.
    Full,
    /// Only limits, a scratch folder and a time limit. The program has the rights of the user and
    /// can use the network. Only for disposable machines.
    None,
}

/// Runs untrusted Python programs.
#[derive(Debug, Clone)]
pub struct Sandbox {
    interpreter: Interpreter,
    launcher: PathBuf,
    protection: Protection,
    limits: Limits,
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The active layers, in the order they were applied.
    pub layers: Vec<String>,
    /// The interpreter's version.
    pub python: String,
}

impl Sandbox {
    /// A sandbox that has been tested once.
    ///
    /// - `launcher`: a program that calls [`confined`](crate::confined).
    ///
    /// # Errors
    ///
    /// [`SandboxError::Refused`] names the layer that this machine lacks; the other errors name
    /// what else is missing. With [`Protection::None`] no layer is needed.
    pub fn new(
        interpreter: Interpreter,
        launcher: impl Into<PathBuf>,
        protection: Protection,
        limits: Limits,
    ) -> Result<Self, SandboxError> {
        let sandbox = Self { interpreter, launcher: launcher.into(), protection, limits };
        sandbox.probe()?;
        Ok(sandbox)
    }

    /// Runs a small program in the sandbox, and returns the active layers.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn probe(&self) -> Result<Probe, SandboxError> {
        let never = AtomicBool::new(false);
        let (run, layers) = self.run_and_look("print(6 * 7)", &never)?;
        if run.exit != Exit::Exited(0) || run.output != b"42\n" {
            let said = String::from_utf8_lossy(&run.errors).trim().to_owned();
            let found = format!("the interpreter ended with {:?} {said}", run.exit);
            return Err(SandboxError::BadLauncher { launcher: self.launcher.clone(), found });
        }
        Ok(Probe { layers, python: self.interpreter.version() })
    }

    /// The level of protection.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// The limits of programs.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn launcher(&self) -> &Path {
        &self.launcher
    }

    /// Starts a confined interpreter that executes `code`, connected by pipes.
    pub(crate) fn start(&self, code: &str) -> Result<Confined, SandboxError> {
        let (stage, scratch) = match self.protection {
            Protection::Full => (Stage::Outer, None),
            Protection::None => (Stage::Bare, Some(Scratch::new()?)),
        };
        let mut arguments: Vec<String> = ISOLATED.map(str::to_owned).to_vec();
        let code = format!("{}\n{code}", include_str!("python/start.py"));
        arguments.extend(["-c".to_owned(), code]);
        let order = LaunchOrder {
            stage,
            program: self.interpreter.program().to_owned(),
            arguments,
            readable: self.interpreter.readable().to_vec(),
            scratch: scratch.as_ref().map_or_else(|| PathBuf::from(INSIDE), Scratch::path),
            limits: self.limits,
            waits: std::process::id(),
            has_nobody: false,
        };
        let mut command = Command::new(&self.launcher);
        command
            .arg(HIDDEN_ARGUMENT)
            .arg(serde_json::to_string(&order).expect("an order is plain data"))
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Confined::start(command, &self.launcher, scratch)
    }
}

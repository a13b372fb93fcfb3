//! A machine's ability to run untrusted programs, tried before it is relied on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;

use crate::error::SandboxError;
use crate::interpreter::{ISOLATED, Interpreter};
use crate::launch::{HIDDEN_ARGUMENT, Order, Stage};
use crate::limits::Limits;
use crate::process::Confined;
use crate::run::Ending;
use crate::scratch::Scratch;

/// Where a protected program's scratch folder lies, in its own file system in memory.
const INSIDE: &str = "/scratch";

/// How far a program is kept from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Every layer of the crate's list, or nothing runs.
    Full,
    /// Limits, a scratch folder and a time limit only. The program can read and write what the
    /// user can, and use the network. For machines that may be lost.
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

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The active layers, in the order they were put on.
    pub layers: Vec<String>,
    /// The interpreter's version.
    pub python: String,
}

impl Sandbox {
    /// A sandbox that starts `launcher`, a program that calls [`confined`](crate::confined), and
    /// has been tried once.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Refused`] names the layer this machine lacks, the others what is missing
    /// besides. With [`Protection::None`] no layer is needed.
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

    /// Starts a confined interpreter, and says what it was confined by.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn probe(&self) -> Result<Probe, SandboxError> {
        let never = AtomicBool::new(false);
        let (run, layers) = self.run_and_look("print(6 * 7)", &never)?;
        if run.ending != Ending::Exited(0) || run.output != b"42\n" {
            let said = String::from_utf8_lossy(&run.errors).trim().to_owned();
            let found = format!("the interpreter ended with {:?} {said}", run.ending);
            return Err(SandboxError::BadLauncher { launcher: self.launcher.clone(), found });
        }
        Ok(Probe { layers, python: self.interpreter.version() })
    }

    /// How far programs are kept from the machine.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// What programs may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The program that confines.
    pub(crate) fn launcher(&self) -> &Path {
        &self.launcher
    }

    /// Starts an interpreter that executes `code`, and reads from a pipe.
    pub(crate) fn start(&self, code: String) -> Result<Confined, SandboxError> {
        let (stage, scratch) = match self.protection {
            Protection::Full => (Stage::Outer, None),
            Protection::None => (Stage::Bare, Some(Scratch::new()?)),
        };
        let mut arguments: Vec<String> = ISOLATED.map(str::to_owned).to_vec();
        arguments.extend(["-c".to_owned(), code]);
        let order = Order {
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

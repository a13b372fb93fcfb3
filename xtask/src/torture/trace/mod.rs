//! Runs a program under `ptrace` and disturbs one of its disk operations: on Linux on x86-64 only.
//!
//! A filter of seccomp stops the program before each system call that may change a disk. This
//! process counts them over all threads, and at the chosen one kills the program or gives it an
//! error. `ptrace` is of threads and waits for any child, so each run has a tracer process of its
//! own: this program again, with a hidden command.

use std::path::Path;
use std::process::ExitCode;

use crate::command::Failed;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracee;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tracer;

/// Whether this system lets disk operations be disturbed.
pub(super) const IS_POSSIBLE: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// The hidden command of the tracer: fault, number of the operation, file for what was met.
pub(crate) const TRACER: &str = "torture-tracer";
/// The hidden command of the process that becomes the program.
pub(crate) const TRACEE: &str = "torture-tracee";

/// What is done at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing: the operations are listed.
    None,
    /// The program is killed before it.
    Kill,
    /// Half of what is written is, then the program is killed.
    Torn,
    /// Half of what is written is, and the program is told so.
    Short,
    /// The disk is full.
    NoSpace,
    /// The disk is broken.
    Broken,
}

impl Fault {
    /// Those that disturb.
    pub(super) const ALL: [Self; 5] =
        [Self::Kill, Self::Torn, Self::Short, Self::NoSpace, Self::Broken];

    /// Whether only a write can have it.
    pub(super) fn is_of_writes(self) -> bool {
        matches!(self, Self::Torn | Self::Short)
    }

    /// Whether the program lives on.
    pub(super) fn is_error(self) -> bool {
        matches!(self, Self::NoSpace | Self::Broken)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kill => "kill",
            Self::Torn => "torn write and kill",
            Self::Short => "short write",
            Self::NoSpace => "ENOSPC",
            Self::Broken => "EIO",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::None].into_iter().chain(Self::ALL).find(|fault| fault.name() == name)
    }
}

/// A disk operation that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// `write`, `rename`, …
    pub(super) kind: String,
    /// What it is of.
    pub(super) path: String,
}

/// What is put before a command line to have its `nth` operation disturbed, the first being 1.
///
/// - `met`: a file that afterwards lists the operations met, or the disturbed one.
///
/// # Errors
///
/// [`Failed`] where nobody knows where this program is.
pub(super) fn before(fault: Fault, nth: usize, met: &Path) -> Result<Vec<String>, Failed> {
    let ours = std::env::current_exe().map_err(|e| Failed(format!("cannot find myself: {e}")))?;
    let [ours, met] = [&*ours, met].map(|path| path.to_string_lossy().into_owned());
    Ok(vec![ours, TRACER.into(), fault.name().into(), nth.to_string(), met])
}

/// Reads what [`before`] had listed.
///
/// # Errors
///
/// [`Failed`] if the tracer has left nothing.
pub(super) fn met(path: &Path) -> Result<Vec<Operation>, Failed> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failed(format!("the tracer left no `{}`: {e}", path.display())))?;
    let of = |line: &str| {
        let (kind, path) = line.split_once(' ').unwrap_or((line, ""));
        Operation { kind: kind.to_owned(), path: path.to_owned() }
    };
    Ok(text.lines().map(of).collect())
}

/// The hidden commands.
///
/// # Errors
///
/// [`Failed`] if the system does not let itself be traced.
pub(crate) fn hidden(arguments: &[&str]) -> Result<ExitCode, Failed> {
    match arguments {
        [TRACER, fault, nth, met, program @ ..] => {
            let fault = Fault::of_name(fault).zip(nth.parse().ok());
            let (fault, nth) = fault.ok_or_else(|| Failed("no such fault".to_owned()))?;
            trace(fault, nth, Path::new(met), program)
        }
        [TRACEE, program @ ..] => become_traced(program),
        _ => Err(Failed("no such command".to_owned())),
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use self::{tracee::become_traced, tracer::trace};

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn trace(_: Fault, _: usize, _: &Path, _: &[&str]) -> Result<ExitCode, Failed> {
    Err(Failed("disk operations are disturbed on Linux on x86-64 only".to_owned()))
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn become_traced(_: &[&str]) -> Result<ExitCode, Failed> {
    trace(Fault::None, 0, Path::new(""), &[])
}

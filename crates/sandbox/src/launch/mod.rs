//! The launcher: applies the layers of protection one by one, then executes the interpreter.
//!
//! It is this program, started again in three stages. Otherwise the code would have to run between
//! `fork` and `exec`, which is `unsafe`:
//!
//! 1. `Outer` enters new namespaces. Its next child is the first process of the process namespace.
//! 2. `Init` is that first process. It waits; when it ends, the kernel kills the other processes.
//! 3. `Inner` builds the visible file system, sets limits, drops all rights, and executes the
//!    interpreter.
//!
//! If root runs it, `Map` is a helper outside the namespaces: only it may map a user who is not
//! root.
//!
//! The first line on standard error begins with [`READY`] or [`REFUSED`]. Only this code has run
//! before, so a tested program cannot forge it.

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod filter;
mod limits;
#[cfg(target_os = "linux")]
mod rights;
#[cfg(target_os = "linux")]
mod stages;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// The first argument of a launcher.
pub const HIDDEN_ARGUMENT: &str = "__confined";

/// Beginning of the line with the active layers.
pub(crate) const READY: &str = "sandbox-ready ";
/// Beginning of the line with the missing layer.
pub(crate) const REFUSED: &str = "sandbox-refused ";

/// The exit code of a launcher that did not execute the interpreter.
const NOT_STARTED: i32 = 125;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LaunchOrder {
    pub(crate) stage: Stage,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// Readable paths, besides the scratch folder.
    pub(crate) readable: Vec<PathBuf>,
    /// The working folder: on the disk without protection, else in memory.
    pub(crate) scratch: PathBuf,
    pub(crate) limits: Limits,
    /// Id of the process that waits for this one; the launcher ends if that process is gone.
    pub(crate) waits: u32,
    /// Whether the user namespace has a second user, who is not root outside.
    pub(crate) has_nobody: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Limits and a cleared environment, nothing else.
    Bare,
    /// Enters new namespaces.
    Outer,
    /// Maps the users of the namespace of process `waits`.
    Map,
    /// The first process of the namespace.
    Init,
    /// Drops all rights and executes the interpreter.
    Inner,
}

/// A layer of protection that is not available.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) layer: String,
    pub(crate) reason: String,
}

impl Refusal {
    fn new(layer: &str, reason: &dyn std::fmt::Display) -> Self {
        Self { layer: layer.to_owned(), reason: reason.to_string() }
    }
}

/// Adds the layer to an error.
trait Layer<T> {
    fn layer(self, layer: &str) -> Result<T, Refusal>;
}

impl<T, E: std::fmt::Display> Layer<T> for Result<T, E> {
    fn layer(self, layer: &str) -> Result<T, Refusal> {
        self.map_err(|error| Refusal::new(layer, &error))
    }
}

/// Confines this process as the arguments say, and executes the interpreter. Never returns.
///
/// A program that is its own launcher must call this first if its first argument is
/// [`HIDDEN_ARGUMENT`], with the arguments after it and before it starts a thread.
pub fn confined(arguments: impl Iterator<Item = OsString>) -> ! {
    let order =
        arguments.last().and_then(|order| serde_json::from_slice(order.as_encoded_bytes()).ok());
    let Some(order) = order else {
        refuse(&Refusal::new("order", &"this argument is for the program itself"))
    };
    refuse(&launch(order))
}

#[cfg(target_os = "linux")]
fn launch(order: LaunchOrder) -> Refusal {
    if order.stage == Stage::Bare { bare(&order) } else { stages::launch(order) }
}

#[cfg(not(target_os = "linux"))]
fn launch(order: LaunchOrder) -> Refusal {
    match order.stage {
        Stage::Bare => bare(&order),
        _ => Refusal::new("Linux kernel", &"namespaces and seccomp exist only there"),
    }
}

fn bare(order: &LaunchOrder) -> Refusal {
    match inherited().and_then(|files| limits::set(&order.limits).map(|()| files)) {
        Ok(files) => execute(order, &files, &["limits"]),
        Err(refusal) => refusal,
    }
}

/// The numbers of the open files besides input, output and errors, of whatever size. The parent may
/// have been given files that it does not know of.
fn inherited() -> Result<Vec<String>, Refusal> {
    const LAYER: &str = "closing of inherited files";
    let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let open = fs::read_dir(folder).layer(LAYER)?;
    let numbers = open.map(|file| file.map(|file| file.file_name().to_string_lossy().into_owned()));
    let numbers: io::Result<Vec<String>> = numbers.collect();
    Ok(numbers.layer(LAYER)?.into_iter().filter(|n| !["0", "1", "2"].contains(&&**n)).collect())
}

/// Announces the active layers and executes the interpreter, which closes `files` first.
fn execute(order: &LaunchOrder, files: &[String], layers: &[&str]) -> Refusal {
    let names = serde_json::to_string(layers).expect("strings are JSON");
    announce(&format!("{READY}{names}\n"));
    let error = Command::new(&order.program)
        .args(order.arguments.iter().chain(files))
        .env_clear()
        .current_dir(&order.scratch)
        .exec();
    Refusal::new("interpreter", &format!("{}: {error}", order.program.display()))
}

fn refuse(refusal: &Refusal) -> ! {
    let text = serde_json::to_string(refusal).expect("strings are JSON");
    announce(&format!("{REFUSED}{text}\n"));
    std::process::exit(NOT_STARTED)
}

/// Writes one line to standard error; a failed write is ignored.
fn announce(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}

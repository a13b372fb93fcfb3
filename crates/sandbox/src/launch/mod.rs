//! The launcher: gives up everything, layer by layer, and becomes the interpreter.
//!
//! It is this program started again, three times over, because a process can be made safe for
//! what comes after it only between `fork` and `exec`, and code there would be `unsafe`:
//!
//! 1. `Outer` leaves for new namespaces. Its next child is the first process of the new one.
//! 2. `Init` is that first process. It waits; when it ends, the kernel kills all that is left.
//! 3. `Inner` builds the file system that will be seen, sets limits, drops every right, and
//!    executes the interpreter.
//!
//! Run by root, `Map` is a helper outside the namespaces: it alone may give them a user who is
//! not root.
//!
//! The first line on standard error says [`READY`] or [`REFUSED`]. Until then only this code has
//! run, so it cannot be forged.

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
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// The first argument of a program that is to confine itself.
pub const HIDDEN_ARGUMENT: &str = "__confined";

/// Begins the line that names the active layers.
pub(crate) const READY: &str = "sandbox-ready ";
/// Begins the line that names the missing layer.
pub(crate) const REFUSED: &str = "sandbox-refused ";

/// The exit code of a launcher that did not come to execute the program.
const NOT_STARTED: i32 = 125;

/// What a launcher is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) stage: Stage,
    /// What to execute in the end.
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// What may be read, besides the scratch folder.
    pub(crate) readable: Vec<PathBuf>,
    /// The folder to start in: on the disk without protection, in memory otherwise.
    pub(crate) scratch: PathBuf,
    pub(crate) limits: Limits,
    /// The process that waits for this one; without it there is nobody to stop us.
    pub(crate) waits: u32,
    /// Whether the user namespace has a second user, who is not root outside either.
    pub(crate) has_nobody: bool,
}

/// Which launcher this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Limits and a cleared environment, nothing else.
    Bare,
    /// Leaves for new namespaces.
    Outer,
    /// Gives the namespaces of process `waits` their users.
    Map,
    /// The first process of the namespace.
    Init,
    /// Drops everything.
    Inner,
}

/// A layer that could not be had.
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

/// Names the layer in an error.
trait Layer<T> {
    fn layer(self, layer: &str) -> Result<T, Refusal>;
}

impl<T, E: std::fmt::Display> Layer<T> for Result<T, E> {
    fn layer(self, layer: &str) -> Result<T, Refusal> {
        self.map_err(|error| Refusal::new(layer, &error))
    }
}

/// Confines this process as `arguments` say, and executes the interpreter. Never returns.
///
/// A program that is to be its own launcher calls this first of all when its first argument is
/// [`HIDDEN_ARGUMENT`], with the arguments after it, before it starts a thread.
pub fn confined(arguments: impl Iterator<Item = OsString>) -> ! {
    let order =
        arguments.last().and_then(|order| serde_json::from_slice(order.as_encoded_bytes()).ok());
    let Some(order) = order else {
        refuse(&Refusal::new("order", &"this argument is for the program itself"))
    };
    refuse(&launch(order))
}

#[cfg(target_os = "linux")]
fn launch(order: Order) -> Refusal {
    if order.stage == Stage::Bare { bare(&order) } else { stages::launch(order) }
}

#[cfg(not(target_os = "linux"))]
fn launch(order: Order) -> Refusal {
    match order.stage {
        Stage::Bare => bare(&order),
        _ => Refusal::new("Linux kernel", &"namespaces and seccomp exist only there"),
    }
}

fn bare(order: &Order) -> Refusal {
    match limits::set(&order.limits) {
        Ok(()) => execute(order, &["limits"]),
        Err(refusal) => refusal,
    }
}

/// Says that all is set, and becomes the interpreter.
fn execute(order: &Order, layers: &[&str]) -> Refusal {
    let names = serde_json::to_string(layers).expect("strings are JSON");
    announce(&format!("{READY}{names}\n"));
    let error = Command::new(&order.program)
        .args(&order.arguments)
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

/// Writes one line to standard error. If nobody reads it, nobody needs it.
fn announce(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}

//! One program from beginning to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::SandboxError;
use crate::process::{Confined, code_or_signal, wait_for_any};
use crate::sandbox::Sandbox;

/// How long a launcher may take until the interpreter starts. Long: a machine may be busy.
pub(crate) const STARTING: Duration = Duration::from_mins(1);
/// How much of what was printed to standard error is kept, in bytes.
const TAIL: usize = 4 << 10;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code. Nothing is proved by it: a program may say 0 at any time.
    Exited(i32),
    /// After the wall time it had.
    TimedOut,
    /// After the CPU time it had.
    CpuExceeded,
    /// By an exception for want of memory.
    MemoryExceeded,
    /// After printing more than it may.
    OutputExceeded,
    /// By this signal, its own or the kernel's.
    Killed(i32),
    /// Because the caller asked for it.
    Stopped,
}

/// What is known of a program that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub ending: Ending,
    /// What it printed to standard output.
    pub output: Vec<u8>,
    /// The last 4 KiB of what it printed to standard error.
    pub errors: Vec<u8>,
}

impl Sandbox {
    /// Runs a program by itself, without input, until it ends or is stopped.
    ///
    /// When this returns, nothing of the program is left: no process, no file. Without protection
    /// that holds only for processes that did not leave their group.
    ///
    /// # Errors
    ///
    /// What the machine did, never what the program did.
    pub fn run(&self, program: &str, stop: &AtomicBool) -> Result<Run, SandboxError> {
        self.run_and_look(program, stop).map(|(run, _)| run)
    }

    /// [`run`](Self::run), and the layers that were active.
    pub(crate) fn run_and_look(
        &self,
        program: &str,
        stop: &AtomicBool,
    ) -> Result<(Run, Vec<String>), SandboxError> {
        let mut process = self.start(include_str!("python/once.py").to_owned())?;
        process.send_all(program.as_bytes());
        let started = Instant::now();
        let mut deadline = None;
        let ending = loop {
            process.pump()?;
            if process.layers.is_some() && deadline.is_none() {
                deadline = Some(Instant::now() + self.limits().wall);
            }
            let printed = process.output.len() + process.errors.len();
            if u64::try_from(printed).is_ok_and(|printed| printed > self.limits().output) {
                break Ending::OutputExceeded;
            }
            if let Some(status) = process.ended() {
                break ending(code_or_signal(status), &process);
            }
            if stop.load(Ordering::Relaxed) {
                break Ending::Stopped;
            }
            let until = deadline.unwrap_or(started + STARTING);
            if Instant::now() >= until {
                if deadline.is_none() {
                    return Err(self.never_started());
                }
                break Ending::TimedOut;
            }
            wait_for_any(&[&process], until)?;
        };
        let output = std::mem::take(&mut process.output);
        let errors = process.errors[process.errors.len().saturating_sub(TAIL)..].to_vec();
        Ok((Run { ending, output, errors }, process.layers.clone().unwrap_or_default()))
    }

    pub(crate) fn never_started(&self) -> SandboxError {
        let found = format!("it was not ready after {} s", STARTING.as_secs());
        SandboxError::BadLauncher { launcher: self.launcher().to_owned(), found }
    }
}

fn ending(ended: Result<i32, i32>, process: &Confined) -> Ending {
    let last = process.errors.trim_ascii_end().rsplit(|&byte| byte == b'\n').next();
    match ended {
        Err(SIGXCPU) => Ending::CpuExceeded,
        Err(signal) => Ending::Killed(signal),
        Ok(1) if last.is_some_and(|last| last.starts_with(b"MemoryError")) => {
            Ending::MemoryExceeded
        }
        Ok(code) => Ending::Exited(code),
    }
}

/// What the kernel sends to a process that has used up its CPU time; the number on Linux and
/// macOS.
pub(crate) const SIGXCPU: i32 = 24;

//! Runs one program to its end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::SandboxError;
use crate::process::{Confined, code_or_signal, wait_for_any};
use crate::sandbox::Sandbox;

/// Time for a launcher to start the interpreter; long, because the machine may be busy.
pub(crate) const STARTING: Duration = Duration::from_mins(1);
/// Bytes of standard error that are kept.
const TAIL: usize = 4 << 10;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this code. A code of 0 proves nothing: a program can exit at any time.
    Exited(i32),
    /// It exceeded the limit of wall time.
    TimedOut,
    /// It exceeded the limit of CPU time.
    CpuExceeded,
    /// It raised `MemoryError`.
    MemoryExceeded,
    /// It exceeded the limit of output.
    OutputExceeded,
    /// It was ended by this signal.
    Killed(i32),
    /// The caller stopped it.
    Stopped,
}

/// The result of running a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub exit: Exit,
    /// Standard output.
    pub output: Vec<u8>,
    /// The last 4 KiB of standard error.
    pub errors: Vec<u8>,
}

impl Sandbox {
    /// Runs a program without input until it ends or is stopped.
    ///
    /// Afterwards no process and no file of the program is left. Without protection this holds only
    /// for processes that stayed in their process group.
    ///
    /// # Errors
    ///
    /// If the machine fails. A program cannot cause an error.
    pub fn run(&self, program: &str, stop: &AtomicBool) -> Result<Run, SandboxError> {
        self.run_and_look(program, stop).map(|(run, _)| run)
    }

    /// [`run`](Self::run), and the layers that were active.
    pub(crate) fn run_and_look(
        &self,
        program: &str,
        stop: &AtomicBool,
    ) -> Result<(Run, Vec<String>), SandboxError> {
        let mut process = self.start(include_str!("python/once.py"))?;
        process.send_all(program.as_bytes());
        let started = Instant::now();
        let mut deadline = None;
        let exit = loop {
            process.pump()?;
            if process.layers.is_some() && deadline.is_none() {
                deadline = Some(Instant::now() + self.limits().wall);
            }
            let printed = process.output.len() + process.errors.len();
            if u64::try_from(printed).is_ok_and(|printed| printed > self.limits().output) {
                break Exit::OutputExceeded;
            }
            if let Some(status) = process.ended() {
                break exit(code_or_signal(status), &process);
            }
            if stop.load(Ordering::Relaxed) {
                break Exit::Stopped;
            }
            let until = deadline.unwrap_or(started + STARTING);
            if Instant::now() >= until {
                if deadline.is_none() {
                    return Err(self.never_started());
                }
                break Exit::TimedOut;
            }
            wait_for_any(&[&process], until)?;
        };
        let output = std::mem::take(&mut process.output);
        let errors = process.errors[process.errors.len().saturating_sub(TAIL)..].to_vec();
        Ok((Run { exit, output, errors }, process.layers.clone().unwrap_or_default()))
    }

    pub(crate) fn never_started(&self) -> SandboxError {
        let found = format!("it was not ready after {} s", STARTING.as_secs());
        SandboxError::BadLauncher { launcher: self.launcher().to_owned(), found }
    }
}

fn exit(ended: Result<i32, i32>, process: &Confined) -> Exit {
    let last = process.errors.trim_ascii_end().rsplit(|&byte| byte == b'\n').next();
    match ended {
        Err(SIGXCPU) => Exit::CpuExceeded,
        Err(signal) => Exit::Killed(signal),
        Ok(1) if last.is_some_and(|last| last.starts_with(b"MemoryError")) => Exit::MemoryExceeded,
        Ok(code) => Exit::Exited(code),
    }
}

/// The signal of the kernel to a process that exceeds its CPU time; its number on Linux and macOS.
pub(crate) const SIGXCPU: i32 = 24;

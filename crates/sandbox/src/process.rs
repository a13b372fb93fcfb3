//! A confined process seen from its parent: non-blocking pipes, and a guaranteed end.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

use crate::error::SandboxError;
use crate::launch::{READY, REFUSED, Refusal};
use crate::scratch::{INSIDE, Scratch};

/// The longest wait before checking whether a process has ended; usually its pipes show it earlier.
const TICK: Duration = Duration::from_millis(20);
/// Time for a namespace to end; after that the kernel ends it in the background.
const SHUTDOWN: Duration = Duration::from_secs(10);
/// How much is read at a time, in bytes.
const CHUNK: usize = 16 << 10;

/// A launcher, which becomes the interpreter.
#[derive(Debug)]
pub(crate) struct Confined {
    child: Child,
    launcher: PathBuf,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    unsent: VecDeque<u8>,
    keeps_stdin: bool,
    /// Standard output that was not taken yet.
    pub(crate) output: Vec<u8>,
    /// Standard error after the launcher's line.
    pub(crate) errors: Vec<u8>,
    /// The active layers, once the interpreter has been executed.
    pub(crate) layers: Option<Vec<String>>,
    status: Option<ExitStatus>,
    /// Removed with the process. Only an unprotected process has a folder on the disk.
    scratch: Option<Scratch>,
}

impl Confined {
    /// The program's own folder, as it sees it.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.scratch.as_ref().map_or_else(|| PathBuf::from(INSIDE), Scratch::path)
    }

    /// Starts the launcher in a process group of its own.
    pub(crate) fn start(
        mut command: Command,
        launcher: &Path,
        scratch: Option<Scratch>,
    ) -> Result<Self, SandboxError> {
        let mut child = command
            .process_group(0)
            .spawn()
            .map_err(|source| SandboxError::NoLauncher { launcher: launcher.to_owned(), source })?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // From here on the child is killed on every error, when this value is dropped.
        let confined = Self {
            child,
            launcher: launcher.to_owned(),
            stdin,
            stdout,
            stderr,
            unsent: VecDeque::new(),
            keeps_stdin: false,
            output: Vec::new(),
            errors: Vec::new(),
            layers: None,
            status: None,
            scratch,
        };
        let pipes = [
            confined.stdin.as_ref().map(AsFd::as_fd),
            confined.stdout.as_ref().map(AsFd::as_fd),
            confined.stderr.as_ref().map(AsFd::as_fd),
        ];
        for pipe in pipes.into_iter().flatten() {
            rustix::io::ioctl_fionbio(pipe, true)
                .map_err(|e| failed("set up a pipe to a program", e.into()))?;
        }
        Ok(confined)
    }

    /// Queues bytes for standard input, which is closed after them.
    pub(crate) fn send_all(&mut self, bytes: &[u8]) {
        self.unsent.extend(bytes);
    }

    /// Queues bytes for standard input, which stays open.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.keeps_stdin = true;
        self.unsent.extend(bytes);
    }

    /// Its exit status, if it has ended and all its output has been read.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Writes queued input and reads available output, without waiting.
    ///
    /// # Errors
    ///
    /// If the launcher refused, or ended without its first line.
    pub(crate) fn pump(&mut self) -> Result<(), SandboxError> {
        self.write();
        let ended = match self.status {
            None => self.look_for_the_end().map_err(|e| failed("wait for a program", e))?,
            ended => ended,
        };
        read(&mut self.stdout, &mut self.output);
        read(&mut self.stderr, &mut self.errors);
        if self.layers.is_none() {
            self.look_for_the_first_line(ended)?;
        }
        self.status = ended;
        Ok(())
    }

    fn look_for_the_first_line(&mut self, ended: Option<ExitStatus>) -> Result<(), SandboxError> {
        let bad = |launcher: &Path, found| {
            Err(SandboxError::BadLauncher { launcher: launcher.to_owned(), found })
        };
        let Some(end) = self.errors.iter().position(|&byte| byte == b'\n') else {
            return match ended {
                Some(status) => bad(&self.launcher, format!("it said nothing, {status}")),
                None => Ok(()),
            };
        };
        let line: Vec<u8> = self.errors.drain(..=end).collect();
        let line = String::from_utf8_lossy(&line);
        if let Some(layers) = line.strip_prefix(READY) {
            self.layers = serde_json::from_str(layers).ok();
        } else if let Some(refusal) = line.strip_prefix(REFUSED)
            && let Ok(Refusal { layer, reason }) = serde_json::from_str(refusal)
        {
            return Err(SandboxError::Refused { layer, reason });
        }
        match self.layers {
            Some(_) => Ok(()),
            None => bad(&self.launcher, format!("it said `{}`", line.trim_end())),
        }
    }

    fn write(&mut self) {
        while let Some(pipe) = &mut self.stdin {
            let (bytes, _) = self.unsent.as_slices();
            if bytes.is_empty() {
                if !self.keeps_stdin {
                    self.stdin = None;
                }
                return;
            }
            match pipe.write(bytes) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // It has closed its input, which is allowed.
                Err(_) => self.stdin = None,
            }
        }
    }

    /// The pipes to wait for, with the events.
    fn waits_for(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let writes = self.stdin.as_ref().filter(|_| !self.unsent.is_empty() || !self.keeps_stdin);
        let mut waits = Vec::new();
        waits.extend(writes.map(|pipe| (pipe.as_fd(), PollFlags::OUT)));
        waits.extend(self.stdout.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)));
        waits.extend(self.stderr.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)));
        waits
    }

    /// Drops all but the last `most` bytes of standard error.
    pub(crate) fn keep_errors(&mut self, most: usize) {
        if self.layers.is_some() {
            drop(self.errors.drain(..self.errors.len().saturating_sub(most)));
        }
    }

    /// Takes the first line of standard output, if it is complete.
    pub(crate) fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.output.iter().position(|&byte| byte == b'\n')?;
        Some(self.output.drain(..=end).collect())
    }

    /// Its status if it has ended. The rest of its process group is then killed.
    fn look_for_the_end(&mut self) -> io::Result<Option<ExitStatus>> {
        if has_ended(Pid::from_child(&self.child))? { self.kill().map(Some) } else { Ok(None) }
    }

    /// Kills it and all that it started, and waits for its end.
    fn kill(&mut self) -> io::Result<ExitStatus> {
        // Its id is not reused before it has been waited for.
        let child = Pid::from_child(&self.child);
        if self.scratch.is_none() {
            end_namespace(child)?;
        }
        let _ = kill_process_group(child, Signal::KILL);
        self.child.wait()
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = self.kill();
        }
    }
}

/// Waits for an event of one of `processes`, at most until `deadline` or [`TICK`].
pub(crate) fn wait_for_any(processes: &[&Confined], deadline: Instant) -> Result<(), SandboxError> {
    let waits: Vec<_> = processes.iter().flat_map(|process| process.waits_for()).collect();
    let mut fds: Vec<_> = waits.iter().map(|(fd, flags)| PollFd::new(fd, *flags)).collect();
    let time = deadline.saturating_duration_since(Instant::now()).min(TICK);
    let time = Timespec { tv_sec: 0, tv_nsec: time.subsec_nanos().into() };
    match poll(&mut fds, Some(&time)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(failed("wait for a program", error.into())),
    }
}

/// Tells the launcher to end the namespace, and waits until it is empty. If the launcher were
/// killed instead, the kernel would end the namespace a moment later.
fn end_namespace(launcher: Pid) -> io::Result<()> {
    let _ = kill_process(launcher, Signal::TERM);
    let told = Instant::now();
    while !has_ended(launcher)? && told.elapsed() < SHUTDOWN {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Whether a child has ended; it is not reaped.
fn has_ended(child: Pid) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(child), options)?.is_some())
}

/// The exit code (`Ok`) or signal (`Err`) from the status of a launcher, which exits like a shell.
pub(crate) fn code_or_signal(status: ExitStatus) -> Result<i32, i32> {
    match (status.code(), status.signal()) {
        (_, Some(signal)) => Err(signal),
        (Some(code @ 129..=192), _) => Err(code - 128),
        (code, _) => Ok(code.unwrap_or(-1)),
    }
}

/// Reads available output, at most 32 chunks, so that an endless writer cannot block the caller.
fn read(pipe: &mut Option<impl Read>, into: &mut Vec<u8>) {
    let mut chunk = [0; CHUNK];
    for _ in 0..32 {
        let Some(open) = pipe else { return };
        match open.read(&mut chunk) {
            Ok(0) => *pipe = None,
            Ok(count) => into.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => *pipe = None,
        }
    }
}

fn failed(action: &'static str, source: io::Error) -> SandboxError {
    SandboxError::Io { action, source }
}

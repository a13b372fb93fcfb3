//! A confined process as its parent sees it: pipes that never block, and an end that is certain.

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
use crate::scratch::Scratch;

/// The longest wait before looking whether a process has ended: its pipes usually say so.
const TICK: Duration = Duration::from_millis(20);
/// How long a namespace may take to end before it is left to the kernel.
const ENDING: Duration = Duration::from_secs(10);
/// How much is read at a time, in bytes.
const CHUNK: usize = 16 << 10;

/// A launcher, and what it became.
#[derive(Debug)]
pub(crate) struct Confined {
    child: Child,
    launcher: PathBuf,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    unsent: VecDeque<u8>,
    keeps_stdin: bool,
    /// Standard output that nobody has taken yet.
    pub(crate) output: Vec<u8>,
    /// Standard error after the launcher's line.
    pub(crate) errors: Vec<u8>,
    /// The active layers, once the interpreter has been executed.
    pub(crate) layers: Option<Vec<String>>,
    status: Option<ExitStatus>,
    /// Removed with the process. Only a bare one has a folder on the disk.
    scratch: Option<Scratch>,
}

impl Confined {
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
        // From here on, whatever fails, the child is killed when this is dropped.
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

    /// Queues bytes for standard input, which is closed when all are written.
    pub(crate) fn send_all(&mut self, bytes: &[u8]) {
        self.unsent.extend(bytes);
    }

    /// Queues bytes for standard input, which stays open.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.keeps_stdin = true;
        self.unsent.extend(bytes);
    }

    /// How it ended, if it did and all it wrote has been read.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Writes what is queued and reads what has come, without waiting.
    ///
    /// # Errors
    ///
    /// If the launcher refused, or ended without a word.
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
                // It does not listen any more, which is its own affair.
                Err(_) => self.stdin = None,
            }
        }
    }

    /// The pipes on which something can happen, with what.
    fn waits_for(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let writes = self.stdin.as_ref().filter(|_| !self.unsent.is_empty() || !self.keeps_stdin);
        let mut waits = Vec::new();
        waits.extend(writes.map(|pipe| (pipe.as_fd(), PollFlags::OUT)));
        waits.extend(self.stdout.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)));
        waits.extend(self.stderr.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)));
        waits
    }

    /// Takes the first line of what it wrote to standard output, if it is whole.
    pub(crate) fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.output.iter().position(|&byte| byte == b'\n')?;
        Some(self.output.drain(..=end).collect())
    }

    /// Its status if it has ended. What is left of its group ends with it.
    fn look_for_the_end(&mut self) -> io::Result<Option<ExitStatus>> {
        if has_ended(Pid::from_child(&self.child))? { self.kill().map(Some) } else { Ok(None) }
    }

    /// Kills it and all that it started, and waits for the end.
    fn kill(&mut self) -> io::Result<ExitStatus> {
        // Until it has been waited for, its number is nobody else's.
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

/// Waits until something happens to any of `processes`, or until `deadline`.
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

/// Tells the launcher to end the namespace, and waits until it is empty. Killed itself, the
/// launcher would leave that to the kernel, which takes a moment.
fn end_namespace(launcher: Pid) -> io::Result<()> {
    let _ = kill_process(launcher, Signal::TERM);
    let told = Instant::now();
    while !has_ended(launcher)? && told.elapsed() < ENDING {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Whether a child has ended. It stays to be waited for.
fn has_ended(child: Pid) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(child), options)?.is_some())
}

/// How a launcher ended that ends as a shell does.
pub(crate) fn code_or_signal(status: ExitStatus) -> Result<i32, i32> {
    match (status.code(), status.signal()) {
        (_, Some(signal)) => Err(signal),
        (Some(code @ 129..=192), _) => Err(code - 128),
        (code, _) => Ok(code.unwrap_or(-1)),
    }
}

/// Reads what is there, at most a few chunks so that nobody waits for an endless writer.
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

//! A child process that is spoken to through pipes, and that ends when we do.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::spawn;
use std::time::{Duration, Instant};

/// Bytes read at a time.
const CHUNK: usize = 1 << 16;
/// Chunks that wait to be looked at; then the worker waits.
const WAITING: usize = 16;
/// Bytes kept of the end of standard error.
const TAIL: usize = 4096;
/// Lines of it that are shown.
const LINES: usize = 10;
/// How often it is looked whether to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a child that closed its output may take to exit by itself.
const EXIT_WAIT: Duration = Duration::from_secs(2);

enum Event {
    Stdout(Vec<u8>),
    Stderr,
    StdoutEnd,
    StderrEnd,
}

/// Why nothing came.
pub(super) enum Silence {
    /// It ended or closed its output; its status, if it has ended.
    Ended(Option<ExitStatus>),
    /// Nothing on either output within the limit.
    Hangs,
    /// We are told to stop.
    Stopped,
}

#[derive(Debug)]
pub(super) struct Process<'a> {
    child: Child,
    guard: Child,
    messages: Sender<Vec<u8>>,
    events: Receiver<Event>,
    /// What has come and was not asked for yet.
    pending: Vec<u8>,
    tail: Arc<Mutex<Vec<u8>>>,
    patience: Duration,
    /// Set to wait no longer.
    stop: &'a AtomicBool,
}

impl<'a> Process<'a> {
    /// Starts a child in a process group of its own.
    ///
    /// # Guarantees
    ///
    /// Its whole group is killed when this is dropped, and when this process ends in any other way.
    ///
    /// # Errors
    ///
    /// If it, or the shell that guards it, cannot be started.
    pub(super) fn start(
        mut command: Command,
        patience: Duration,
        stop: &'a AtomicBool,
    ) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn()?;
        let guard = match guard(child.id()) {
            Ok(guard) => guard,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (messages, to_write) = channel();
        let (sender, events) = sync_channel(WAITING);
        let tail = Arc::new(Mutex::new(Vec::new()));
        let (of_stdout, kept) = (sender.clone(), Arc::clone(&tail));
        // Threads end with the pipes of the child, which end with the child.
        spawn(move || write(stdin.expect("piped"), &to_write));
        spawn(move || read_stdout(stdout.expect("piped"), &of_stdout));
        spawn(move || read_stderr(stderr.expect("piped"), &sender, &kept));
        Ok(Self { child, guard, messages, events, pending: Vec::new(), tail, patience, stop })
    }

    /// Sends bytes, without waiting for the child to read them. If it does not, nothing will come
    /// from it either, and that is noticed.
    pub(super) fn send(&self, message: Vec<u8>) {
        let _ = self.messages.send(message);
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    ///
    /// [`Silence`] if they do not come; what has come stays [pending](Self::pending).
    pub(super) fn receive(&mut self, count: usize) -> Result<Vec<u8>, Silence> {
        let mut heard = Instant::now();
        while self.pending.len() < count {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Silence::Stopped);
            }
            let event = self.events.recv_timeout(LOOK_EVERY.min(self.patience));
            if event.is_ok() {
                heard = Instant::now();
            }
            match event {
                Ok(Event::Stdout(bytes)) => self.pending.extend(bytes),
                Ok(Event::Stderr | Event::StderrEnd) => {}
                Err(RecvTimeoutError::Timeout) if heard.elapsed() < self.patience => {}
                Ok(Event::StdoutEnd) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Silence::Ended(self.ended()));
                }
                Err(RecvTimeoutError::Timeout) => return Err(Silence::Hangs),
            }
        }
        let rest = self.pending.split_off(count);
        Ok(std::mem::replace(&mut self.pending, rest))
    }

    /// How long it may be silent.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// What has come of bytes that were asked for in vain.
    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// The end of its standard error, a few lines, each indented.
    pub(super) fn last_lines(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&tail);
        // A progress bar writes over its line.
        let lines: Vec<&str> =
            text.split(['\n', '\r']).map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(LINES)..];
        last.iter().flat_map(|line| ["\n  ", line]).collect()
    }

    /// Waits a little for a child that closed its output, so that its last words are events.
    fn ended(&mut self) -> Option<ExitStatus> {
        while let Ok(event) = self.events.recv_timeout(EXIT_WAIT) {
            if matches!(event, Event::StderrEnd) {
                break;
            }
        }
        let short = Duration::from_millis(10);
        for _ in 0..EXIT_WAIT.as_millis() / short.as_millis() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(short);
        }
        None
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        // The guard kills the group as its input ends. The child is waited for after that: until
        // then its number belongs to no other process.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell that waits for the end of its input, which comes when we end however we do, and kills
/// the group. It is in a group of its own, so that no key typed at a terminal ends it before.
fn guard(group: u32) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", "read line; kill -s KILL -- \"-$0\"", &group.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

fn write(mut input: ChildStdin, messages: &Receiver<Vec<u8>>) {
    for message in messages {
        if input.write_all(&message).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

fn read_stdout(mut stdout: ChildStdout, events: &SyncSender<Event>) {
    let mut chunk = vec![0; CHUNK];
    while let Some(count) = count_of(stdout.read(&mut chunk)) {
        if events.send(Event::Stdout(chunk[..count].to_vec())).is_err() {
            return;
        }
    }
    let _ = events.send(Event::StdoutEnd);
}

fn read_stderr(mut stderr: ChildStderr, events: &SyncSender<Event>, kept: &Mutex<Vec<u8>>) {
    let mut chunk = vec![0; CHUNK];
    while let Some(count) = count_of(stderr.read(&mut chunk)) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&chunk[..count]);
        let old = kept.len().saturating_sub(TAIL);
        kept.drain(..old);
        drop(kept);
        // A full channel shows progress already.
        let _ = events.try_send(Event::Stderr);
    }
    let _ = events.send(Event::StderrEnd);
}

/// Bytes read; none at the end and after an error, which ends a pipe as well.
fn count_of(read: io::Result<usize>) -> Option<usize> {
    match read {
        Ok(0) => None,
        Ok(count) => Some(count),
        Err(error) if error.kind() == ErrorKind::Interrupted => Some(0),
        Err(_) => None,
    }
}

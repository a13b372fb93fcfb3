//! The command itself: started, signalled, and never left behind.
//!
//! It gets a process group of its own, so that a Ctrl-C in the terminal reaches us alone and so
//! that all it started can be ended with it. A watcher, a shell that waits for its input to end,
//! ends the group should this process be killed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sparkjoy_base::FileError;
use sparkjoy_spec::{Observer, Signal as ToDo};

use super::EngineError;
use crate::TrainError;

/// What in the arguments becomes the path of the job file.
const JOB: &str = "{job}";
/// How much of what it printed is quoted.
const SAID_BYTES_MAX: u64 = 2048;

pub(super) struct Trainer {
    child: Child,
    group: Pid,
    watcher: Child,
}

impl Trainer {
    /// Starts the command; what it prints goes into `log`.
    pub(super) fn start(argv: &[String], job: &str, log: &Path) -> Result<Self, TrainError> {
        let Some((program, arguments)) =
            argv.split_first().filter(|_| argv.iter().any(|argument| argument.contains(JOB)))
        else {
            return Err(EngineError::Command { found: format!("{argv:?}") }.into());
        };
        let out = File::create(log).map_err(FileError::at("create", log))?;
        let both = out.try_clone().map_err(FileError::at("open", log))?;
        let failed =
            |source| TrainError::from(EngineError::Start { program: program.clone(), source });
        let mut child = Command::new(program)
            .args(arguments.iter().map(|argument| argument.replace(JOB, job)))
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(both)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let group = Pid::from_child(&child);
        let watcher = Command::new("sh")
            .args(["-c", "cat; kill -s KILL -- \"-$0\""])
            .arg(group.as_raw_nonzero().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watcher {
            Ok(watcher) => Ok(Self { child, group, watcher }),
            Err(source) => {
                end_group(group);
                let _ = child.wait();
                Err(failed(source))
            }
        }
    }

    /// Asks for a checkpoint: the line `save` on its input. Who does not read it is not asked.
    pub(super) fn ask_to_save(&mut self) {
        if let Some(input) = &mut self.child.stdin {
            // A command that closed its input saves when it wants to.
            let _ = input.write_all(b"save\n");
        }
    }

    /// Asks to save and to end: SIGTERM, to the command and not to what it started.
    pub(super) fn ask_to_stop(&self) {
        // It may have ended just now, which is what is asked for.
        let _ = kill_process(self.group, Signal::TERM);
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for it to end by itself for at most `grace`, and not once we are to stop.
    pub(super) fn wait(&mut self, grace: Duration, observer: &mut dyn Observer) {
        let began = Instant::now();
        while self.ended().is_none() && began.elapsed() < grace && observer.waiting() != ToDo::Stop
        {
            thread::sleep(super::PAUSE);
        }
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        // The watcher first: it must not signal a group that has ended and whose number is free.
        let _ = self.watcher.kill();
        let _ = self.watcher.wait();
        end_group(self.group);
        let _ = self.child.wait();
    }
}

/// Ends a command and all it started. Nothing is left to end if it ended by itself.
fn end_group(group: Pid) {
    let _ = kill_process_group(group, Signal::KILL);
}

pub(super) fn last_lines(log: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(SAID_BYTES_MAX)))?;
        file.take(SAID_BYTES_MAX).read_to_end(&mut text)
    });
    // A log that cannot be read has nothing to quote; the error names it all the same.
    if read.is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&text);
    let printable = |c: &char| !c.is_control() || *c == '\n';
    let lines: Vec<String> =
        text.lines().map(|line| line.chars().filter(printable).collect()).collect();
    lines[lines.len().saturating_sub(6)..].join("\n")
}

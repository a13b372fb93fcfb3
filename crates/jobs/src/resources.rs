//! What trains and scores, and with how much of this machine.

use std::path::PathBuf;
use std::time::Duration;

use sparkjoy_eval::{Interpreter, Limits, Protection, Sandbox, SandboxError};

/// What trains and scores. None of it is in a fingerprint.
#[derive(Clone, Debug)]
pub struct Resources {
    /// Threads.
    pub threads: usize,
    /// Whether training keeps only the input of each block for the backward pass and computes the
    /// rest again: less memory, more time.
    pub recompute: bool,
    /// How much training a kill may cost: a checkpoint is saved when this much time has passed.
    /// Where saving itself takes long (a large model), it is done more rarely, so that it takes at
    /// most a twentieth of the time.
    pub save_every: Duration,
    /// How programs that a model writes are run.
    pub programs: Programs,
    /// The command that trains, with `{job}` in one of its arguments: `docs/engines.md`. Without
    /// it, this program trains.
    pub engine: Option<Vec<String>>,
    /// Whether branches may be compared that different engines have trained.
    pub mixed_engines: bool,
    /// The command that computes the models to be scored, with `{model}` in one of its arguments:
    /// `docs/engines.md`. Without it, this program computes them.
    pub worker: Option<Vec<String>>,
}

impl Resources {
    /// This program with so many threads, all else as usual.
    pub fn new(threads: usize) -> Self {
        Self {
            threads,
            recompute: false,
            save_every: Duration::from_secs(15),
            programs: Programs::run_by(false),
            engine: None,
            mixed_engines: false,
            worker: None,
        }
    }
}

/// How programs that a model writes are run.
#[derive(Clone, Debug)]
pub struct Programs {
    protection: Protection,
    /// The program that confines: this one.
    launcher: Option<PathBuf>,
}

impl Programs {
    /// By this program, which must hand over to [`sparkjoy_eval::confined`] when it is started with
    /// [`sparkjoy_eval::HIDDEN_ARGUMENT`].
    ///
    /// - `unprotected`: without a sandbox, for machines that may be lost.
    pub fn run_by(unprotected: bool) -> Self {
        let protection = if unprotected { Protection::None } else { Protection::Full };
        Self { protection, launcher: std::env::current_exe().ok() }
    }

    /// The sandbox they run in, tried once.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] with the layer this machine lacks, or without an interpreter.
    pub fn sandbox(&self) -> Result<Sandbox, SandboxError> {
        let interpreter = Interpreter::find("python3")?;
        let launcher = self.launcher.clone().unwrap_or_default();
        Sandbox::new(interpreter, launcher, self.protection, Limits::HUMAN_EVAL)
    }
}

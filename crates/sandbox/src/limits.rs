//! Resource limits of a confined program.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Resource limits of a confined program; it is stopped if it exceeds one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time of a plain run, counted from the moment the interpreter is started.
    pub wall: Duration,
    /// CPU time of each process, in whole seconds; the kernel counts it per process.
    pub cpu_seconds: u64,
    /// Address space of each process, in bytes.
    pub memory: u64,
    /// Processes and threads at one time.
    pub processes: u64,
    /// Output, standard output and standard error together, in bytes.
    pub output: u64,
    /// The largest file, in bytes.
    pub file: u64,
    /// All files of the scratch folder together, in bytes. Only a protected run has this limit.
    pub scratch: u64,
}

impl Limits {
    /// Limits for HumanEval: more than any solution needs, and so low that two hostile programs at
    /// a time do not disturb a laptop.
    pub const HUMAN_EVAL: Self = Self {
        wall: Duration::from_secs(10),
        cpu_seconds: 10,
        memory: 512 << 20,
        processes: 8,
        output: 1 << 20,
        file: 16 << 20,
        scratch: 32 << 20,
    };

    /// Upper bound of the memory of all processes and files of one run, in bytes. It follows from
    /// the other limits; the sum itself has no limit.
    pub fn memory_bound(&self) -> u64 {
        self.memory * self.processes + self.scratch
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::HUMAN_EVAL
    }
}

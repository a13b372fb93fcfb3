//! Runs untrusted Python programs, the completions of language models, and judges them.
//!
//! # Threat model
//!
//! The program is written by an adversary who knows this code. The adversary wants to harm the
//! machine, to read its data, or to pass without a correct program.
//!
//! - **Files.** The program has its own root in memory: the interpreter and its libraries,
//!   read-only, and a scratch folder. Landlock enforces the same again.
//! - **The network.** A network namespace without any device, no `socket` system call, and
//!   Landlock for TCP.
//! - **Other processes.** A process namespace, no tracing, and Landlock for signals.
//! - **Persistence.** When the first process of the namespace ends, the kernel kills
//!   the others. All files were in memory; there are no keys, queues or shared memory.
//! - **New privileges.** No capabilities, no set-user-id files, no new privileges, and a user who
//!   is not root seen from outside.
//! - **The kernel.** About 140 system calls exist, the others do not.
//! - **Denial of service.** CPU time, memory, processes, files, output and wall time have
//!   limits.
//! - **Secrets of the parent.** A cleared environment, no `/proc`, no inherited file, another name
//!   of the host, no core dump.
//! - **Other programs.** No locks, which would be felt in other sandboxes. Between two cases of one
//!   program, its processes are killed and its files removed.
//! - **False passes.** The expected answers are in another sandbox, which compares plain data. No
//!   test can catch the end of a program.
//!
//! Landlock is used if the kernel has it. All other layers are required: if one is not available,
//! [`Sandbox::new`] refuses and names it.
//!
//! # Not covered
//!
//! - A vulnerability of the kernel in one of the allowed system calls.
//! - Timing: a program can measure how busy the machine is.
//! - The sum of memory. Each process is limited, and so is their number; the sum is bounded by
//!   [`Limits::memory_bound`] only. CPU time is bounded by wall time times cores.
//! - A program that has memorised the expected answers. It sees the inputs, never the answers.
//! - The interpreter and the problem file of the user are trusted. The code of a problem still runs
//!   confined.
//! - [`Protection::None`], which has only limits, a scratch folder and a time limit: a program that
//!   knows this code can then pass without being correct.

mod check;
mod error;
mod interpreter;
mod launch;
mod limits;
mod pool;
mod process;
mod run;
mod sandbox;
mod scratch;

pub use check::{Problem, ProgramVerdict, Rule, check_program};
pub use error::SandboxError;
pub use interpreter::Interpreter;
pub use launch::{HIDDEN_ARGUMENT, confined};
pub use limits::Limits;
pub use pool::in_order;
pub use run::{Exit, Run};
pub use sandbox::{Probe, Protection, Sandbox};

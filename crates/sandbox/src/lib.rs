//! Runs untrusted Python programs, the completions of language models, and says how they ended.
//!
//! # What is defended
//!
//! The program is written by an adversary who knows this code and wants to harm the machine, to
//! learn something of it, or to be judged right without being right.
//!
//! - **Files.** The program has a root of its own, in memory: the interpreter and its libraries,
//!   read-only, and a scratch folder. Landlock says the same once more.
//! - **The network.** A network namespace without any device, no `socket` system call, and
//!   Landlock for TCP.
//! - **Other processes.** A process namespace, no tracing, and Landlock for signals.
//! - **Leaving something behind.** When the first process of the namespace ends, the kernel kills
//!   the others. All files were in memory; there are no keys, queues or shared memory.
//! - **New privileges.** No capabilities, no set-user-id files, no new privileges, and a user who
//!   is not root seen from outside.
//! - **The kernel.** About 140 system calls exist, the others do not.
//! - **Using up the machine.** CPU time, memory, processes, files, output and wall time have
//!   limits.
//! - **Secrets of the parent.** A cleared environment, no `/proc`, no inherited file.
//! - **A false pass.** The expected answers are in another sandbox, which compares plain data.
//!
//! Landlock is used where the kernel has it. Everything else is required: where the machine cannot
//! give it, [`Sandbox::new`] refuses and names the layer.
//!
//! # What is not
//!
//! - A hole in the kernel, in one of the system calls that are left.
//! - Timing: a program can measure how busy the machine is.
//! - The sum of memory. Each process is limited, and so is their number; the sum is bounded by
//!   [`Limits::memory_bound`], nothing less. CPU time is bounded by wall time times cores.
//! - A program that has learned the expected answers by heart. Its inputs are shown to it, the
//!   answers never.
//! - The user's own interpreter and problem file are trusted to be what they are; still, the
//!   problem's code only ever runs confined too.
//! - [`Protection::None`], which keeps limits, a scratch folder and the time, and nothing else:
//!   nothing then hinders a program that knows this code from being judged right.

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

pub use check::{Problem, Rule, Verdict, check_program};
pub use error::SandboxError;
pub use interpreter::Interpreter;
pub use launch::{HIDDEN_ARGUMENT, confined};
pub use limits::Limits;
pub use pool::in_order;
pub use run::{Ending, Run};
pub use sandbox::{Probe, Protection, Sandbox};

//! Runs untrusted Python programs, the completions of language models, and says how they ended.
//!
//! # What is defended
//!
//! The program is written by an adversary who knows this code and wants to harm the machine, to
//! learn something of it, or to be judged right without being right.
//!
//! | against | first layer | second layer |
//! |---|---|---|
//! | reading and writing files | a root of its own, in memory, with the interpreter, its libraries (read-only) and a scratch folder | Landlock |
//! | the network | a network namespace without any device | no `socket` system call; Landlock (TCP) |
//! | signals to, and tracing of others | a process namespace | no `ptrace`; Landlock (signals) |
//! | leaving something behind | the namespace's first process ends, the kernel kills the rest; all files are in memory | IPC namespace; no shared memory calls |
//! | new privileges | no new privileges, no capabilities, no set-user-id files | a user who is root neither inside nor outside |
//! | the kernel | a list of about 130 system calls; the others do not exist | |
//! | using up the machine | limits on CPU time, memory, processes, files, output | wall time |
//! | seeing the parent's secrets | a cleared environment, no `/proc`, no inherited file | |
//! | a false pass | the expected answers are in another sandbox, which compares plain data | |
//!
//! All first layers, limits and system calls are required: where the machine cannot give one,
//! [`Sandbox::new`] refuses and names it. Landlock is used where the kernel has it.
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

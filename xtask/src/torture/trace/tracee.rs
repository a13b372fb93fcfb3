//! The process that becomes the program: traced, and stopped at system calls that change a disk.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::libc as c;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use crate::command::Failed;

/// System calls that may change a disk.
const CALLS: [c::c_long; 22] = [
    c::SYS_write,
    c::SYS_pwrite64,
    c::SYS_writev,
    c::SYS_copy_file_range,
    c::SYS_sendfile,
    c::SYS_fallocate,
    c::SYS_rename,
    c::SYS_renameat,
    c::SYS_renameat2,
    c::SYS_link,
    c::SYS_linkat,
    c::SYS_fsync,
    c::SYS_fdatasync,
    c::SYS_ftruncate,
    c::SYS_unlink,
    c::SYS_unlinkat,
    c::SYS_rmdir,
    c::SYS_mkdir,
    c::SYS_mkdirat,
    c::SYS_open,
    c::SYS_openat,
    c::SYS_creat,
];

/// Becomes a program that its parent traces.
pub(super) fn become_traced(program: &[&str]) -> Result<ExitCode, Failed> {
    let [name, arguments @ ..] = program else { return Err(Failed("no program".to_owned())) };
    let failed = |e: &dyn std::fmt::Display| Failed(format!("cannot be traced: {e}"));
    let calls = CALLS.into_iter().map(|call| (call, Vec::new())).collect::<BTreeMap<_, _>>();
    let (others, stops) = (SeccompAction::Allow, SeccompAction::Trace(0));
    let filter = SeccompFilter::new(calls, others, stops, TargetArch::x86_64);
    let filter = filter.map_err(|e| failed(&e))?;
    let filter: BpfProgram =
        filter.try_into().map_err(|e: seccompiler::BackendError| failed(&e))?;
    ptrace::traceme().map_err(|e| failed(&e))?;
    // Until the tracer has said what it wants to be told.
    raise(Signal::SIGSTOP).map_err(|e| failed(&e))?;
    apply_filter(&filter).map_err(|e| failed(&e))?;
    Err(failed(&Command::new(name).args(arguments).exec()))
}

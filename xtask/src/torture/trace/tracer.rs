//! The tracer: counts the disk operations of one program and disturbs one of them.

use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::errno::Errno;
use nix::libc::{self as c, user_regs_struct};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{Fault, TRACEE};
use crate::command::Failed;

/// Longest path that is read of a program.
const PATH_BYTES: usize = 4096;

/// A program being traced.
struct Tracer<'a> {
    program: Pid,
    fault: Fault,
    nth: usize,
    /// It has become the program: what came before is ours.
    begun: bool,
    count: usize,
    /// What is written to `met`.
    operations: String,
    met: &'a Path,
}

/// What a system call is to a disk.
struct Call {
    kind: &'static str,
    path: String,
    /// How many bytes it writes, where half of them can be written.
    bytes: Option<u64>,
}

/// Runs a program and disturbs its `nth` operation; ends as the program ends.
pub(super) fn trace(
    fault: Fault,
    nth: usize,
    met: &Path,
    program: &[&str],
) -> Result<ExitCode, Failed> {
    let ours = std::env::current_exe().map_err(|e| Failed(format!("cannot find myself: {e}")))?;
    let child = Command::new(ours).arg(TRACEE).args(program).spawn();
    let child = child.map_err(|e| Failed(format!("cannot start the program: {e}")))?;
    let program = Pid::from_raw(child.id().cast_signed());
    let operations = String::new();
    let mut tracer = Tracer { program, fault, nth, begun: false, count: 0, operations, met };
    tracer.follow().map_err(|e| Failed(format!("cannot trace the program: {e}")))
}

impl Tracer<'_> {
    fn follow(&mut self) -> Result<ExitCode, Errno> {
        waitpid(self.program, None)?;
        let told = Options::PTRACE_O_TRACESECCOMP
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(self.program, told)?;
        ptrace::cont(self.program, None)?;
        loop {
            let code = match waitpid(None, Some(WaitPidFlag::__WALL))? {
                WaitStatus::Exited(process, code) if process == self.program => code,
                WaitStatus::Signaled(process, signal, _) if process == self.program => {
                    128 + signal as i32
                }
                status => {
                    // A thread that a kill has ended meanwhile cannot be gone on with.
                    match self.go_on(status) {
                        Ok(()) | Err(Errno::ESRCH) => continue,
                        Err(error) => return Err(error),
                    }
                }
            };
            // Where the program was killed by us, that is no fault of it.
            let _ = fs::write(self.met, &self.operations);
            return Ok(ExitCode::from(code as u8));
        }
    }

    /// Lets a stopped thread go on, disturbed or not.
    fn go_on(&mut self, status: WaitStatus) -> Result<(), Errno> {
        match status {
            WaitStatus::PtraceEvent(process, _, c::PTRACE_EVENT_EXEC) => {
                self.begun = true;
                ptrace::cont(process, None)
            }
            WaitStatus::PtraceEvent(process, _, c::PTRACE_EVENT_SECCOMP) if self.begun => {
                self.stopped(process)
            }
            // Half is written.
            WaitStatus::PtraceSyscall(_) => kill(self.program, Signal::SIGKILL),
            WaitStatus::Stopped(process, Signal::SIGSTOP | Signal::SIGTRAP)
            | WaitStatus::PtraceEvent(process, ..) => ptrace::cont(process, None),
            WaitStatus::Stopped(process, signal) => ptrace::cont(process, signal),
            _ => Ok(()),
        }
    }

    /// A thread is about to make a system call.
    fn stopped(&mut self, process: Pid) -> Result<(), Errno> {
        let mut registers = ptrace::getregs(process)?;
        let Some(call) = call(process, &registers) else { return ptrace::cont(process, None) };
        self.count += 1;
        let is_it = self.fault != Fault::None && self.count == self.nth;
        if self.fault == Fault::None || is_it {
            let _ = writeln!(self.operations, "{} {}", call.kind, call.path.replace('\n', "?"));
        }
        if !is_it {
            return ptrace::cont(process, None);
        }
        match (self.fault, call.bytes) {
            (Fault::Kill, _) => return kill(self.program, Signal::SIGKILL),
            (Fault::Torn | Fault::Short, Some(bytes)) => registers.rdx = bytes / 2,
            (Fault::NoSpace, _) => refuse(&mut registers, c::ENOSPC),
            (Fault::Broken, _) => refuse(&mut registers, c::EIO),
            _ => {}
        }
        ptrace::setregs(process, registers)?;
        match self.fault {
            Fault::Torn => ptrace::syscall(process, None),
            _ => ptrace::cont(process, None),
        }
    }
}

/// Has a call not made and answered with an error.
fn refuse(registers: &mut user_regs_struct, error: i32) {
    registers.orig_rax = u64::MAX;
    registers.rax = i64::from(-error).cast_unsigned();
}

/// What a call is, if it changes a disk and what it changes is not the system's own.
fn call(process: Pid, registers: &user_regs_struct) -> Option<Call> {
    let &user_regs_struct { orig_rax, rdi, rsi, rdx, .. } = registers;
    let (of_file, of_text) = (|at| file(process, at), |at| text(process, at));
    let creates = |flags: u64| flags & (c::O_CREAT | c::O_TRUNC) as u64 != 0;
    let (kind, path, bytes) = match orig_rax.cast_signed() {
        c::SYS_write | c::SYS_pwrite64 => ("write", of_file(rdi)?, (rdx > 1).then_some(rdx)),
        c::SYS_writev | c::SYS_sendfile | c::SYS_fallocate => ("write", of_file(rdi)?, None),
        c::SYS_copy_file_range => ("write", of_file(rdx)?, None),
        c::SYS_rename | c::SYS_link => ("rename", of_text(rdi)?, None),
        c::SYS_renameat | c::SYS_renameat2 | c::SYS_linkat => ("rename", of_text(rsi)?, None),
        c::SYS_fsync | c::SYS_fdatasync => ("fsync", of_file(rdi)?, None),
        c::SYS_ftruncate => ("truncate", of_file(rdi)?, None),
        c::SYS_unlink | c::SYS_rmdir => ("remove", of_text(rdi)?, None),
        c::SYS_unlinkat => ("remove", of_text(rsi)?, None),
        c::SYS_mkdir => ("mkdir", of_text(rdi)?, None),
        c::SYS_mkdirat => ("mkdir", of_text(rsi)?, None),
        c::SYS_creat => ("create", of_text(rdi)?, None),
        c::SYS_open if creates(rsi) => ("create", of_text(rdi)?, None),
        c::SYS_openat if creates(rdx) => ("create", of_text(rsi)?, None),
        _ => return None,
    };
    let is_the_systems = ["/proc", "/sys", "/etc", "/dev/null", "/dev/tty"];
    (!is_the_systems.iter().any(|start| path.starts_with(start))).then_some(Call {
        kind,
        path,
        bytes,
    })
}

/// The path of an open file or folder; none of pipes and terminals.
fn file(process: Pid, descriptor: u64) -> Option<String> {
    let link = format!("/proc/{process}/fd/{}", descriptor as u32);
    let found = fs::metadata(&link).ok()?;
    let path = fs::read_link(link).ok()?.to_string_lossy().into_owned();
    (found.is_file() || found.is_dir()).then_some(path)
}

/// The text at an address of a process, up to its NUL.
fn text(process: Pid, address: u64) -> Option<String> {
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let mut bytes = vec![0; PATH_BYTES];
    let length = memory.read_at(&mut bytes, address).ok()?;
    let text = bytes[..length].split(|&byte| byte == 0).next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}

//! The system calls that a Python program needs to compute; all others are blocked.
//!
//! It is a list of allowed calls, so calls of future kernels are blocked too. A blocked call
//! returns `ENOSYS`, which interpreters and the C library can handle. There is no socket, no
//! namespace, no mount, no tracing, no key, no shared memory segment, no message queue, no user or
//! group change, no lock of a file, no io_uring, no module, no BPF.

use std::collections::BTreeMap;

use libc as c;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::{Layer, Refusal};

/// Allowed with any arguments.
const ALLOWED: &[c::c_long] = &[
    // Files; which ones is decided elsewhere.
    c::SYS_read,
    c::SYS_write,
    c::SYS_readv,
    c::SYS_writev,
    c::SYS_pread64,
    c::SYS_pwrite64,
    c::SYS_openat,
    c::SYS_close,
    c::SYS_close_range,
    c::SYS_fstat,
    c::SYS_newfstatat,
    c::SYS_statx,
    c::SYS_lseek,
    c::SYS_faccessat,
    c::SYS_faccessat2,
    c::SYS_dup,
    c::SYS_dup3,
    c::SYS_pipe2,
    c::SYS_getcwd,
    c::SYS_chdir,
    c::SYS_fchdir,
    c::SYS_mkdirat,
    c::SYS_unlinkat,
    c::SYS_renameat,
    c::SYS_renameat2,
    c::SYS_linkat,
    c::SYS_symlinkat,
    c::SYS_readlinkat,
    c::SYS_truncate,
    c::SYS_ftruncate,
    c::SYS_fallocate,
    c::SYS_fsync,
    c::SYS_fdatasync,
    c::SYS_getdents64,
    c::SYS_umask,
    c::SYS_fchmod,
    c::SYS_fchmodat,
    c::SYS_utimensat,
    c::SYS_statfs,
    c::SYS_fstatfs,
    c::SYS_sendfile,
    c::SYS_copy_file_range,
    // Waiting.
    c::SYS_pselect6,
    c::SYS_ppoll,
    c::SYS_epoll_create1,
    c::SYS_epoll_ctl,
    c::SYS_epoll_pwait,
    c::SYS_eventfd2,
    c::SYS_nanosleep,
    c::SYS_clock_nanosleep,
    c::SYS_sched_yield,
    c::SYS_futex,
    c::SYS_restart_syscall,
    c::SYS_setitimer,
    c::SYS_getitimer,
    // Memory.
    c::SYS_mmap,
    c::SYS_munmap,
    c::SYS_mprotect,
    c::SYS_mremap,
    c::SYS_madvise,
    c::SYS_brk,
    c::SYS_membarrier,
    // Signals; they reach no further than the process namespace.
    c::SYS_rt_sigaction,
    c::SYS_rt_sigprocmask,
    c::SYS_rt_sigreturn,
    c::SYS_rt_sigpending,
    c::SYS_rt_sigtimedwait,
    c::SYS_rt_sigsuspend,
    c::SYS_sigaltstack,
    c::SYS_kill,
    c::SYS_tkill,
    c::SYS_tgkill,
    // Processes; how many is limited elsewhere.
    c::SYS_execve,
    c::SYS_exit,
    c::SYS_exit_group,
    c::SYS_wait4,
    c::SYS_waitid,
    c::SYS_setsid,
    c::SYS_setpgid,
    c::SYS_getpgid,
    c::SYS_getsid,
    c::SYS_set_tid_address,
    c::SYS_set_robust_list,
    c::SYS_get_robust_list,
    c::SYS_rseq,
    // Who and when.
    c::SYS_getpid,
    c::SYS_gettid,
    c::SYS_getppid,
    c::SYS_getuid,
    c::SYS_geteuid,
    c::SYS_getgid,
    c::SYS_getegid,
    c::SYS_getgroups,
    c::SYS_getresuid,
    c::SYS_getresgid,
    c::SYS_uname,
    c::SYS_clock_gettime,
    c::SYS_clock_getres,
    c::SYS_gettimeofday,
    c::SYS_times,
    c::SYS_getrusage,
    c::SYS_sysinfo,
    c::SYS_getcpu,
    c::SYS_getrandom,
    c::SYS_sched_getaffinity,
];

/// Older forms of some of these calls, which newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[c::c_long] = &[
    c::SYS_open,
    c::SYS_creat,
    c::SYS_stat,
    c::SYS_lstat,
    c::SYS_access,
    c::SYS_dup2,
    c::SYS_pipe,
    c::SYS_mkdir,
    c::SYS_rmdir,
    c::SYS_unlink,
    c::SYS_rename,
    c::SYS_link,
    c::SYS_symlink,
    c::SYS_readlink,
    c::SYS_getdents,
    c::SYS_chmod,
    c::SYS_select,
    c::SYS_poll,
    c::SYS_epoll_create,
    c::SYS_epoll_wait,
    c::SYS_fork,
    c::SYS_vfork,
    c::SYS_getpgrp,
    c::SYS_time,
    c::SYS_alarm,
    c::SYS_pause,
    c::SYS_arch_prctl,
    c::SYS_getrlimit,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c::c_long] = &[];

/// Flags that put a new process into new namespaces.
const NAMESPACES: c::c_int = c::CLONE_NEWNS
    | c::CLONE_NEWCGROUP
    | c::CLONE_NEWUTS
    | c::CLONE_NEWIPC
    | c::CLONE_NEWUSER
    | c::CLONE_NEWPID
    | c::CLONE_NEWNET;

/// Allowed if the argument with this index has one of these values.
const WITH: &[(c::c_long, u8, &[u64])] = &[
    // Duplicating and flags; no signals on input, no notices about folders, and no locks: programs
    // of other sandboxes would feel those on files of the interpreter.
    (c::SYS_fcntl, 1, &[0, 1, 2, 3, 4, c::F_DUPFD_CLOEXEC as u64]),
    // "Is this a terminal?", "how much is there to read?", close-on-exec.
    (c::SYS_ioctl, 1, &[c::TCGETS, c::FIONREAD, c::FIOCLEX, c::FIONCLEX]),
    (c::SYS_prctl, 0, &[c::PR_SET_NAME as u64, c::PR_GET_NAME as u64, PR_SET_VMA]),
];

/// Names a memory area; the C library's allocator does so.
const PR_SET_VMA: u64 = 0x5356_4d41;

/// Restricts this process, and all that it will start, to these system calls.
pub(super) fn apply() -> Result<(), Refusal> {
    const LAYER: &str = "seccomp";
    let program = program().layer(LAYER)?;
    seccompiler::apply_filter(&program).layer(LAYER)
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(OLDER).map(|&call| (call, Vec::new())).collect();
    let none_new = SeccompCmpOp::MaskedEq(NAMESPACES as u64);
    rules.insert(c::SYS_clone, vec![when(0, none_new, 0)?]);
    for &(call, argument, values) in WITH {
        let each = values.iter().map(|&value| when(argument, SeccompCmpOp::Eq, value));
        rules.insert(call, each.collect::<Result<_, _>>()?);
    }
    // Limits can be lowered. That of core files has the only value that always holds.
    let others = |argument| when(argument, SeccompCmpOp::Ne, c::RLIMIT_CORE.into());
    let asks = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(c::SYS_prlimit64, vec![others(1)?, SeccompRule::new(vec![asks])?]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(c::SYS_setrlimit, vec![others(0)?]);
    let absent = SeccompAction::Errno(c::ENOSYS.unsigned_abs());
    SeccompFilter::new(rules, absent, SeccompAction::Allow, architecture)?.try_into()
}

fn when(
    argument: u8,
    is: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    let length = SeccompCmpArgLen::Dword;
    SeccompRule::new(vec![SeccompCondition::new(argument, length, is, value)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_fits_the_kernel() {
        let instructions = program().expect("this architecture is known").len();
        assert!(instructions < 4_096, "{instructions} instructions, the kernel takes 4,096");
    }

    #[test]
    fn nothing_that_leads_out_is_allowed() {
        let out = [
            c::SYS_socket,
            c::SYS_socketpair,
            c::SYS_connect,
            c::SYS_ptrace,
            c::SYS_mount,
            c::SYS_umount2,
            c::SYS_pivot_root,
            c::SYS_chroot,
            c::SYS_unshare,
            c::SYS_setns,
            c::SYS_clone3,
            c::SYS_bpf,
            c::SYS_perf_event_open,
            c::SYS_keyctl,
            c::SYS_add_key,
            c::SYS_io_uring_setup,
            c::SYS_userfaultfd,
            c::SYS_kexec_load,
            c::SYS_init_module,
            c::SYS_process_vm_readv,
            c::SYS_process_vm_writev,
            c::SYS_pidfd_getfd,
            c::SYS_memfd_create,
            c::SYS_shmget,
            c::SYS_msgget,
            c::SYS_semget,
            c::SYS_mq_open,
            c::SYS_setuid,
            c::SYS_setgid,
            c::SYS_setresuid,
            c::SYS_mknodat,
            c::SYS_personality,
            c::SYS_open_by_handle_at,
            c::SYS_fanotify_init,
            c::SYS_inotify_init1,
            c::SYS_seccomp,
            c::SYS_flock,
        ];
        for call in out {
            assert!(!ALLOWED.contains(&call) && !OLDER.contains(&call), "system call {call}");
            assert!(!WITH.iter().any(|with| with.0 == call), "system call {call}");
        }
    }
}

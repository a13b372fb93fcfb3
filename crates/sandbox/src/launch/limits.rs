//! Resource limits per process, enforced by the kernel.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::Limits;

use super::{Layer, Refusal};

/// Processes of the launcher that count for the same user: outer, init, inner.
#[cfg(target_os = "linux")]
const LAUNCHERS: u64 = 3;

/// Layer: nothing of a program that crashes is kept.
const CORES: &str = "limit of core files";
/// Less than any core file has. The kernel heeds no other limit where dumps go to a program.
///
/// Source: `fs/coredump.c`.
const NO_CORE: u64 = 1;

/// Whether the limit of core files holds on this machine.
#[cfg(target_os = "linux")]
pub(super) fn stop_cores() -> Result<(), Refusal> {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").layer(CORES)?;
    let can_set = getrlimit(Resource::Core).maximum.is_none_or(|maximum| maximum >= NO_CORE);
    match pattern.as_bytes().first() {
        Some(b'|') if !can_set => {
            Err(Refusal::new(CORES, &"`kernel.core_pattern` names a program, `ulimit -Hc` is 0"))
        }
        Some(b'@') => Err(Refusal::new(CORES, &"`kernel.core_pattern` names a socket")),
        _ => Ok(()),
    }
}

/// Sets everything but the number of processes.
pub(super) fn set(limits: &Limits) -> Result<(), Refusal> {
    let cpu = Rlimit {
        current: Some(limits.cpu_seconds),
        // It is killed one second later if it ignores the signal of the first limit.
        maximum: Some(limits.cpu_seconds + 1),
    };
    setrlimit(Resource::Cpu, cpu).layer("limit of CPU time")?;
    at_most(Resource::As, limits.memory).layer("limit of memory")?;
    at_most(Resource::Fsize, limits.file).layer("limit of file sizes")?;
    at_most(Resource::Nofile, 64).layer("limit of open files")?;
    at_most(Resource::Core, NO_CORE).layer(CORES)?;
    at_most(Resource::Stack, 8 << 20).layer("limit of the stack")?;
    at_most(Resource::Memlock, 0).layer("limit of locked memory")
}

/// Sets the number of processes. The kernel counts them per user and user namespace.
#[cfg(target_os = "linux")]
pub(super) fn set_processes(limits: &Limits) -> Result<(), Refusal> {
    at_most(Resource::Nproc, limits.processes + LAUNCHERS).layer("limit of processes")
}

/// Lowers a limit. A lower limit is kept.
fn at_most(resource: Resource, value: u64) -> rustix::io::Result<()> {
    let value = getrlimit(resource).maximum.map_or(value, |maximum| value.min(maximum));
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
}

# Looks into other processes with a debugger's means.
# expect: contained
for pid in (1, {parent}):
    syscall_must_fail("ptrace", PTRACE, 16, pid, 0, 0)
    syscall_must_fail("ptrace", PTRACE, 0x4206, pid, 0, 0)
    syscall_must_fail("process_vm_readv", PROCESS_VM_READV, pid, 0, 0, 0, 0, 0)
    syscall_must_fail("pidfd_open", PIDFD_OPEN, pid, 0)

# Leaves for other namespaces and roots.
# expect: contained
must_fail("another root", os.chroot, "/scratch")
for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000):
    syscall_must_fail("unshare", UNSHARE, flag)
    syscall_must_fail("clone", CLONE, flag | 17, 0, 0, 0, 0)
syscall_must_fail("clone3", CLONE3, 0, 0)
syscall_must_fail("mount", MOUNT, b"proc", b"/scratch", b"proc", 0, 0)
syscall_must_fail("mount", MOUNT, b"/", b"/scratch", b"", 4096, 0)
syscall_must_fail("umount", UMOUNT, b"/scratch", 0)
syscall_must_fail("setns", SETNS, 0, 0)
syscall_must_fail("fsopen", FSOPEN, b"proc", 0)

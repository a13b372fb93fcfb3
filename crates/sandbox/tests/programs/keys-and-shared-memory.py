# Leaves data behind where no file is: keys, shared memory, queues, notices.
# expect: contained
syscall_must_fail("shmget", SHMGET, 4711, 4096, 0o1666)
syscall_must_fail("add_key", ADD_KEY, b"user", b"{marker}", b"x", 1, -3)
syscall_must_fail("inotify_init1", INOTIFY, 0)
syscall_must_fail("memfd_create", MEMFD, b"{marker}", 0)
must_fail("shared memory", open, "/dev/shm/{marker}", "w")
def shared():
    from multiprocessing import shared_memory
    shared_memory.SharedMemory(create=True, size=4096, name="{marker}")
must_fail("named shared memory", shared)

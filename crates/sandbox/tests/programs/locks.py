# Locks files that programs of other sandboxes see too.
# expect: contained
import fcntl
import struct
shared = os.open(os.__file__, os.O_RDONLY)
must_fail("a lock", fcntl.flock, shared, fcntl.LOCK_SH | fcntl.LOCK_NB)
must_fail("a lock of a record", fcntl.lockf, shared, fcntl.LOCK_SH | fcntl.LOCK_NB)
asks = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
for number in (fcntl.F_GETLK, 36, 37, 38):
    must_fail("a lock of a record", fcntl.fcntl, shared, number, asks)

# Raises its own limits.
# expect: contained
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_CPU,
             resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CORE):
    must_fail("a higher limit", resource.setrlimit, kind, (1 << 40, 1 << 40))
    must_fail("no limit", resource.setrlimit, kind, (-1, -1))
must_fail("a higher rank", os.nice, -5)

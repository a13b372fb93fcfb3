# Sets a limit of core files that the kernel does not heed where dumps go to a program.
# expect: contained
import resource
if max(resource.getrlimit(resource.RLIMIT_CORE)) > 1:
    escaped("core files")
must_fail("another limit", resource.setrlimit, resource.RLIMIT_CORE, (0, 0))
must_fail("another limit", resource.prlimit, os.getpid(), resource.RLIMIT_CORE, (0, 1))
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

# Sends a signal to everyone it may.
# expect: contained
import signal
must_fail("a signal to the parent outside", os.kill, {parent}, signal.SIGKILL)
must_fail("a signal to the parent's group", os.killpg, {parent}, signal.SIGKILL)
for pid in range(2, 2000):
    if pid != os.getpid():
        must_fail("a signal to another process", os.kill, pid, signal.SIGKILL)
# The first process of the namespace does not hear it; without a sandbox it would be fatal.
try:
    os.kill(1, signal.SIGTERM)
    os.kill(1, signal.SIGKILL)
except OSError:
    pass

# Stops itself, to be waited for without end.
# expect: timed-out
import signal
os.kill(os.getpid(), signal.SIGSTOP)

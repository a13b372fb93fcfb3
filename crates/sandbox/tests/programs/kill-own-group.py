# Sends a signal to its own group, which the parent must not be in.
# expect: killed 9
import signal
os.killpg(0, signal.SIGKILL)

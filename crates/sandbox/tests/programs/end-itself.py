# Ends by a signal it sends itself.
# expect: killed 15
import signal
os.kill(os.getpid(), signal.SIGTERM)

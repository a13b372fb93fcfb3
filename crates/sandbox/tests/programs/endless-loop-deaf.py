# Computes without end, and ignores the signal that it has used up its time.
# expect: killed 9
import signal
signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True:
    pass

# Does nothing for a long time.
# expect: timed-out
import time
time.sleep(10_000)

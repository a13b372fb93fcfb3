# Closes what it is watched by, and stays.
# expect: timed-out
import time
for number in range(100):
    try:
        os.close(number)
    except OSError:
        pass
time.sleep(10_000)

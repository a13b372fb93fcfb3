# Leaves a process behind that belongs to nobody.
# expect: contained
import time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(3):
            os.close(number)
        time.sleep(10_000)
    os._exit(0)
os.wait()

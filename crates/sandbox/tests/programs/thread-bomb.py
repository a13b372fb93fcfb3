# Starts threads without end.
# expect: contained
import threading
import time
try:
    for _ in range(1000):
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    escaped("a thousand threads")
except RuntimeError:
    pass
sys.stdout.write("contained\n")
sys.stdout.flush()
os._exit(0)

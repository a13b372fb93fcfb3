# Fills memory in many processes; their number and the size of each are limited.
# expect: contained
for _ in range(100):
    try:
        if os.fork() == 0:
            try:
                everything = bytearray(1 << 30)
                escaped("1 GiB in one process")
            except MemoryError:
                os._exit(0)
    except OSError:
        break
try:
    while True:
        _, status = os.wait()
        if status != 0:
            os._exit(3)
except ChildProcessError:
    pass

# Starts processes without end.
# expect: contained
children = 0
try:
    while True:
        if os.fork() == 0:
            import time
            time.sleep(1000)
        children += 1
        if children > 1000:
            escaped("a thousand processes")
except OSError:
    pass

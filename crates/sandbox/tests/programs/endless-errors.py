# Prints to standard error without end, past the buffers.
# expect: output-exceeded
while True:
    os.write(2, b"x" * 65536)

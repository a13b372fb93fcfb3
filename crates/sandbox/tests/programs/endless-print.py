# Prints without end.
# expect: output-exceeded
while True:
    print("x" * 1000)

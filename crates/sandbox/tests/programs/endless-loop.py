# Computes without end.
# expect: cpu-exceeded
while True:
    pass

# Fills memory with a list.
# expect: memory-exceeded
everything = []
while True:
    everything.append([0] * 1_000_000)

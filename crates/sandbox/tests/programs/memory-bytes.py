# Asks for more memory than the machine has, at once.
# expect: memory-exceeded
everything = b"x" * (1 << 44)

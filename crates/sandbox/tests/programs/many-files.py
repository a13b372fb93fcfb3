# Makes files without end, of every size.
# expect: contained
def make():
    for number in range(1_000_000):
        with open(f"file-{number}", "wb"):
            pass
must_fail("a million files", make)
def fill():
    for number in range(1000):
        with open(f"file-{number}", "wb") as file:
            file.write(b"x" * 1_000_000)
must_fail("a thousand megabytes", fill)

# Writes one file without end.
# expect: contained
def write():
    with open("huge", "wb") as file:
        while True:
            file.write(b"x" * 1_000_000)
must_fail("a huge file", write)

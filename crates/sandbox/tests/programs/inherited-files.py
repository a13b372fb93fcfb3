# Writes to every file it was given.
# expect: contained
for number in range(3, 4096):
    must_fail(f"file {number}", os.write, number, b"hello")
    must_fail(f"file {number}", os.read, number, 1)
if os.read(0, 1) != b"":
    escaped("an input")

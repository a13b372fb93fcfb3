# Makes a file that is long and empty.
# expect: contained
def write():
    with open("sparse", "wb") as file:
        file.truncate(1 << 40)
must_fail("a sparse file", write)
def allocate():
    with open("allocated", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1 << 40)
must_fail("an allocated file", allocate)

# Maps memory without end.
# expect: contained
import mmap
maps = []
try:
    for _ in range(1000):
        maps.append(mmap.mmap(-1, 64 << 20))
        maps[-1][::4096] = b"x" * len(maps[-1][::4096])
    escaped("64 GiB of memory")
except (OSError, MemoryError):
    pass

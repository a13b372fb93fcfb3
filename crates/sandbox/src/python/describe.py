"""Runs unconfined, once, from the user's own interpreter: says what it needs in order to start."""
import ctypes  # noqa: F401 (these pull in the shared libraries that must stay readable)
import decimal  # noqa: F401
import hashlib  # noqa: F401
import json
import os
import select  # noqa: F401
import sys
import sysconfig
import zlib  # noqa: F401

libraries = set()
try:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            path = line.split(maxsplit=5)[-1].strip()
            if path.startswith("/") and os.path.isfile(path):
                libraries.add(path)
except OSError:
    pass
standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
print(
    json.dumps(
        {
            "program": os.path.realpath(sys.executable),
            "version": list(sys.version_info[:3]),
            "standard": sorted(os.path.realpath(path) for path in standard),
            "libraries": sorted(os.path.realpath(path) for path in libraries),
        }
    )
)

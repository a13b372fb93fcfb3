"""Goes before everything that runs inside: closes the files that the launcher was given.

Arguments: their numbers. They may be any, so that no range of numbers is sure to have them all.
"""
import os
import sys

for inherited in sys.argv[1:]:
    try:
        os.close(int(inherited))
    except OSError:
        pass
del sys.argv[1:]

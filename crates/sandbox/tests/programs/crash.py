# Crashes the interpreter, and leaves no core file.
# expect: killed 11
import ctypes
ctypes.string_at(0)

# Reads the parent's variables.
# expect: contained
for pid in ("1", "2", "self", "{parent}"):
    for name in ("environ", "cmdline", "maps", "mem", "fd", "cwd"):
        must_fail(pid, open, f"/proc/{pid}/{name}")
if set(os.environ) - {"LC_CTYPE"}:
    escaped(f"variables {sorted(os.environ)}")

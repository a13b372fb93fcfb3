# Reads a file of the machine that everybody may read, by many names.
# expect: contained
for path in (
    "{secret}", "../../../../../../{secret}", "/scratch/../{secret}", "/old{secret}",
    "/etc/passwd", "/etc/hostname", "/proc/self/root{secret}", "/proc/1/root{secret}",
    "/proc/{parent}/root{secret}", "/proc/self/cwd/../{secret}", "/dev/fd/../..{secret}",
):
    must_fail(path, open, path)
for folder in ("/var/log", "/boot", "/etc/ssl", "{outside}", "/proc", "/sys", "/old"):
    must_fail(f"a listing of {folder}", os.listdir, folder)

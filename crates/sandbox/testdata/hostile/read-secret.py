# Reads a file of the machine that everybody may read, by many names.
# expect: contained
for path in (
    "{secret}", "../../../../../../{secret}", "/scratch/../{secret}", "/old{secret}",
    "/etc/passwd", "/etc/hostname", "/proc/self/root{secret}", "/proc/1/root{secret}",
    "/proc/{parent}/root{secret}", "/proc/self/cwd/../{secret}", "/dev/fd/../..{secret}",
):
    must_fail(path, open, path)
must_fail("a listing of the root", os.listdir, "/")
must_fail("a listing of temporary files", os.listdir, "/tmp")
must_fail("a listing of the homes", os.listdir, "/home")

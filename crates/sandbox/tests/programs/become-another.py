# Takes another user's rights.
# expect: contained
must_fail("root", os.setuid, 0)
must_fail("root's group", os.setgid, 0)
must_fail("other groups", os.setgroups, [0])
must_fail("root", os.setresuid, 0, 0, 0)
must_fail("nobody else", os.setresuid, 1000, 1000, 1000)
must_fail("an owner", os.chown, "/scratch", 0, 0)
open("program", "w").close()
os.chmod("program", 0o6777)
must_fail("a program in the scratch folder", os.execv, "/scratch/program", ["program"])
if libc.prctl(39, 0, 0, 0, 0) not in (1, -1):
    escaped("new privileges")

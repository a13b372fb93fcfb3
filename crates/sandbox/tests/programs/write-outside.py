# Writes wherever something could be left.
# expect: contained
folders = ["{outside}", "/", "/tmp", "/var/tmp", "/dev/shm", "/run", "/usr/lib", "/dev", "/old",
           os.path.dirname(os.__file__), os.path.dirname(sys.executable), "/proc", "/sys"]
for folder in folders:
    must_fail(folder, open, folder + "/{marker}", "w")
    must_fail(folder, os.mkdir, folder + "/{marker}")
    must_fail(folder, os.symlink, "/scratch", folder + "/{marker}")
    must_fail(folder, os.rename, folder, folder + "{marker}")
must_fail("the interpreter", open, sys.executable, "r+b")
must_fail("the standard library", open, os.__file__, "a")
must_fail("the standard library", os.remove, os.__file__)
must_fail("the standard library's rights", os.chmod, os.__file__, 0o777)
must_fail("the standard library's length", os.truncate, os.__file__, 0)
with open("allowed", "w") as file:
    file.write("x")

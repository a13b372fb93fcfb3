# Links files it may not change into a folder where it may.
# expect: contained
must_fail("a link to a secret", os.link, "{secret}", "secret")
must_fail("a link to the interpreter", os.link, sys.executable, "python")
must_fail("a link to the library", os.link, os.__file__, "os.py")
must_fail("a link to a device", os.link, "/dev/null", "null")

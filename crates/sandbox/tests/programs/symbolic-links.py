# Reaches out through links.
# expect: contained
os.symlink("{secret}", "link")
must_fail("a link to a file", open, "link")
must_fail("a link to a file, written", open, "link", "w")
os.symlink("{outside}", "folder")
must_fail("a link to a folder", open, "folder/{marker}", "w")
os.symlink("/", "root")
must_fail("a link to the root", open, "root/etc/passwd")
os.symlink("../../../..{secret}", "relative")
must_fail("a relative link", open, "relative")
os.symlink("link", "links")
must_fail("a link to a link", open, "links")

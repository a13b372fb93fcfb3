# Opens what the machine is made of, and makes devices of its own.
# expect: contained
for path in ("/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/tty", "/dev/ptmx",
             "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/proc/kcore", "/proc/kallsyms"):
    must_fail(path, open, path, "rb")
    must_fail(path, open, path, "wb")
must_fail("a device", os.mknod, "device", 0o60666, 0x801)
must_fail("a device", os.mknod, "memory", 0o20666, 0x101)

# Knocks at the parts of the kernel that programs rarely need, and holes often are in.
# expect: contained
for name, number in DOORS.items():
    syscall_must_fail(name, number, 0, 0, 0, 0, 0, 0)

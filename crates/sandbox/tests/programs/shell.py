# Starts programs of the machine.
# expect: contained
import subprocess
must_fail("a shell", subprocess.run, "id", shell=True, check=True)
for program in ("/bin/sh", "/usr/bin/env", "/bin/cat", "/usr/bin/sudo", "/bin/su"):
    must_fail(program, subprocess.run, [program], check=True)
if os.system("true") == 0:
    escaped("a shell")

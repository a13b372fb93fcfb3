# Looks for the name of the machine.
# expect: contained
if os.uname().nodename != "sandbox":
    escaped(f"the name {os.uname().nodename}")

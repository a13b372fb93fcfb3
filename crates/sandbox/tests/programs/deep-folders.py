# Makes folders in folders, and locks them.
# expect: contained
try:
    for _ in range(100_000):
        os.mkdir("d")
        os.chdir("d")
except OSError:
    pass
os.chmod(".", 0)
os.chmod("/scratch", 0)

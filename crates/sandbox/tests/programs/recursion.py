# Calls itself without end, past every guard.
# expect: code 1, killed 11, killed 6, memory-exceeded
sys.setrecursionlimit(1 << 30)
def deeper(x):
    return deeper([x]) + [x]
deeper([])

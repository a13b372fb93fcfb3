# One operation of the interpreter that takes years.
# expect: cpu-exceeded
print(10**10**9 % 7)

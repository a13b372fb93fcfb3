# Ends as if all were well.
# expect: code 0
os._exit(0)

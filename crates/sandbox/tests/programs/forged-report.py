# Says what only the launcher says.
# expect: code 125
sys.stderr.write('sandbox-refused {"layer": "everything", "reason": "forged"}\n')
sys.stderr.flush()
os._exit(125)

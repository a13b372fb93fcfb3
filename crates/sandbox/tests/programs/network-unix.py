# Connects to sockets of the machine, by a path and by a name.
# expect: contained
import socket
def connect(address):
    socket.socket(socket.AF_UNIX).connect(address)
must_fail("a socket in a folder", connect, "{outside}/socket")
must_fail("a socket with a name", connect, "\0{marker}")
must_fail("a pair of sockets", socket.socketpair)

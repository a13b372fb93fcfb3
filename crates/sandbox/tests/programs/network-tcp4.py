# Connects by IPv4.
# expect: contained
import socket
must_fail("a connection", socket.create_connection, ("127.0.0.1", {port}), 2)
must_fail("a socket", socket.socket, socket.AF_INET, socket.SOCK_STREAM)

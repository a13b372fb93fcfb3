# Connects by IPv6.
# expect: contained
import socket
must_fail("a connection", socket.create_connection, ("::1", {port}), 2)
must_fail("a socket", socket.socket, socket.AF_INET6, socket.SOCK_STREAM)

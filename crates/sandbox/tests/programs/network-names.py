# Looks up a name.
# expect: contained
import socket
must_fail("a name", socket.gethostbyname, "example.com")
must_fail("a name's addresses", socket.getaddrinfo, "example.com", 80)

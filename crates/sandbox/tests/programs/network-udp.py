# Sends a datagram.
# expect: contained
import socket
def send():
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(b"hello", ("127.0.0.1", {port}))
must_fail("a datagram", send)
must_fail("a raw socket", socket.socket, socket.AF_PACKET, socket.SOCK_RAW)
must_fail("a netlink socket", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW)

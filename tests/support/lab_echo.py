"""A server for TCP, UDP and SCTP: whatever is said to it comes back behind its name.

    python3 lab_echo.py NAME PORT ADDRESS...

It binds every address by itself, so that an answer leaves with the address that was asked: behind direct routing and
tunnels that is the virtual one. Ends on SIGTERM.
"""

import contextlib
import selectors
import socket
import sys

IPPROTO_SCTP = 132
KINDS = (
    (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    (socket.SOCK_STREAM, IPPROTO_SCTP),
    (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
)


def bound(address: str, port: int, kind: int, protocol: int) -> socket.socket:
    """A socket that hears one address, whether the host has it already or not."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, kind, protocol)
    if protocol != IPPROTO_SCTP:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen(128)
    return made


def serve(name: bytes, port: int, addresses: list[str]) -> None:
    """Answer until killed."""
    selector = selectors.DefaultSelector()
    for address in addresses:
        for kind, protocol in KINDS:
            listening = bound(address, port, kind, protocol)
            selector.register(listening, selectors.EVENT_READ, "datagrams" if kind == socket.SOCK_DGRAM else "listener")
    while True:
        for key, _ in selector.select():
            heard = key.fileobj
            assert isinstance(heard, socket.socket)
            with contextlib.suppress(OSError):
                if key.data == "datagrams":
                    text, client = heard.recvfrom(4096)
                    heard.sendto(name + b" " + text, client)
                elif key.data == "listener":
                    selector.register(heard.accept()[0], selectors.EVENT_READ, "connection")
                else:
                    try:
                        text = heard.recv(4096)
                    except OSError:
                        text = b""
                    if text:
                        heard.sendall(name + b" " + text)
                    else:
                        selector.unregister(heard)
                        heard.close()


if __name__ == "__main__":
    serve(sys.argv[1].encode(), int(sys.argv[2]), sys.argv[3:])

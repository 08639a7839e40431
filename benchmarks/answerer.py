"""A server of datagrams for many checkers: ``python -m benchmarks.answerer KIND PORT COUNTER``.

``dns`` answers a question without an error, ``udp`` says what it was told, ``silent`` says nothing. Each answer comes
from the address that was asked. The counter is a file of eight octets that others may read at any time.
"""

import contextlib
import mmap
import select
import socket
import struct
import sys
from pathlib import Path

_IP_PKTINFO = 8  # linux/in.h; struct in_pktinfo: interface, local address, address of the header


def answer(kind: str, asked: bytes) -> bytes:
    """What is said to a question."""
    return asked[:2] + b"\x81\x80" + asked[4:] if kind == "dns" else asked


def main() -> None:
    """Answer for ever."""
    kind, port, counter = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    counter.write_bytes(bytes(8))
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    own.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    own.bind(("", port))
    asked = 0
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
        print("ready", flush=True)
        while True:
            select.select([own], [], [])
            with contextlib.suppress(BlockingIOError):
                while True:
                    data, control, _, asker = own.recvmsg(2048, 64)
                    asked += 1
                    if kind != "silent":
                        to = control[0][2][8:12]
                        info = (socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=I4s4s", 0, to, to))
                        own.sendmsg([answer(kind, data)], [info], 0, asker)
            shared[:] = struct.pack("=Q", asked)


if __name__ == "__main__":
    main()

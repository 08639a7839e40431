"""A server that accepts and closes, for many checkers: ``python -m benchmarks.acceptor PORT COUNTER [http]``.

The counter is a file of three numbers that others may read at any time: connections accepted, the longest time between
two of one address in nanoseconds, and how many times that was more than a tenth above a second. With `http` each
request is answered.
"""

import contextlib
import mmap
import select
import socket
import struct
import sys
import time
from pathlib import Path

FORMAT = struct.Struct("=QQQ")
LATE = 1_100_000_000
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def main() -> None:
    """Accept for ever."""
    port, counter, http = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] == ["http"]
    counter.write_bytes(bytes(FORMAT.size))
    listener = socket.create_server(("", port), backlog=8192)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    asking: dict[int, socket.socket] = {}
    last: dict[str, int] = {}
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), FORMAT.size) as shared:
        print("ready", flush=True)
        while True:
            for fd, _ in poll.poll():
                if fd != listener.fileno():
                    connection = asking.pop(fd)
                    with contextlib.suppress(OSError):
                        connection.recv(4096)
                        connection.send(_ANSWER)
                    connection.close()
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection, _ = listener.accept()
                    _count(shared, last, connection.getsockname()[0])
                    if http:
                        connection.setblocking(False)
                        asking[connection.fileno()] = connection
                        poll.register(connection, select.EPOLLIN)
                    else:
                        connection.close()


def _count(shared: mmap.mmap, last: dict[str, int], address: str) -> None:
    accepted, longest, late = FORMAT.unpack(shared)
    now = time.monotonic_ns()
    gap = now - last.get(address, now)
    last[address] = now
    shared[:] = FORMAT.pack(accepted + 1, max(longest, gap), late + (gap > LATE))


if __name__ == "__main__":
    main()

"""A server that accepts and closes, for many checkers: ``python -m benchmarks.acceptor PORT COUNTER``.

The counter is a file of eight octets that others may read at any time.
"""

import contextlib
import mmap
import select
import socket
import struct
import sys
from pathlib import Path


def main() -> None:
    """Accept for ever."""
    port, counter = int(sys.argv[1]), Path(sys.argv[2])
    counter.write_bytes(bytes(8))
    listener = socket.create_server(("", port), backlog=8192)
    listener.setblocking(False)
    accepted = 0
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
        print("ready", flush=True)
        while True:
            select.select([listener], [], [])
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection, _ = listener.accept()
                    connection.close()
                    accepted += 1
            shared[:] = struct.pack("=Q", accepted)


if __name__ == "__main__":
    main()

"""A client that asks a web server for a page at a steady pace, each time anew, and notes each end.

    python3 steady_requests.py ADDRESS PORT PER_SECOND PATIENCE

writes a line a request when it has ended: the moment it began (seconds, monotonic clock), and the page's text or `-`
for none. Requests do not wait for one another, so a dead server slows nothing down. Ends on SIGTERM.

Each comes from a port that none had for long. The kernel would take ports again within seconds, and IPVS, which knows
a connection by its port, sends the new one after the old: to a server that has been removed since.
"""

import contextlib
import heapq
import select
import socket
import sys
import time

PORTS = range(10_000, 60_000)


class Request:
    """One connection: connect, ask, read to the end."""

    def __init__(self, address: str, port: int, own_port: int, now: float) -> None:
        self.started_at = now
        self.answer = b""
        self.asked = False
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", own_port))
        self.failed = self.socket.connect_ex((address, port)) not in {0, 115}  # EINPROGRESS

    def ready(self) -> bool:
        """Take the next step; whether the request came to its end."""
        try:
            if not self.asked:
                self.socket.send(b"GET / HTTP/1.0\r\n\r\n")
                self.asked = True
                return False
            part = self.socket.recv(4096)
        except OSError:
            self.failed = True
            return True
        self.answer += part
        return not part

    def page(self) -> str:
        """The page, or `-`."""
        head, _, body = self.answer.partition(b"\r\n\r\n")
        return body.decode().strip() if not self.failed and head.startswith(b"HTTP/1.1 200") else "-"


def ask(address: str, port: int, per_second: float, patience: float) -> None:
    """Ask until killed."""
    poll = select.epoll()
    pending: dict[int, Request] = {}
    deadlines: list[tuple[float, int, float]] = []
    next_at = time.monotonic()
    turn = int(next_at * per_second)  # a later process goes on with later ports: requests are no faster than the clock

    def end(number: int) -> None:
        request = pending.pop(number)
        poll.unregister(number)
        request.socket.close()
        print(f"{request.started_at:.4f} {request.page()}", flush=True)

    while True:
        now = time.monotonic()
        while deadlines and deadlines[0][0] <= now:
            _, number, started_at = heapq.heappop(deadlines)
            if number in pending and pending[number].started_at == started_at:
                pending[number].failed = True
                end(number)
        if now >= next_at:
            next_at = max(next_at + 1 / per_second, now)
            turn += 1
            request = Request(address, port, PORTS[turn % len(PORTS)], now)
            number = request.socket.fileno()
            pending[number] = request
            poll.register(number, select.EPOLLOUT)
            heapq.heappush(deadlines, (now + patience, number, now))
        for number, _ in poll.poll(max(0.0, next_at - time.monotonic())):
            request = pending[number]
            if request.ready():
                end(number)
            elif request.asked:
                with contextlib.suppress(OSError):
                    poll.modify(number, select.EPOLLIN)


if __name__ == "__main__":
    ask(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))

"""The world around a director: every address there is answers, and of the checked servers every second one serves.

A daemon's host has one cable to a namespace that holds all addresses. What nobody listens to is refused at once, so
checks are judged without waiting, and alike for every daemon.
"""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from pykeepalived.config.blocks.checkers import UdpCheck
from pykeepalived.config.configuration import Configuration
from tests.support.netns import Host

PAGE = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nOK\n"
IPV6_FREEBIND = 78  # linux/in6.h: an address that the namespace has by a route alone
HERE, THERE = ("198.18.255.1", "fd98::1"), ("198.18.255.2", "fd98::2")

Target = tuple[IPv4Address | IPv6Address, int, bool]
"""Address, port, and whether it is a datagram's."""


def targets(configuration: Configuration) -> list[Target]:
    """What the checkers of a file connect to, in a fixed order."""
    found: set[Target] = set()
    for service in configuration.virtual_server:
        for server in service.real_server:
            for checker in server.checkers:
                target = getattr(checker, "target", None)
                if target is not None and target.connect_port:
                    found.add((target.connect_ip, target.connect_port, isinstance(checker, UdpCheck)))
    return sorted(found, key=lambda each: (each[0].version, *each))


class World:
    """Answers what is sent to the targets that serve: a page to whoever sends anything, nothing to datagrams."""

    def __init__(self, host: Host, serving: Iterable[Target]) -> None:
        self._selector = selectors.DefaultSelector()
        self._datagrams: list[socket.socket] = []
        self._ended = threading.Event()
        for target in serving:
            with contextlib.suppress(OSError):  # an address that nobody can have
                self._serve(host.inside(lambda target=target: _listener(*target)))  # type: ignore[misc]
        self._thread = threading.Thread(target=self._run, name="world")
        self._thread.start()

    def close(self) -> None:
        """Nobody answers any more."""
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            self._drop(key.fileobj)  # type: ignore[arg-type]
        self._selector.close()
        for listener in self._datagrams:
            listener.close()

    def _serve(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        if listener.type == socket.SOCK_DGRAM:
            self._datagrams.append(listener)
        else:
            self._selector.register(listener, selectors.EVENT_READ, True)

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.1):
                with contextlib.suppress(OSError):
                    self._turn(key.fileobj, listens=key.data)  # type: ignore[arg-type]

    def _turn(self, ready: socket.socket, *, listens: bool) -> None:
        if listens:
            connection, _ = ready.accept()
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, False)
            return
        try:
            if ready.recv(4096):
                ready.send(PAGE)
        finally:
            self._drop(ready)

    def _drop(self, ready: socket.socket) -> None:
        self._selector.unregister(ready)
        ready.close()


def _listener(address: IPv4Address | IPv6Address, port: int, datagram: bool) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    listener = socket.socket(family, socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        listener.bind((str(address), port))
        if not datagram:
            listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener

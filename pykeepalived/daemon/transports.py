"""How the bytes of a check travel: what every transport is, and which one a checker has."""

from collections.abc import Callable
from typing import Protocol

from pykeepalived.checkers.events import CheckEvent
from pykeepalived.config.blocks.checkers import Checker
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.tcp_stream import Attempts, TcpStream

Tell = Callable[[CheckEvent], None]


class Transport(Protocol):
    """One connection (or what stands for one) at a time to one target, opened again and again.

    It is made with a ``tell``, which learns what is not known at once: Connected, ConnectionFailed, LocalFailure of an
    ``open``; DataReceived, PeerClosed, ConnectionFailed after a ``send``. Of a stream the data come in pieces of any
    size, of datagrams one at a time. After ``close`` nothing is told of what was open. Nothing here may block.
    """

    def open(self) -> CheckEvent | None:
        """Connect; the outcome, or None: it is told later."""

    def send(self, data: bytes) -> CheckEvent | None:
        """Send, and read from then on; ConnectionFailed, or None: what follows is told later."""

    def close(self) -> None:
        """Give up whatever is open; nothing happens if nothing is."""


def transport_for(block: Checker, reactor: Reactor, attempts: Attempts, tell: Tell) -> Transport:
    """The transport that a checker block of the configuration asks for."""
    return TcpStream(block.target, reactor, attempts, tell)

"""How the bytes of a check travel: what every transport is, and which one a checker has."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from pykeepalived.checkers.effects import OpenSession
from pykeepalived.checkers.events import CheckEvent
from pykeepalived.config.blocks.checkers import Checker, DnsCheck, PingCheck, UdpCheck
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.datagrams import Datagrams, IcmpMessages
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.tcp_stream import TcpStream
from pykeepalived.daemon.tls_turns import TlsTurns
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.wire import dns

if TYPE_CHECKING:
    from pykeepalived.daemon.tls_stream import TlsSessions

Tell = Callable[[CheckEvent], None]


class Transport(Protocol):
    """A connection to a target, or what stands for one: opened once, then closed.

    It is made with a ``tell``, which learns what is not known at once: Connected, ConnectionFailed, LocalFailure of an
    ``open``; DataReceived, PeerClosed, ConnectionFailed, LocalFailure after a ``send``. Of a stream the data come in
    pieces of any size, of datagrams one at a time. Of what takes longer than most a Tick is told, before it is left to
    the reactor: somebody must see to its time. What waits for this process itself tells HeldUp, as the answer to
    ``open`` too, and WentOn when it goes on. After ``close`` nothing is told of what was open. Nothing here may block.
    """

    def open(self) -> CheckEvent | None:
        """Connect; the outcome, or None: it is told later."""

    def send(self, data: bytes) -> CheckEvent | None:
        """Send, and read from then on; ConnectionFailed, or None: what follows is told later."""

    def close(self) -> None:
        """Give up whatever is open; nothing happens if nothing is."""


class Tls:
    """The TLS of all checks, which is loaded when the first one needs it: it is four mebibytes."""

    def __init__(self, reactor: Reactor, settings: Ssl | None, log: Callable[[Log], None]) -> None:
        self._settings = settings
        self._log = log
        self._sessions: TlsSessions | None = None
        self.turns = TlsTurns(reactor, log)

    def use(self, settings: Ssl | None) -> None:
        """The settings of the sessions that begin from now on; files are read again."""
        self._settings = settings
        self._sessions = None

    @property
    def sessions(self) -> "TlsSessions":
        """What the sessions share."""
        if self._sessions is None:
            from pykeepalived.daemon.tls_stream import TlsSessions  # noqa: PLC0415 - see above

            self._sessions = TlsSessions(self._settings)
            for keyword, reason in self._sessions.troubles.items():
                line = f"SSL: {keyword} cannot be used ({reason}): checks go on without it. Mend the file, then reload"
                self._log(Log(line, Level.WARNING, Kind.CHECK))
        return self._sessions


def transport_for(
    block: Checker, reactor: Reactor, attempts: Attempts, tell: Tell, tls: Tls, wish: OpenSession | None = None
) -> Transport:
    """The transport of a try of a checker block of the configuration; with TLS a session may be as is wished."""
    if isinstance(block, UdpCheck):
        return Datagrams(block.target, block.max_reply_length + 1, reactor, attempts, tell)
    if isinstance(block, DnsCheck):
        return Datagrams(block.target, dns.READ_LIMIT, reactor, attempts, tell)
    if isinstance(block, PingCheck):
        return IcmpMessages(block.target, reactor, attempts, tell)
    if wish is not None:
        from pykeepalived.daemon.tls_stream import TlsStream  # noqa: PLC0415 - see above

        return TlsStream(block.target, reactor, attempts, tell, tls, wish)
    return TcpStream(block.target, reactor, attempts, tell)

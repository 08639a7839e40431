"""How the bytes of a check travel: what every transport is, and which one a checker has."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pykeepalived.checkers.effects import OpenSession
from pykeepalived.checkers.events import CheckEvent
from pykeepalived.config.blocks.checkers import Checker, DnsCheck, PingCheck, SslGet, UdpCheck
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.daemon.datagrams import Datagrams, IcmpMessages
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.tcp_stream import Attempts, TcpStream
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.wire import dns

if TYPE_CHECKING:
    from pykeepalived.daemon.tls_stream import TlsSessions

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


@runtime_checkable
class Encrypted(Transport, Protocol):
    """A Transport whose next session may be wished for."""

    def wish(self, wish: OpenSession) -> None:
        """What the next session is like."""


class Tls:
    """The TLS of all checks, which is loaded when the first one needs it: it is four mebibytes."""

    def __init__(self, reactor: Reactor, settings: Ssl | None, log: Callable[[Log], None]) -> None:
        self._reactor = reactor
        self._settings = settings
        self._log = log
        self._sessions: TlsSessions | None = None

    def use(self, settings: Ssl | None) -> None:
        """The settings of the sessions that begin from now on; files are read again."""
        self._settings = settings
        self._sessions = None

    @property
    def sessions(self) -> "TlsSessions":
        """What the sessions share."""
        if self._sessions is None:
            from pykeepalived.daemon.tls_stream import TlsSessions  # noqa: PLC0415 - see above

            self._sessions = TlsSessions(self._reactor, self._settings, self._log)
            for keyword, reason in self._sessions.troubles.items():
                line = f"SSL: {keyword} cannot be used ({reason}): checks go on without it. Mend the file, then reload"
                self._log(Log(line, Level.WARNING, Kind.CHECK))
        return self._sessions


def transport_for(
    block: Checker, reactor: Reactor, attempts: Attempts, tell: Tell, tls: Tls | None = None
) -> Transport:
    """The transport that a checker block of the configuration asks for."""
    if isinstance(block, UdpCheck):
        return Datagrams(block.target, block.max_reply_length + 1, reactor, attempts, tell)
    if isinstance(block, DnsCheck):
        return Datagrams(block.target, dns.READ_LIMIT, reactor, attempts, tell)
    if isinstance(block, PingCheck):
        return IcmpMessages(block.target, reactor, attempts, tell)
    if isinstance(block, SslGet):
        from pykeepalived.daemon.tls_stream import TlsStream  # noqa: PLC0415 - see above

        return TlsStream(block.target, reactor, attempts, tell, tls or Tls(reactor, None, lambda _line: None))
    return TcpStream(block.target, reactor, attempts, tell)

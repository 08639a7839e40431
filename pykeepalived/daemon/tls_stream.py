"""The transport of TLS checks: a session over memory buffers, carried by a plain stream."""

import contextlib
import ssl
from collections.abc import Callable

from pykeepalived.checkers.effects import OpenSession
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    HandshakeFailed,
    HeldUp,
    LocalFailure,
    PeerClosed,
    WentOn,
)
from pykeepalived.config.blocks.checkers import Target
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.daemon.attempts import Attempts
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.tcp_stream import TcpStream
from pykeepalived.daemon.transports import Tls
from pykeepalived.errors import NO_ROOM
from pykeepalived.kernel.tls import client_context

_CHUNK = 65536
_HANDSHAKE_LIMIT = 131072  # bytes that may wait for their step: more than any handshake has
_CUT = "the connection ended within the session"

# made once, as of TCP
_HELD_UP = HeldUp()
_WENT_ON = WentOn()


class TlsSessions:
    """What the sessions of a configuration share: their context."""

    def __init__(self, settings: Ssl | None) -> None:
        self.context, self.troubles = client_context(settings)


class TlsStream:
    """A Transport: a session with a target. Connected is told when the handshake is done."""

    __slots__ = (
        "_attempts",
        "_connected",
        "_ended",
        "_incoming",
        "_outgoing",
        "_queued",
        "_reactor",
        "_session",
        "_shaken",
        "_stream",
        "_target",
        "_tell",
        "_tls",
        "_wish",
    )

    def __init__(
        self,
        target: Target,
        reactor: Reactor,
        attempts: Attempts,
        tell: Callable[[CheckEvent], None],
        tls: Tls,
        wish: OpenSession,
    ) -> None:
        self._target = target
        self._reactor = reactor
        self._attempts = attempts
        self._tell = tell
        self._tls = tls
        self._wish = wish
        self._stream: TcpStream | None = None  # it knows us, and so lives from open to close: no cycle may stay
        self._session: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._connected = self._ended = self._shaken = False
        self._queued = False  # a step of the handshake waits for its turn

    def open(self) -> CheckEvent | None:
        """Connect when it is our turn; then the handshake."""
        if self._tls.turns.may_begin():
            return self._begin()
        self._tls.turns.wait_in_line(self)
        return _HELD_UP

    def called_up(self) -> None:
        """It is our turn."""
        self._tell(_WENT_ON)
        event = self._begin()
        if event is not None:
            self._tell(event)

    def _begin(self) -> CheckEvent | None:
        self._stream = TcpStream(self._target, self._reactor, self._attempts, self._told)
        event = self._stream.open()
        if not isinstance(event, Connected):
            return event
        self._told(event)
        return None

    def send(self, data: bytes) -> CheckEvent | None:
        """Encrypt and send."""
        if self._session is None:
            return None
        try:
            self._session.write(data)
        except ssl.SSLError as error:
            return ConnectionFailed(_reason(error))
        return self._flush()

    def close(self) -> None:
        """Hang up, with close_notify if that is wished; or leave the line."""
        if self._stream is None:
            self._tls.turns.leave_line(self)
            return
        if self._wish.compliant and self._shaken and self._session is not None:
            with contextlib.suppress(ssl.SSLError):
                self._session.unwrap()
            self._flush()
        self._stream.close()
        self._stream = self._session = None
        self._connected = self._ended = self._shaken = False

    def _told(self, event: CheckEvent) -> None:
        """What the connection tells."""
        if isinstance(event, Connected):
            self._connected = True
        elif isinstance(event, DataReceived):
            self._incoming.write(event.data)
        elif isinstance(event, PeerClosed):
            self._ended = True
        else:
            self._tell(event)
            return
        if self._shaken:
            self._read()
        elif self._incoming.pending > _HANDSHAKE_LIMIT:
            self._tell(HandshakeFailed(f"more than {_HANDSHAKE_LIMIT} bytes"))
        elif not self._queued:
            self._queued = True
            self._tls.turns.soon(self._shake)
            self._tell(_HELD_UP)

    def _shake(self) -> None:
        """Begin the handshake, or go on with it."""
        self._queued = False
        if not self._connected or self._shaken:
            return
        try:
            context = self._tls.sessions.context  # which may have to be made, in our time
        except OSError as error:
            self._tell(_WENT_ON)
            self._tell(LocalFailure("TLS set-up", error.strerror or str(error), error.errno in NO_ROOM))
            return
        self._tell(_WENT_ON)
        try:
            if self._session is None:
                name = self._wish.server_name
                self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            event = self._flush() or (HandshakeFailed(_CUT) if self._ended else None)
            if event is not None:
                self._tell(event)
            return
        except (ssl.SSLError, ValueError) as error:  # ValueError: of a server name that is none
            self._flush()
            self._tell(HandshakeFailed(_reason(error)))
            return
        self._shaken = True
        self._tell(self._flush() or Connected())
        self._read()

    def _read(self) -> None:
        """Tell everything that can be decrypted. Whoever is told may close us."""
        session = self._session
        while session is not None and session is self._session:
            try:
                data = session.read(_CHUNK)
            except ssl.SSLWantReadError:
                # an update of keys wants an answer; an end of the connection is none of the session
                event = self._flush() or (ConnectionFailed(_CUT) if self._ended else None)
                if event is not None:
                    self._tell(event)
                return
            except ssl.SSLError as error:
                self._tell(ConnectionFailed(_reason(error)))
                return
            self._tell(DataReceived(data) if data else PeerClosed())  # nothing: the peer has said close_notify
            if not data:
                return

    def _flush(self) -> CheckEvent | None:
        data = self._outgoing.read()
        return self._stream.send(data) if data and self._stream is not None else None


def _reason(error: ssl.SSLError | ValueError) -> str:
    """TLS's own word: wrong version number, sslv3 alert handshake failure."""
    found = error.reason if isinstance(error, ssl.SSLError) else str(error)
    return (found or "no TLS").replace("_", " ").lower()

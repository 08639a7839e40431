"""The transport of TLS checks: a session over memory buffers, carried by a plain stream."""

import contextlib
import ssl
from collections import deque
from collections.abc import Callable

from pykeepalived.checkers.effects import OpenSession
from pykeepalived.checkers.events import (
    CheckEvent,
    Connected,
    ConnectionFailed,
    DataReceived,
    HandshakeFailed,
    HeldUp,
    PeerClosed,
    WentOn,
)
from pykeepalived.config.blocks.checkers import Target
from pykeepalived.config.blocks.ssl import Ssl
from pykeepalived.daemon.beats import BEAT, on_beat
from pykeepalived.daemon.reactor import Reactor
from pykeepalived.daemon.tcp_stream import Attempts, TcpStream
from pykeepalived.daemon.transports import Tls
from pykeepalived.effects import Kind, Level, Log
from pykeepalived.kernel.tls import client_context
from pykeepalived.units import SECOND, seconds_text

_CHUNK = 65536
_STEPS_A_TURN = 4  # of handshakes; one costs as much as a dozen checks of TCP
_FEW = 16  # steps that wait: with more no session begins
_A_BEAT = 16  # sessions that may begin: more than any processor can go on with
_HANDSHAKE_LIMIT = 131072  # bytes that may wait for their step: more than any handshake has
_CUT = "the connection ended within the session"
_LONG = 5 * SECOND  # that sessions wait for their beginning
_SHORT = SECOND


class TlsSessions:
    """What all sessions share: their context, and turns that are not filled by handshakes.

    Few sessions begin in a beat, and none while many steps of others wait. So each that has begun goes on soon, however
    many are due; the others wait in line, where no server waits with them.
    """

    def __init__(self, reactor: Reactor, settings: Ssl | None, log: Callable[[Log], None]) -> None:
        self._reactor = reactor
        self._log = log
        self._steps: deque[Callable[[], None]] = deque()
        self._line: deque[tuple[int, Callable[[], None]]] = deque()  # since when
        self._working = False
        self._line_alarm = reactor.alarm(self._call_up)
        self._beat = 0
        self._left = 0  # of those that may begin in it
        self._crowded = False
        self.context, self.troubles = client_context(settings)

    def may_begin(self) -> bool:
        """Whether a session may begin at once; then it counts as begun."""
        return not self._line and self._has_room()

    def wait_in_line(self, beginning: Callable[[], None]) -> None:
        """Begin one when it is its turn."""
        if not self._line:
            self._line_alarm.set(on_beat(self._reactor.now() + 1))
        self._line.append((self._reactor.now(), beginning))

    def soon(self, step: Callable[[], None]) -> None:
        """Take the step in one of the next turns."""
        self._steps.append(step)
        if not self._working:
            self._working = True
            self._reactor.soon(self._work)

    def _has_room(self) -> bool:
        beat = self._reactor.now() // BEAT
        if beat != self._beat:
            self._beat, self._left = beat, _A_BEAT
        if not self._left or len(self._steps) >= _FEW:
            return False
        self._left -= 1
        return True

    def _call_up(self) -> None:
        try:
            while self._line and self._has_room():
                since, beginning = self._line.popleft()
                self._look_at_line(self._reactor.now() - since)
                beginning()
        finally:
            if self._line:
                self._line_alarm.set(on_beat(self._reactor.now() + 1))

    def _work(self) -> None:
        try:
            for _ in range(min(_STEPS_A_TURN, len(self._steps))):
                self._steps.popleft()()
        finally:
            self._working = bool(self._steps)
            if self._working:
                self._reactor.soon(self._work)

    def _look_at_line(self, waited: int) -> None:
        """Once when it is long, and once when it is short again."""
        if waited > _LONG and not self._crowded:
            self._crowded = True
            text = (
                f"{len(self._line) + 1} SSL checks wait for this process, for {seconds_text(waited // SECOND * SECOND)}"
                " by now: it cannot make more handshakes. Each is made in its turn, and no server fails by that; but"
                " deaths are found so much later. A longer delay_loop, or TCP_CHECK, mends it"
            )
            self._log(Log(text, Level.ERROR, Kind.STALL))
        elif waited < _SHORT and self._crowded:
            self._crowded = False
            self._log(Log("SSL checks are made in time again", Level.NOTICE, Kind.STALL))


class TlsStream:
    """A Transport: one session at a time to one target. Connected is told when the handshake is done."""

    __slots__ = (
        "_attempts",
        "_connected",
        "_ended",
        "_in_line",
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
        "_wanted",
        "_wish",
    )

    def __init__(
        self,
        target: Target,
        reactor: Reactor,
        attempts: Attempts,
        tell: Callable[[CheckEvent], None],
        tls: Tls,
    ) -> None:
        self._target = target
        self._reactor = reactor
        self._attempts = attempts
        self._tell = tell
        self._tls = tls
        self._wish = OpenSession(None, compliant=False)
        self._stream: TcpStream | None = None  # it knows us, and so lives from open to close: no cycle may stay
        self._session: ssl.SSLObject | None = None
        self._incoming = self._outgoing = ssl.MemoryBIO()
        self._connected = self._ended = self._shaken = False
        self._queued = False  # a step of the handshake waits for its turn
        self._in_line = False  # with the beginning of a session
        self._wanted = False  # which is wanted still

    def wish(self, wish: OpenSession) -> None:
        """What the next session is like."""
        self._wish = wish

    def open(self) -> CheckEvent | None:
        """Connect when it is our turn; then the handshake."""
        self.close()
        if self._tls.sessions.may_begin():
            return self._begin()
        self._wanted = True
        if not self._in_line:
            self._in_line = True
            self._tls.sessions.wait_in_line(self._called_up)
        return HeldUp()

    def _called_up(self) -> None:
        self._in_line = False
        if self._wanted:
            self._wanted = False
            self._tell(WentOn())
            event = self._begin()
            if event is not None:
                self._tell(event)

    def _begin(self) -> CheckEvent | None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
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
        """Hang up, with close_notify if that is wished."""
        self._wanted = False
        if self._stream is None:
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
            self._tls.sessions.soon(self._shake)
            self._tell(HeldUp())

    def _shake(self) -> None:
        """Begin the handshake, or go on with it."""
        self._queued = False
        if not self._connected or self._shaken:
            return
        self._tell(WentOn())
        try:
            if self._session is None:
                name = self._wish.server_name
                self._session = self._tls.sessions.context.wrap_bio(
                    self._incoming, self._outgoing, server_hostname=name
                )
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

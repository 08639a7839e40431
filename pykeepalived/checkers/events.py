"""Facts that a checker is told, beside ``pykeepalived.events.Tick``."""

from dataclasses import dataclass

from pykeepalived.events import Tick


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection that was ordered stands, or the socket for datagrams is there. ``nonce``: 64 bits that nobody can
    guess, of this try alone; 0 where no protocol wants them.
    """

    nonce: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The peer or the network refused: the connection did not come about, or broke."""

    reason: str  # as strerror(3) says it
    errno: int = 0


@dataclass(frozen=True, slots=True)
class HandshakeFailed:
    """The connection stands, and TLS did not come about."""

    reason: str


@dataclass(frozen=True, slots=True)
class LocalFailure:
    """Not even tried: no descriptor, an address that is not ours. It says nothing of the server. ``shared`` is a want
    of the whole process, which its owner tells once for all.
    """

    action: str  # create, bind, connect, send, watch, TLS set-up
    reason: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class DataReceived:
    """The next bytes of the connection; of datagrams one, which may be empty."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PeerClosed:
    """The peer has ended its side: no more bytes will come."""


@dataclass(frozen=True, slots=True)
class HeldUp:
    """What is next is this process's own work, which waits for its turn: nobody else is late meanwhile."""


@dataclass(frozen=True, slots=True)
class WentOn:
    """The turn has come: whoever was waited for has the rest of the time."""


CheckEvent = (
    Tick | Connected | ConnectionFailed | HandshakeFailed | LocalFailure | DataReceived | PeerClosed | HeldUp | WentOn
)

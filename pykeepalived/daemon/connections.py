"""Non-blocking sockets of the checkers: a way to dial each target, made once, and the sockets it opens."""

import errno
import os
import socket

from pykeepalived.config.blocks.checkers import Target

# of the server or the network; every other errno is our own machine's trouble (behaviour of keepalived)
REFUSALS = frozenset(
    (
        errno.ENETUNREACH,
        errno.EHOSTUNREACH,
        errno.ECONNREFUSED,
        errno.EHOSTDOWN,
        errno.ENETDOWN,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.ETIMEDOUT,
    )
)
NO_DESCRIPTOR = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen at connect, so it may be shared by destinations

# the C type below socket.socket: half the cost, and nothing is missed here
Connection = socket.SocketType
_KINDS: dict[int, int] = {  # made once: thousands of dialers share them
    kind: kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW)
}
_Address = tuple[str, int] | tuple[str, int, int, int]


class DialError(Exception):
    """The machine could not even start to connect."""

    def __init__(self, action: str, number: int) -> None:
        super().__init__(action, number)
        self.action = action
        self.errno = number


class Dialer:
    """Opens connections to one target, as its options say; ``kind`` may be SOCK_DGRAM, or of ICMP SOCK_RAW."""

    __slots__ = ("_address", "_bind", "_family", "_kind", "_plain", "_protocol", "_target")

    def __init__(self, target: Target, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> None:
        self._target = target
        self._kind = _KINDS[kind]
        self._protocol = protocol
        self._family = socket.AF_INET6 if target.connect_ip.version == 6 else socket.AF_INET
        self._address: _Address = (str(target.connect_ip), target.connect_port)
        self._bind: _Address | None = None
        if target.bindto is not None or target.bind_port:
            anywhere = "::" if self._family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - of the connecting side
            self._bind = (str(target.bindto or anywhere), target.bind_port)
        self._plain = self._bind is None and not target.fwmark and target.bind_if is None

    def dial(self) -> tuple[Connection, int]:
        """Start a connection: its socket, and 0 (it stands), EINPROGRESS, or a refusal. Raises DialError."""
        try:
            connection = Connection(self._family, self._kind, self._protocol)
        except OSError as error:
            raise DialError("create", error.errno or errno.EIO) from None
        if not self._plain:
            try:
                self._prepare(connection)
            except OSError as error:
                connection.close()
                raise DialError("bind", error.errno or errno.EIO) from None
        number = connection.connect_ex(self._address)
        if number not in (0, errno.EINPROGRESS) and number not in REFUSALS:
            connection.close()
            raise DialError("connect", number)
        return connection, number

    def outcome(self, connection: Connection) -> int:
        """How an attempt has gone: 0 (it stands), EALREADY (not decided), or an errno."""
        number = connection.connect_ex(self._address)
        return 0 if number == errno.EISCONN else number

    def _prepare(self, connection: Connection) -> None:
        target = self._target
        if target.fwmark:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, target.fwmark)
        if target.bind_if is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, os.fsencode(target.bind_if) + b"\0")
            if target.connect_ip.is_link_local and self._family == socket.AF_INET6:
                # looked up each time: an interface that is made anew has another index
                scope = socket.if_nametoindex(target.bind_if)
                self._address = (str(target.connect_ip), target.connect_port, 0, scope)
        if self._bind is not None:
            if target.bind_port:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            else:
                connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            bind = self._bind
            if target.bindto is not None and target.bindto.is_link_local and len(self._address) == 4:
                bind = (bind[0], bind[1], 0, self._address[3])
            connection.bind(bind)

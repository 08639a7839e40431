"""Non-blocking sockets of the checkers: how a target is dialled."""

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

_DRAWN = 32768  # net.ipv4.ip_local_port_range begins there; most servers listen below, and to ask costs a system call
_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is chosen at connect, so it may be shared by destinations

# the C type below socket.socket: half the cost, and nothing is missed here
Connection = socket.SocketType
_KINDS: dict[int, int] = {  # made once
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


def dial(target: Target, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> tuple[Connection, int]:
    """Start a connection to the target, as its options say: its socket, and 0 (it stands), EINPROGRESS, or a refusal.
    ``kind`` may be SOCK_DGRAM, or with a protocol, which has no ports, SOCK_RAW. Raises DialError.

    Nothing of it is kept until the next try: with thousands of targets that would cost more to find than to make.
    """
    ip = target.connect_ip
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    try:
        connection = Connection(family, _KINDS[kind], protocol)
    except OSError as error:
        raise DialError("create", error.errno or errno.EIO) from None
    address: _Address = (socket.inet_ntop(family, ip.packed), 0 if protocol else target.connect_port)
    if target.bindto is not None or target.bind_if is not None or target.bind_port or target.fwmark:
        try:
            address = _prepare(connection, target, address, 0 if protocol else target.bind_port)
        except OSError as error:
            connection.close()
            raise DialError("bind", error.errno or errno.EIO) from None
    number = connection.connect_ex(address)
    if number and number != errno.EINPROGRESS and number not in REFUSALS:
        connection.close()
        raise DialError("connect", number)
    return connection, number


def meets_itself(connection: Connection, port: int) -> bool:
    """Whether our end is its own peer: where nobody listens at a port of this machine, the kernel may draw that very
    port for us. TCP then connects to itself (RFC 9293 3.5, simultaneous open), and UDP hears what it sends.
    """
    if port < _DRAWN or connection.getsockname()[1] != port:
        return False
    try:
        return bool(connection.getsockname() == connection.getpeername())
    except OSError:  # it was reset meanwhile
        return False


def _prepare(connection: Connection, target: Target, address: _Address, bind_port: int) -> _Address:
    """Mark and bind it; the address to connect to, with the link that a link-local one is on."""
    bindto, scope = target.bindto, 0
    if target.fwmark:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, target.fwmark)
    if target.bind_if is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, os.fsencode(target.bind_if) + b"\0")
        if target.connect_ip.is_link_local and connection.family == socket.AF_INET6:
            # looked up each time: an interface that is made anew has another index
            scope = socket.if_nametoindex(target.bind_if)
            address = (address[0], address[1], 0, scope)
    if bindto is None and not bind_port:
        return address
    if bind_port:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    elif address[1]:  # raw sockets of IPv6 do not even know the option
        connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    anywhere = "::" if connection.family == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - of the connecting side
    bind: _Address = (str(bindto or anywhere), bind_port)
    if bindto is not None and bindto.is_link_local and scope:
        bind = (bind[0], bind[1], 0, scope)
    connection.bind(bind)
    return address

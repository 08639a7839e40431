"""The raw sockets that adverts go out of. Senders of one kind on one link share one, so that many can send at once."""

import contextlib
import errno
import socket
import struct
from typing import NamedTuple

from pykeepalived.errors import KernelError
from pykeepalived.kernel import socket_filter
from pykeepalived.kernel.ports import Interface

IPPROTO_VRRP = 112
MULTICAST_TTL = 255
CONTROL_CLASS = 0xC0  # Internetwork Control
IPV6_CHECKSUM = 7
CHECKSUM_PLACE = 6

_IPV6_MULTICAST_ALL = 29
_SO_SNDBUFFORCE = 32
_SO_BINDTOIFINDEX = 62
_BUFFER_BYTES = 4 << 20  # 255 long adverts of one link are 0.6 MB as the kernel counts
_MULTICAST_LINK = struct.Struct("=4s4si")  # struct ip_mreqn


class Kind(NamedTuple):
    """What senders that share a socket have in common. ``link`` is an index, 0 any; ``hop_limit`` is of IPv6, None the
    system's own.
    """

    family: int
    link: int
    multicast: bool
    hop_limit: int | None


class SendSocket:
    """One socket, and how many use it."""

    def __init__(self, kind: Kind, interface: Interface | None) -> None:
        self.kind = kind
        self.users = 0
        self.flags = socket.MSG_DONTROUTE if kind.multicast else 0
        self.socket = _opened(kind, interface)


class SendSockets:
    """All that are in use."""

    def __init__(self) -> None:
        self._shared: dict[Kind, SendSocket] = {}

    def take(self, family: int, interface: Interface | None, *, multicast: bool, ttl: int | None) -> SendSocket:
        """The socket for senders of this kind. To be given back. Raises KernelError."""
        index = interface.index if interface is not None else 0
        hop_limit = None if family == socket.AF_INET else MULTICAST_TTL if multicast else ttl
        kind = Kind(family, index, multicast, hop_limit)
        shared = self._shared.get(kind)
        if shared is None:
            shared = self._shared[kind] = SendSocket(kind, interface)
        shared.users += 1
        return shared

    def give_back(self, shared: SendSocket) -> None:
        """Close it after its last user."""
        shared.users -= 1
        if not shared.users:
            del self._shared[shared.kind]
            shared.socket.close()


def bind_to_link(sock: socket.socket, interface: Interface) -> None:
    """By index, which a rename does not change; by name before Linux 5.0."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, interface.index)
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.name.encode() + b"\0")


def raw_socket(family: int, protocol: int) -> socket.socket:
    """A raw socket. Raises KernelError."""
    try:
        return socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    except OSError as error:
        raise KernelError("open a raw socket", error.errno or errno.EIO) from error


def _opened(kind: Kind, interface: Interface | None) -> socket.socket:
    # IPPROTO_RAW hears nothing of VRRP: the kernel would copy each advert of the link to it
    sock = raw_socket(kind.family, socket.IPPROTO_RAW if kind.family == socket.AF_INET else IPPROTO_VRRP)
    try:
        socket_filter.attach(sock, socket_filter.DROP_ALL)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        _enlarge(sock)
        if kind.family == socket.AF_INET:
            _set_up4(sock, kind)
        else:
            _set_up6(sock, kind)
        if interface is not None:
            bind_to_link(sock, interface)
    except OSError as error:
        sock.close()
        name = interface.name if interface is not None else "any link"
        raise KernelError(f"prepare to send VRRP on {name}", error.errno or errno.EIO) from error
    return sock


def _enlarge(sock: socket.socket) -> None:
    """Without CAP_NET_ADMIN as far as the system allows."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER_BYTES)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)


def _set_up4(sock: socket.socket, kind: Kind) -> None:
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    if kind.link:
        membership = _MULTICAST_LINK.pack(b"\0" * 4, b"\0" * 4, kind.link)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, membership)


def _set_up6(sock: socket.socket, kind: Kind) -> None:
    # bound to an address nobody writes to, for the same reason; the source is named with each send
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
        sock.bind(("::1", 0))
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, CHECKSUM_PLACE)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, CONTROL_CLASS)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    if kind.multicast:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, MULTICAST_TTL)
        if kind.link:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, kind.link)
    elif kind.hop_limit is not None:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, kind.hop_limit)

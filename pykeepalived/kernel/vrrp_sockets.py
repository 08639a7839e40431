"""The raw sockets of VRRP: one kind receives a link's adverts, the other sends an instance's.

They know the IP layer of RFC 9568 5.1 and nothing of what the messages say. An IPv4 raw socket shows the IP header; an
IPv6 one does not, so hop limit and destination come as ancillary data.
"""

import contextlib
import errno
import socket
import struct
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from pykeepalived.errors import KernelError
from pykeepalived.kernel import socket_filter
from pykeepalived.kernel.batches import Batch, datagram
from pykeepalived.kernel.flood_filter import Wanted, guard_program
from pykeepalived.kernel.ports import MANY, Datagram, Heard, Interface, IPAddress
from pykeepalived.kernel.repetitions import Repetition, RepetitionFilter, RepetitionFilters

IPPROTO_VRRP = 112

_IP_FREEBIND = 15
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
_IPV6_FREEBIND = 78
_IPV6_CHECKSUM = 7
_SO_RCVBUFFORCE = 33
_SO_BINDTOIFINDEX = 62

_CHECKSUM_PLACE = 6
_CONTROL_CLASS = 0xC0  # Internetwork Control
_MULTICAST_TTL = 255
_BUFFER_BYTES = 8192  # 255 IPv6 addresses take 4.1 KiB; of anything longer the length alone matters
_MOST_BYTES = (1 << 30) - 1  # the kernel doubles it
_LEAST_PDU = 8  # VRRP's header, in both versions
_LEAST_IPV4 = 20

_IPV4 = struct.Struct("!BBHHHBBH4s4s")  # RFC 791 3.1, without options
_IPV4_RECEIVED = struct.Struct("!BxHxxxxBxxx4s4s")
_SHORT = struct.Struct("!H")
_IDENTIFICATION_PLACE = 4
_INT = struct.Struct("=i")
_PKTINFO6 = struct.Struct("=16si")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_INT.size) + socket.CMSG_SPACE(_PKTINFO6.size)


class LinuxAdvertReceiver:
    """Receives the adverts sent to a group (or, unicast, to an address of ours) on one link; unicast ones on any, where
    none is named.
    """

    protocol = IPPROTO_VRRP
    vrid_behind = 0
    """How many bytes stand between the IP header and the VRRP message."""

    def __init__(
        self,
        family: int,
        interface: Interface | None,
        *,
        group: IPAddress | None,
        unicast_source: IPAddress | None,
        filters: RepetitionFilters | None = None,
    ) -> None:
        self._family = family
        self._filters = filters
        self._repetitions: RepetitionFilter | None = None
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self.dropped = 0
        """Datagrams that were no VRRP message at all: header lengths that lie, too short to name a router."""
        self._socket = _raw_socket(family, self.protocol)
        try:
            # until it is set up, packets may come from anywhere
            socket_filter.attach(self._socket, socket_filter.DROP_ALL)
            if interface is not None:
                _bind_to_link(self._socket, interface)
            local = group if group is not None else unicast_source
            index = 0 if interface is None else interface.index
            if family == socket.AF_INET:
                self._open4(index, group, local)
            else:
                self._open6(index, group, local)
            _drain(self._socket)
            socket_filter.attach(self._socket, socket_filter.PASS_ALL)
        except OSError as error:
            self._socket.close()
            name = "any link" if interface is None else interface.name
            raise KernelError(f"listen for VRRP on {name}", error.errno or errno.EIO) from error

    def _open4(self, index: int, group: IPAddress | None, local: IPAddress | None) -> None:
        sock = self._socket
        sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        if group is not None:
            membership = struct.pack("=4s4si", group.packed, b"\0" * 4, index)  # struct ip_mreqn
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        if local is not None:
            sock.bind((str(local), 0))

    def _open6(self, index: int, group: IPAddress | None, local: IPAddress | None) -> None:
        sock = self._socket
        with contextlib.suppress(OSError):  # Linux before 4.20
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
        with contextlib.suppress(OSError):  # Linux before 4.15
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_CHECKSUM, _CHECKSUM_PLACE)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        if group is not None:
            membership = struct.pack("=16si", group.packed, index)  # struct ipv6_mreq
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
        if local is not None:
            sock.bind((str(local), 0, 0, index))

    def fileno(self) -> int:
        """The descriptor to watch."""
        return self._socket.fileno()

    def close(self) -> None:
        """Leave the group and close."""
        self._socket.close()
        if self._filters is not None and self._repetitions is not None:
            self._filters.give_back(self._repetitions)
            self._repetitions = None

    def listen_for(self, vrids: frozenset[int]) -> None:
        """Let the kernel drop other VRIDs (by BPF)."""
        if self._filters is not None and self._repetitions is None:
            self._repetitions = self._filters.take(self._family)
        try:
            if self._repetitions is not None:
                self._repetitions.attach(self._socket, vrids)
                return
            socket_filter.attach(self._socket, socket_filter.vrid_program(self._family, vrids, self.vrid_behind))
        except OSError as error:
            raise KernelError("filter VRRP by router", error.errno or errno.EIO) from error

    def take_in(self, vrid: int, heard: Heard) -> Repetition | None:
        """Let the kernel take in the packets that are equal to this one, where it can."""
        return None if self._repetitions is None else self._repetitions.take_in(vrid, heard)

    def hand_up(self, vrid: int) -> None:
        """No longer let the kernel take in packets of this VRID."""
        if self._repetitions is not None:
            self._repetitions.end(vrid)

    def hold(self, size: int) -> None:
        """Let so many bytes wait; without CAP_NET_ADMIN no more than the system allows."""
        size = min(size, _MOST_BYTES)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
        except OSError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)

    def guard(self, wanted: Wanted) -> None:
        """Let the kernel drop also what is plainly no advert as these VRIDs expect it, until ``listen_for`` again."""
        try:
            socket_filter.attach(self._socket, guard_program(self._family, wanted))
        except OSError as error:
            raise KernelError("guard against a flood", error.errno or errno.EIO) from error

    def receive_many(self) -> Sequence[Heard]:
        """What waits, at most MANY."""
        if self._family == socket.AF_INET:
            try:
                return _batch().receive(self._socket.fileno())
            except OSError:  # the link went down, or such: netlink tells that better
                self.dropped += 1
                return ()
        return self._receive_each()

    def datagram(self, heard: Heard) -> Datagram | None:
        """What was received, None when it is no VRRP message at all."""
        if not isinstance(heard, bytes):
            return heard
        found = datagram(heard)
        if found is None:
            self.dropped += 1
        return found

    def _receive_each(self) -> Sequence[Datagram]:
        return tuple(islice(iter(self.receive, None), MANY))

    def receive(self) -> Datagram | None:
        """The next datagram, or None when there is none (never blocks, never raises for what a peer sent)."""
        return self._receive4() if self._family == socket.AF_INET else self._receive6()

    def _receive4(self) -> Datagram | None:
        while True:
            try:
                length = self._socket.recv_into(self._buffer, 0, socket.MSG_TRUNC)
            except BlockingIOError:
                return None
            except OSError:  # the link went down, or such: netlink tells that better
                self.dropped += 1
                return None
            end = min(length, _BUFFER_BYTES)
            if end < _LEAST_IPV4:
                self.dropped += 1
                continue
            first, total, ttl, source, destination = _IPV4_RECEIVED.unpack_from(self._buffer)
            header = (first & 15) * 4
            if first >> 4 != 4 or header < _LEAST_IPV4 or end < header + _LEAST_PDU:
                self.dropped += 1
                continue
            return Datagram(source, destination, ttl, bytes(self._view[header:end]), total - header)

    def _receive6(self) -> Datagram | None:
        while True:
            try:
                length, ancillary, _, sender = self._socket.recvmsg_into(
                    [self._buffer], _ANCILLARY_BYTES, socket.MSG_TRUNC
                )
            except BlockingIOError:
                return None
            except OSError:
                self.dropped += 1
                return None
            hop_limit = -1
            destination = b""
            for level, kind, data in ancillary:
                if level == socket.IPPROTO_IPV6:
                    if kind == socket.IPV6_HOPLIMIT:
                        (hop_limit,) = _INT.unpack(data)
                    elif kind == socket.IPV6_PKTINFO:
                        destination, _ = _PKTINFO6.unpack(data)
            if length < _LEAST_PDU or hop_limit < 0 or not destination:
                self.dropped += 1
                continue
            source = socket.inet_pton(socket.AF_INET6, sender[0].partition("%")[0])
            end = min(length, _BUFFER_BYTES)
            return Datagram(source, destination, hop_limit, bytes(self._view[:end]), length)


class _Datagram4(NamedTuple):
    """The last advert to one destination: an unchanged one is sent again with another identification."""

    source: bytes
    pdu: bytes
    data: bytearray
    where: tuple[str, int]


class LinuxAdvertSender:
    """Sends one instance's adverts. ``interface`` may be None for unicast; ``ttl`` None is the protocol's default."""

    protocol = IPPROTO_VRRP

    def __init__(self, family: int, interface: Interface | None, *, multicast: bool, ttl: int | None) -> None:
        self._family = family
        self._flags = socket.MSG_DONTROUTE if multicast else 0
        self._index = interface.index if interface is not None else 0
        self._identification = 0
        self._ttl = ttl if ttl is not None and not multicast else _MULTICAST_TTL
        self._datagrams: dict[bytes, _Datagram4] = {}
        self._where: dict[bytes, tuple[str, int, int, int]] = {}
        self._source = b""
        self._ancillary: list[tuple[int, int, bytes]] = []
        # IPPROTO_RAW hears nothing of VRRP: with hundreds of senders the kernel would copy each advert to all of them
        self._socket = _raw_socket(family, socket.IPPROTO_RAW if family == socket.AF_INET else IPPROTO_VRRP)
        try:
            socket_filter.attach(self._socket, socket_filter.DROP_ALL)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
            if family == socket.AF_INET:
                self._open4()
            else:
                self._open6(self._ttl if multicast else ttl, multicast=multicast)
            if interface is not None:
                _bind_to_link(self._socket, interface)
        except OSError as error:
            self._socket.close()
            name = interface.name if interface is not None else "any link"
            raise KernelError(f"prepare to send VRRP on {name}", error.errno or errno.EIO) from error

    def _open4(self) -> None:
        sock = self._socket
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        if self._index:
            membership = struct.pack("=4s4si", b"\0" * 4, b"\0" * 4, self._index)  # struct ip_mreqn
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, membership)

    def _open6(self, hop_limit: int | None, *, multicast: bool) -> None:
        sock = self._socket
        # bound to an address nobody writes to, for the same reason; the source is named with each send
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            sock.bind(("::1", 0))
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_CHECKSUM, _CHECKSUM_PLACE)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _CONTROL_CLASS)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        if multicast:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hop_limit or _MULTICAST_TTL)
            if self._index:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self._index)
        elif hop_limit is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hop_limit)

    def close(self) -> None:
        """Close."""
        self._socket.close()

    def send(self, source: bytes, destination: bytes, pdu: bytes) -> int:
        """Send one PDU (VRRP header on), 0 or errno. The IPv4 header is built here, its id counted per sender."""
        if self._family == socket.AF_INET:
            return self._send4(source, destination, pdu)
        return self._send6(source, destination, pdu)

    def _send4(self, source: bytes, destination: bytes, pdu: bytes) -> int:
        self._identification = self._identification % 0xFFFF + 1  # 1, 2, ... 65535, 1
        datagram = self._datagrams.get(destination)
        if datagram is None or datagram.pdu is not pdu or datagram.source != source:
            datagram = self._datagrams[destination] = self._datagram4(source, destination, pdu)
        _SHORT.pack_into(datagram.data, _IDENTIFICATION_PLACE, self._identification)
        try:
            self._socket.sendto(datagram.data, self._flags, datagram.where)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def _datagram4(self, source: bytes, destination: bytes, pdu: bytes) -> "_Datagram4":
        header = _IPV4.pack(
            0x45,
            _CONTROL_CLASS,
            _LEAST_IPV4 + len(pdu),
            0,  # the identification differs each time
            0,  # may be fragmented, is not
            self._ttl,
            self.protocol,
            0,  # the kernel's to fill
            source,
            destination,
        )
        where = (socket.inet_ntop(socket.AF_INET, destination), 0)
        return _Datagram4(source, pdu, bytearray(header + pdu), where)

    def _send6(self, source: bytes, destination: bytes, pdu: bytes) -> int:
        if source != self._source:
            self._source = source
            pktinfo = _PKTINFO6.pack(source, self._index)
            self._ancillary = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, pktinfo)]
        try:
            where = self._where[destination]
        except KeyError:
            text = socket.inet_ntop(socket.AF_INET6, destination)
            where = self._where[destination] = (text, 0, 0, self._index)
        try:
            self._socket.sendmsg((pdu,), self._ancillary, self._flags, where)
        except OSError as error:
            return error.errno or errno.EIO
        return 0


@cache
def _batch() -> Batch:
    """One for all sockets: nobody reads from two at once."""
    return Batch()


def _raw_socket(family: int, protocol: int) -> socket.socket:
    try:
        return socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    except OSError as error:
        raise KernelError("open a raw socket", error.errno or errno.EIO) from error


def _bind_to_link(sock: socket.socket, interface: Interface) -> None:
    """By index, which a rename does not change; by name before Linux 5.0."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, interface.index)
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.name.encode() + b"\0")


def _drain(sock: socket.socket) -> None:
    """Throw away what arrived before the socket was set up."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(1 << 16):
            sock.recv(1)

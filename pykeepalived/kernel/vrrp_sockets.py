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
from typing import NamedTuple, cast

from pykeepalived.errors import KernelError
from pykeepalived.kernel import socket_filter
from pykeepalived.kernel.batches import Batch, datagram
from pykeepalived.kernel.flood_filter import Wanted, guard_program
from pykeepalived.kernel.ports import MANY, Advert, Datagram, Heard, Interface, IPAddress
from pykeepalived.kernel.repetitions import Repetition, RepetitionFilter, RepetitionFilters
from pykeepalived.kernel.send_batches import Letter, SendBatch
from pykeepalived.kernel.send_sockets import (
    CHECKSUM_PLACE,
    CONTROL_CLASS,
    IPPROTO_VRRP,
    IPV6_CHECKSUM,
    MULTICAST_TTL,
    SendSocket,
    SendSockets,
    bind_to_link,
    raw_socket,
)

_IP_FREEBIND = 15
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
_IPV6_FREEBIND = 78
_SO_RCVBUFFORCE = 33

_BUFFER_BYTES = 8192  # 255 IPv6 addresses take 4.1 KiB; of anything longer the length alone matters
_MOST_BYTES = (1 << 30) - 1  # the kernel doubles it
_LEAST_PDU = 8  # VRRP's header, in both versions
_LEAST_IPV4 = 20
_IPV4_BYTES = 4

_IPV4 = struct.Struct("!BBHHHBBH4s4s")  # RFC 791 3.1, without options
_IPV4_RECEIVED = struct.Struct("!BxHxxxxBxxx4s4s")
_SHORT = struct.Struct("!H")
_IDENTIFICATION_PLACE = 4
_INT = struct.Struct("=i")
_PKTINFO6 = struct.Struct("=16si")
_ADDRESS4 = struct.Struct("=HH4s8x")  # struct sockaddr_in
_ADDRESS6 = struct.Struct("=HHI16sI")  # struct sockaddr_in6
_SOURCE6 = struct.Struct("=Qii16si4x")  # struct cmsghdr with in6_pktinfo
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
        self._socket = raw_socket(family, self.protocol)
        try:
            # until it is set up, packets may come from anywhere
            socket_filter.attach(self._socket, socket_filter.DROP_ALL)
            if interface is not None:
                bind_to_link(self._socket, interface)
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
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, CHECKSUM_PLACE)
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


class Prepared(NamedTuple):
    """The last advert to one destination, for as long as it is repeated."""

    source: bytes
    pdu: bytes
    letter: Letter
    where: tuple[str, int] | tuple[str, int, int, int]


class LinuxAdvertSender:
    """Sends one instance's adverts. ``interface`` may be None for unicast; ``ttl`` None is the protocol's default.

    Senders that have ``sockets`` in common share those of their kind.
    """

    protocol = IPPROTO_VRRP

    __slots__ = ("_family", "_flags", "_identification", "_index", "_prepared", "_sockets", "_ttl", "out")

    def __init__(
        self,
        family: int,
        interface: Interface | None,
        *,
        multicast: bool,
        ttl: int | None,
        sockets: SendSockets | None = None,
    ) -> None:
        self._family = family
        self._index = interface.index if interface is not None else 0
        self._identification = 0
        self._ttl = ttl if ttl is not None and not multicast else MULTICAST_TTL
        self._prepared: dict[bytes, Prepared] = {}
        self._sockets = SendSockets() if sockets is None else sockets
        self.out = self._sockets.take(family, interface, multicast=multicast, ttl=ttl)
        self._flags = self.out.flags

    def close(self) -> None:
        """Close."""
        self._sockets.give_back(self.out)

    def send(self, source: bytes, destination: bytes, pdu: bytes) -> int:
        """Send one PDU (VRRP header on), 0 or errno. The IPv4 header is built here, its id counted per sender."""
        prepared = self._ready(source, destination, pdu)
        try:
            if self._family == socket.AF_INET:
                self.out.socket.sendto(prepared.letter.octets, self._flags, prepared.where)
            else:
                ancillary = ((socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _PKTINFO6.pack(source, self._index)),)
                self.out.socket.sendmsg((pdu,), ancillary, self._flags, prepared.where)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def _ready(self, source: bytes, destination: bytes, pdu: bytes) -> Prepared:
        """What is to go out now: an unchanged advert differs in its identification alone."""
        prepared = self.prepared(source, destination, pdu)
        if self._family == socket.AF_INET:
            self.number(prepared.letter.octets)
        return prepared

    def prepared(self, source: bytes, destination: bytes, pdu: bytes) -> Prepared:
        """An advert, which stays the same until there is another one for its destination."""
        prepared = self._prepared.get(destination)
        if prepared is None or prepared.pdu is not pdu or prepared.source != source:
            prepare = self._prepare4 if self._family == socket.AF_INET else self._prepare6
            prepared = self._prepared[destination] = prepare(source, destination, pdu)
        return prepared

    def number(self, octets: memoryview) -> None:
        """Give an IPv4 advert its identification."""
        self._identification = number = self._identification % 0xFFFF + 1  # 1, 2, ... 65535, 1
        _SHORT.pack_into(octets, _IDENTIFICATION_PLACE, number)

    def _prepare4(self, source: bytes, destination: bytes, pdu: bytes) -> Prepared:
        header = _IPV4.pack(
            0x45,
            CONTROL_CLASS,
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
        return Prepared(source, pdu, Letter(_ADDRESS4.pack(socket.AF_INET, 0, destination), header + pdu), where)

    def _prepare6(self, source: bytes, destination: bytes, pdu: bytes) -> Prepared:
        address = _ADDRESS6.pack(socket.AF_INET6, 0, 0, destination, self._index)
        letter = Letter(
            address,
            pdu,
            _SOURCE6.pack(_SOURCE6.size - 4, socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, source, self._index),
        )
        return Prepared(source, pdu, letter, (socket.inet_ntop(socket.AF_INET6, destination), 0, 0, self._index))


class LinuxAdvertBundle:
    """Adverts of senders that share few sockets. None is under AH: those differ each time."""

    def __init__(self, adverts: Sequence[Advert]) -> None:
        self._numbered: list[tuple[LinuxAdvertSender, memoryview]] = []
        shared: dict[SendSocket, list[tuple[int, Letter]]] = {}
        for place, (sender, source, destination, pdu) in enumerate(adverts):
            linux = cast("LinuxAdvertSender", sender)
            letter = linux.prepared(source, destination, pdu).letter
            shared.setdefault(linux.out, []).append((place, letter))
            if len(source) == _IPV4_BYTES:
                self._numbered.append((linux, letter.octets))
        self._batches = [
            (SendBatch(out.socket, out.flags, [letter for _, letter in letters]), [place for place, _ in letters])
            for out, letters in shared.items()
        ]

    def send(self) -> list[tuple[int, int]]:
        """Send each once. The places of those that the kernel refused, with errno."""
        for sender, octets in self._numbered:
            sender.number(octets)
        return [(places[place], code) for batch, places in self._batches for place, code in batch.send()]


@cache
def _batch() -> Batch:
    """One for all sockets: nobody reads from two at once."""
    return Batch()


def _drain(sock: socket.socket) -> None:
    """Throw away what arrived before the socket was set up."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(1 << 16):
            sock.recv(1)

"""What really went over an Ethernet segment, from whom and when: the judge no daemon can argue with.

One AF_PACKET socket in the segment's namespace sees each frame as it comes in at a bridge port, so a frame's sender is
the cable it came from and not what its headers say. Times are the kernel's, in nanoseconds of the real-time clock
(compare with `now`). Decoding is scapy's alone; nothing of the package under test is used here.
"""

import contextlib
import ctypes
import ipaddress
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from scapy.layers.inet import IP, in4_chksum
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6, in6_chksum
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vrrp import VRRP, VRRPv3
from scapy.utils import checksum

from tests.support.netns import Host, Segment, inside, packet_socket

SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
SO_ATTACH_FILTER = 26
SECOND = 1_000_000_000
AH_LENGTH = 24


SKF_AD_PKTTYPE = 0xFFFFF000 + 4
SKF_AD_IFINDEX = 0xFFFFF000 + 8


def _from(ports: Sequence[int]) -> tuple[tuple[int, int, int, int], ...]:
    """Classic BPF that ends here unless a frame comes in at one of these ports."""
    return (
        (0x20, 0, 0, SKF_AD_PKTTYPE),
        (0x15, len(ports) + 1, 0, socket.PACKET_OUTGOING),
        (0x20, 0, 0, SKF_AD_IFINDEX),
        *((0x15, len(ports) - place, 0, port) for place, port in enumerate(ports)),
        (0x06, 0, 0, 0),
    )


def _filter(snap: int) -> tuple[tuple[int, int, int, int], ...]:
    """Classic BPF that passes VRRP over IPv4 (also signed) and IPv6, ARP, neighbour advertisements, and nothing else.

    Each line is an operation, how many lines to skip when true and when false, and a value.
    """
    return (
        (0x28, 0, 0, 12),  # load the EtherType
        (0x15, 0, 3, 0x0800),  # IPv4?
        (0x30, 0, 0, 23),  # load its protocol
        (0x15, 8, 0, 112),  # VRRP: pass
        (0x15, 7, 8, 51),  # under an Authentication Header: pass, else drop
        (0x15, 6, 0, 0x0806),  # ARP: pass
        (0x15, 0, 6, 0x86DD),  # IPv6? else drop
        (0x30, 0, 0, 20),  # load its next header
        (0x15, 3, 0, 112),  # VRRP: pass
        (0x15, 0, 3, 58),  # ICMPv6? else drop
        (0x30, 0, 0, 54),  # load its type
        (0x15, 0, 1, 136),  # neighbour advertisement: pass, else drop
        (0x06, 0, 0, snap),
        (0x06, 0, 0, 0),
    )


def now() -> int:
    """The present instant on the clock that stamps the frames."""
    return time.time_ns()


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it entered the segment."""

    at: int
    sender: str
    octets: bytes

    @property
    def packet(self) -> Any:
        """The frame as scapy reads it."""
        return Ether(self.octets)


@dataclass(frozen=True, slots=True)
class Advert:
    """A VRRP advertisement, decoded by scapy."""

    at: int
    sender: str
    source: str
    destination: str
    ttl: int
    version: int
    vrid: int
    priority: int
    interval: int
    addresses: tuple[str, ...]
    auth_type: int
    auth_data: bytes
    checksum_is_right: bool
    octets: bytes


@dataclass(frozen=True, slots=True)
class Announcement:
    """A gratuitous ARP or an unsolicited neighbour advertisement: this address is at this Ethernet address."""

    at: int
    sender: str
    kind: str
    address: str
    mac: str
    octets: bytes


def advert(frame: Frame) -> Advert | None:
    """The advertisement in a frame, if it is one."""
    packet = frame.packet
    signed = IP in packet and packet[IP].proto == 51
    layer = packet.getlayer(VRRPv3) or packet.getlayer(VRRP)
    if layer is None and not signed:
        return None
    over_ipv6 = IPv6 in packet
    network = packet[IPv6] if over_ipv6 else packet[IP]
    octets = bytes(network.payload)
    if signed:
        octets = octets[AH_LENGTH:]
        layer = VRRP(octets)
    unsigned = octets[:6] + bytes(2) + octets[8:]
    if over_ipv6:
        right = in6_chksum(112, network, unsigned)
    else:
        right = checksum(unsigned) if layer.version == 2 else in4_chksum(112, network, unsigned)
    auth_type, auth_data, interval = 0, b"", layer.adv * SECOND
    if layer.version == 3:
        interval //= 100
    elif over_ipv6:  # which scapy does not know: version 2 in version 3's clothes, without authentication
        layer = VRRPv3(octets, _underlayer=network)
    else:
        auth_type, auth_data = layer.authtype, struct.pack("!II", layer.auth1, layer.auth2)
    return Advert(
        at=frame.at,
        sender=frame.sender,
        source=network.src,
        destination=network.dst,
        ttl=network.hlim if over_ipv6 else network.ttl,
        version=layer.version,
        vrid=layer.vrid,
        priority=layer.priority,
        interval=interval,
        addresses=tuple(layer.addrlist),
        auth_type=auth_type,
        auth_data=auth_data,
        checksum_is_right=right == layer.chksum,
        octets=frame.octets,
    )


def announcement(frame: Frame) -> Announcement | None:
    """The gratuitous ARP or unsolicited neighbour advertisement in a frame, if it is one."""
    packet = frame.packet
    if ARP in packet and packet[ARP].psrc == packet[ARP].pdst:
        return Announcement(frame.at, frame.sender, "GARP", packet[ARP].psrc, packet[ARP].hwsrc, frame.octets)
    if ICMPv6ND_NA in packet and ipaddress.ip_address(packet[IPv6].dst).is_multicast:
        option = packet.getlayer(ICMPv6NDOptDstLLAddr)
        mac = "" if option is None else option.lladdr
        return Announcement(frame.at, frame.sender, "NA", packet[ICMPv6ND_NA].tgt, mac, frame.octets)
    return None


class Capture:
    """A running capture of one segment.

    With `deferred` nothing is read before the end (`frames` after `stop`), so that a benchmark is not disturbed. Only
    the frames of `senders` are looked at, of everybody when none is named.
    """

    def __init__(
        self,
        segment: Segment,
        *,
        deferred: bool = False,
        buffer: int = 8 << 20,
        snap: int = 0x40000,
        senders: Sequence[Host] = (),
    ) -> None:
        self._senders = {cable.port: cable.host.name for cable in segment.cables}
        ports = [cable.port for cable in segment.cables if cable.host in senders]
        indexes = inside(segment.namespace, lambda: [socket.if_nametoindex(port) for port in ports])
        self._socket = packet_socket(segment.namespace)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        _attach(self._socket, (*(_from(indexes) if senders else ()), *_filter(snap)))
        with contextlib.suppress(OSError):
            while True:  # what came in before the filter stood
                self._socket.recv(0x10000)
        self._deferred = deferred
        self._stopping = False
        self._news = threading.Condition()
        self._frames: list[Frame] = []
        self._adverts: list[Advert] = []
        self._announcements: list[Announcement] = []
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)

    def __enter__(self) -> Self:
        if not self._deferred:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Read what is still waiting, and end."""
        if self._stopping:
            return
        self._stopping = True
        if self._deferred:
            _attach(self._socket, ((0x06, 0, 0, 0),))  # let nothing more in, or reading would never end
            self._drain()
        else:
            self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while not self._stopping:
            select.select([self._socket], [], [], 0.05)
            self._drain()

    def _drain(self) -> None:
        fresh = []
        with contextlib.suppress(BlockingIOError):
            while True:
                # A device that goes away or down is told once as an error; the others go on.
                try:
                    octets, ancillary, _, (port, _, kind, *_) = self._socket.recvmsg(0x10000, 64)
                except OSError as error:
                    if isinstance(error, BlockingIOError):
                        raise
                    continue
                sender = self._senders.get(port)
                if kind == socket.PACKET_OUTGOING or sender is None:
                    continue
                seconds, fraction = struct.unpack("@qq", ancillary[0][2])
                fresh.append(Frame(seconds * SECOND + fraction, sender, octets))
        if not fresh:
            return
        if self._deferred:
            self._frames.extend(fresh)
            return
        adverts = [seen for frame in fresh if (seen := advert(frame))]
        announcements = [told for frame in fresh if (told := announcement(frame))]
        with self._news:
            self._frames.extend(fresh)
            self._adverts.extend(adverts)
            self._announcements.extend(announcements)
            self._news.notify_all()

    def frames(self) -> list[Frame]:
        """All frames so far."""
        with self._news:
            return list(self._frames)

    def adverts(self, sender: str | None = None, *, since: int = 0) -> list[Advert]:
        """The advertisements so far, of one sender or of all, from an instant on."""
        with self._news:
            return [one for one in self._adverts if one.at >= since and sender in {None, one.sender}]

    def announcements(self, sender: str | None = None, *, since: int = 0) -> list[Announcement]:
        """The gratuitous ARPs and unsolicited neighbour advertisements so far."""
        with self._news:
            return [one for one in self._announcements if one.at >= since and sender in {None, one.sender}]

    def wait_until(self, condition: Callable[[Self], bool], what: str, *, within: float = 30.0) -> None:
        """Wait for frames that make a condition true; fail with what was seen when they do not come."""
        end = time.monotonic() + within
        while not condition(self):
            with self._news:
                remaining = end - time.monotonic()
                if remaining <= 0:
                    raise AssertionError(f"{what}: not seen on the wire within {within} s\n{self.story()}")
                self._news.wait(min(remaining, 0.2))

    def wait_advert(
        self,
        sender: str,
        *,
        priority: int | None = None,
        vrid: int | None = None,
        since: int = 0,
        count: int = 1,
        within: float = 30.0,
    ) -> Advert:
        """Wait for the count-th advertisement of a sender from an instant on."""

        def matching() -> list[Advert]:
            return [
                one
                for one in self.adverts(sender, since=since)
                if priority in {None, one.priority} and vrid in {None, one.vrid}
            ]

        self.wait_until(
            lambda _: len(matching()) >= count, f"{count} adverts of {sender}, priority {priority}", within=within
        )
        return matching()[count - 1]

    def wait_announcement(
        self, sender: str, address: str, *, since: int = 0, count: int = 1, within: float = 30.0
    ) -> Announcement:
        """Wait for the count-th announcement of an address by a sender from an instant on."""

        def matching() -> list[Announcement]:
            return [one for one in self.announcements(sender, since=since) if one.address == address]

        self.wait_until(
            lambda _: len(matching()) >= count, f"{count} announcements of {address} by {sender}", within=within
        )
        return matching()[count - 1]

    def story(self, last: int = 40) -> str:
        """The last advertisements and announcements in words, for a failure's message."""
        with self._news:
            told = [
                (one.at, f"{one.sender}: advert vrid {one.vrid} priority {one.priority} from {one.source}")
                for one in self._adverts
            ]
            told += [(one.at, f"{one.sender}: {one.kind} {one.address}") for one in self._announcements]
        return "\n".join(f"{at / SECOND:.3f} {text}" for at, text in sorted(told)[-last:])


def _attach(sock: socket.socket, program: tuple[tuple[int, int, int, int], ...]) -> None:
    """Attach a filter in place of the one before."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))

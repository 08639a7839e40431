"""Gratuitous ARP and unsolicited neighbour adverts as layer-2 frames (behaviour: RFC 5227 3, RFC 4861 7.2.6).

scapy builds one template of each, in the loader, where its import costs nobody; a template is plain bytes and the
places of its holes. The VRRP process fills in the source MAC, the address, the Router flag and the checksum.
"""

import contextlib
import errno
import socket
import struct

from pykeepalived.kernel.ports import Interface, IPAddress
from pykeepalived.records import record
from pykeepalived.wire.checksum import checksum

_MAC_BYTES = 6
_ROUTER_FLAG = 0x80  # RFC 4861 4.4: R, S, O in the octet after the checksum
_ADDRESSES_BYTES = 32
_ICMPV6 = 58
_IPV4_BYTES = 4
_FRAMES_KEPT = 1024
_FEW = 16  # sockets that may be of links that are gone
_ROUTER = {False: b"\0", True: b"\1"}
_STALE = frozenset({errno.ENETDOWN, errno.ENXIO, errno.ENODEV})
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})

# what scapy is given to find the holes by: values that occur nowhere else in the frames
_MARK_MAC = "02:a1:b2:c3:d4:e5"
_MARK_IPV4 = "198.51.100.77"
_MARK_IPV6 = "2001:db8:a1b2:c3d4:e5f6:1728:394a:5b6c"


@record(frozen=True, slots=True)
class Template:
    """A frame with holes: where the MAC of the interface and the address belong."""

    frame: bytes
    mac_places: tuple[int, ...]
    address_places: tuple[int, ...]


@record(frozen=True, slots=True)
class FrameTemplates:
    """What the VRRP process is given by the loader."""

    garp: Template
    neighbour_advert: Template
    flags_place: int  # the octet of an NA that holds Router, Solicited, Override
    checksum_place: int


def make_templates() -> FrameTemplates:
    """Have scapy build the frames. Called in the loader only: the import takes 150 ms and 30 MiB."""
    from scapy.config import conf  # noqa: PLC0415

    # it would read the host's routes, of which a router may have a million
    conf.route_autoload = conf.route6_autoload = False
    from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6  # noqa: PLC0415
    from scapy.layers.l2 import ARP, Ether  # noqa: PLC0415

    garp = bytes(
        Ether(dst="ff:ff:ff:ff:ff:ff", src=_MARK_MAC)
        / ARP(op=1, hwsrc=_MARK_MAC, psrc=_MARK_IPV4, hwdst="ff:ff:ff:ff:ff:ff", pdst=_MARK_IPV4)
    )
    advert = (
        Ether(dst="33:33:00:00:00:01", src=_MARK_MAC)
        / IPv6(src=_MARK_IPV6, dst="ff02::1", hlim=255)
        / ICMPv6ND_NA(R=0, S=0, O=1, tgt=_MARK_IPV6, cksum=0)
        / ICMPv6NDOptDstLLAddr(lladdr=_MARK_MAC)
    )
    neighbour_advert = bytes(advert)
    message_place = len(neighbour_advert) - len(advert[ICMPv6ND_NA])
    return FrameTemplates(
        garp=_template(garp, socket.inet_aton(_MARK_IPV4)),
        neighbour_advert=_template(neighbour_advert, socket.inet_pton(socket.AF_INET6, _MARK_IPV6)),
        flags_place=message_place + 4,
        checksum_place=message_place + 2,
    )


def _template(frame: bytes, address: bytes) -> Template:
    mac = bytes.fromhex(_MARK_MAC.replace(":", ""))
    return Template(frame, _places(frame, mac), _places(frame, address))


def _places(frame: bytes, mark: bytes) -> tuple[int, ...]:
    """Where ``mark`` stands in the frame."""
    places = []
    place = frame.find(mark)
    while place >= 0:
        places.append(place)
        place = frame.find(mark, place + 1)
    return tuple(places)


def garp_frame(templates: FrameTemplates, mac: bytes, address: bytes) -> bytes:
    """A gratuitous ARP request for an IPv4 address."""
    return bytes(_filled(templates.garp, mac, address))


def neighbour_advert_frame(templates: FrameTemplates, mac: bytes, address: bytes, *, router: bool) -> bytes:
    """An unsolicited neighbour advert for an IPv6 address: Override, and Router when the host forwards."""
    frame = _filled(templates.neighbour_advert, mac, address)
    if router:
        frame[templates.flags_place] |= _ROUTER_FLAG
    place = templates.checksum_place
    # RFC 8200 8.1: the addresses stand right before the message, whose own field is zero so far; length and next
    # header follow here, since a sum knows no order
    message_place = place - 2
    summed = bytes(frame[message_place - _ADDRESSES_BYTES :])
    length_and_kind = struct.pack("!II", len(frame) - message_place, _ICMPV6)
    struct.pack_into("!H", frame, place, checksum(summed + length_and_kind))
    return bytes(frame)


def _filled(template: Template, mac: bytes, address: bytes) -> bytearray:
    frame = bytearray(template.frame)
    for place in template.mac_places:
        frame[place : place + _MAC_BYTES] = mac
    for place in template.address_places:
        frame[place : place + len(address)] = address
    return frame


class LinuxAnnouncer:
    """Sends them from a packet(7) socket for each link, opened at its first use."""

    def __init__(self, templates: FrameTemplates) -> None:
        self._templates = templates
        self._sockets: dict[int, socket.socket] = {}
        self._look_at = _FEW
        self._frames: dict[bytes, bytes] = {}  # of late: a burst repeats them

    def announce(self, interface: Interface, address: IPAddress, *, router: bool) -> int:
        """Send one frame for ``address`` from ``interface``, 0 or errno. ``router`` sets the Router flag of an NA.

        A link whose addresses are no MACs, or that does no ARP, has nobody to tell: nothing is sent.
        """
        if not interface.arp or len(interface.mac) != _MAC_BYTES:
            return 0
        frame = self._frame(interface.mac, address, router=router)
        code = self._send(interface, frame)
        if code in _STALE:  # said once of a link that went away or down since; it may be back
            self._forget(interface.index)
            code = self._send(interface, frame)
        elif code in _NO_DESCRIPTOR:  # those of other links are opened again when they are needed
            self.close()
            code = self._send(interface, frame)
        return code

    def _frame(self, mac: bytes, address: IPAddress, *, router: bool) -> bytes:
        packed = address.packed
        key = mac + packed + _ROUTER[router]
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= _FRAMES_KEPT:
                self._frames.clear()
            if len(packed) == _IPV4_BYTES:
                frame = garp_frame(self._templates, mac, packed)
            else:
                frame = neighbour_advert_frame(self._templates, mac, packed, router=router)
            self._frames[key] = frame
        return frame

    def close(self) -> None:
        """Close."""
        for index in list(self._sockets):
            self._forget(index)

    def _send(self, interface: Interface, frame: bytes) -> int:
        try:
            sock = self._sockets.get(interface.index)
            if sock is None:
                self._forget_vanished()
                sock = self._sockets[interface.index] = _packet_socket(interface.name)
                if socket.if_nametoindex(interface.name) != interface.index:  # the name is another link's now
                    self._forget(interface.index)
                    return errno.ENODEV
            sock.send(frame)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def _forget_vanished(self) -> None:
        """Virtual links come and go, and each has a number of its own. The list of all links may be long: it is asked
        for when there are twice as many sockets as the last time.
        """
        if len(self._sockets) < self._look_at:
            return
        there = {index for index, _ in socket.if_nameindex()}
        for index in self._sockets.keys() - there:
            self._forget(index)
        self._look_at = max(_FEW, 2 * len(self._sockets))

    def _forget(self, index: int) -> None:
        sock = self._sockets.pop(index, None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()


def _packet_socket(name: str) -> socket.socket:
    """A socket that receives nothing (protocol 0) and sends on this link."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    try:
        sock.bind((name, 0))
    except OSError:
        sock.close()
        raise
    return sock

"""Raw VRRP sockets on a real veth: what goes over the wire, and what comes in from it."""

import errno
import socket
import struct
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from pykeepalived.kernel.ah_sockets import AhAdvertReceiver, AhAdvertSender
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.ports import Datagram, HostAddress, Interface, IPAddress
from pykeepalived.kernel.vrrp_sockets import LinuxAdvertReceiver, LinuxAdvertSender
from pykeepalived.wire import ah
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)
GROUP: dict[int, IPAddress] = {V4: IPv4Address("224.0.0.18"), V6: IPv6Address("ff02::12")}
LEFT: dict[int, IPAddress] = {V4: IPv4Address("10.9.0.1"), V6: IPv6Address("fe80::1")}
RIGHT: dict[int, IPAddress] = {V4: IPv4Address("10.9.0.2"), V6: IPv6Address("fe80::2")}
FAMILIES = pytest.mark.parametrize("family", [V4, V6], ids=["ipv4", "ipv6"])


class Deaf:
    """A listener that does not care."""

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None: ...

    def address_added(self, address: HostAddress) -> None: ...

    def address_removed(self, address: HostAddress) -> None: ...


def pdu(vrid: int = 51, *, length: int = 12) -> bytes:
    """A VRRPv3 message for ``vrid``; its checksum is right for nobody."""
    return (bytes([0x31, vrid, 100, 1, 0, 100, 0, 0]) + bytes(range(200)))[:length]


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Namespace, Namespace]]:
    with veth_pair() as (left, right):
        for namespace, addresses in ((left, LEFT), (right, RIGHT)):
            namespace.ip(f"addr add {addresses[V4]}/24 dev eth0")
            namespace.ip(f"addr add {addresses[V6]}/64 dev eth0 nodad")
        time.sleep(0.2)  # for the link-local addresses of the kernel's own making
        yield left, right


def link(namespace: Namespace) -> Interface:
    def read() -> Interface:
        host = LinuxHost(Deaf())
        found = host.interface("eth0")
        host.close()
        assert found is not None
        return found

    return namespace.call(read)


def receiver(namespace: Namespace, family: int, **options: Any) -> LinuxAdvertReceiver:
    options = {"group": GROUP[family], "unicast_source": None, **options}
    interface = link(namespace)
    return namespace.call(lambda: LinuxAdvertReceiver(family, interface, **options))


def sender(namespace: Namespace, family: int, **options: Any) -> LinuxAdvertSender:
    options = {"multicast": True, "ttl": None, **options}
    interface = options.pop("interface", link(namespace))
    return namespace.call(lambda: LinuxAdvertSender(family, interface, **options))


def sniffer(namespace: Namespace) -> socket.socket:
    def open_it() -> socket.socket:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind(("eth0", 0))
        sock.settimeout(1)
        return sock

    return namespace.call(open_it)


def next_vrrp(sock: socket.socket) -> bytes:
    """The next frame on the link that carries VRRP."""
    while True:
        frame = sock.recv(4096)
        if (frame[12:14] == b"\x08\x00" and frame[23] == 112) or (frame[12:14] == b"\x86\xdd" and frame[20] == 112):
            return frame


def waited(source: LinuxAdvertReceiver) -> Datagram | None:
    for _ in range(100):
        datagram = source.receive()
        if datagram is not None:
            return datagram
        time.sleep(0.002)
    return None


def test_an_ipv4_advert_on_the_wire(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    out, ear = sender(left, V4), sniffer(right)
    for expected in (1, 2):
        assert out.send(LEFT[V4].packed, GROUP[V4].packed, pdu()) == 0
        frame = next_vrrp(ear)
        assert frame[:6].hex(":") == "01:00:5e:00:00:12"
        assert frame[6:12] == link(left).mac
        head = struct.unpack("!BBHHHBBH4s4s", frame[14:34])
        assert head[:7] == (0x45, 0xC0, 32, expected, 0, 255, 112)
        assert head[8:] == (LEFT[V4].packed, GROUP[V4].packed)
        assert frame[34:46] == pdu()
    out.close()
    ear.close()


def test_the_ipv4_identification_skips_zero(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    out, ear = sender(left, V4), sniffer(right)
    out._identification = 0xFFFE
    seen = []
    for _ in range(3):
        out.send(LEFT[V4].packed, GROUP[V4].packed, pdu())
        seen.append(struct.unpack_from("!H", next_vrrp(ear), 18)[0])
    assert seen == [0xFFFF, 1, 2]
    out.close()
    ear.close()


def test_an_ipv6_advert_on_the_wire(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    out, ear = sender(left, V6), sniffer(right)
    assert out.send(LEFT[V6].packed, GROUP[V6].packed, pdu()) == 0
    frame = next_vrrp(ear)
    assert frame[:6].hex(":") == "33:33:00:00:00:12"
    assert struct.unpack("!I", frame[14:18])[0] >> 20 == 0x6C0  # version 6, class 0xc0
    assert frame[20:22] == bytes([112, 255])
    assert frame[22:54] == LEFT[V6].packed + GROUP[V6].packed
    message = frame[54:66]
    assert message[:6] + message[8:] == pdu()[:6] + pdu()[8:]
    words = struct.unpack("!22H", frame[22:54] + message)
    total = sum(words) + len(message) + 112
    assert (total & 0xFFFF) + (total >> 16) in {0xFFFF, 0x1FFFE}
    out.close()
    ear.close()


@pytest.mark.parametrize(
    ("family", "ttl", "expected"), [(V4, None, 255), (V4, 7, 7), (V6, None, 64), (V6, 7, 7), (V6, 255, 255)]
)
def test_the_ttl_of_unicast(pair: tuple[Namespace, Namespace], family: int, ttl: int | None, expected: int) -> None:
    left, right = pair
    inward = receiver(right, family, group=None, unicast_source=RIGHT[family])
    out = sender(left, family, multicast=False, ttl=ttl)
    assert out.send(LEFT[family].packed, RIGHT[family].packed, pdu()) == 0
    datagram = waited(inward)
    assert datagram is not None
    assert (datagram.ttl, datagram.source, datagram.destination) == (
        expected,
        LEFT[family].packed,
        RIGHT[family].packed,
    )
    inward.close()
    out.close()


def test_unicast_needs_no_interface(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    inward = receiver(right, V4, group=None, unicast_source=RIGHT[V4])
    out = sender(left, V4, interface=None, multicast=False)
    assert out.send(LEFT[V4].packed, RIGHT[V4].packed, pdu()) == 0
    assert waited(inward) is not None
    inward.close()
    out.close()


@FAMILIES
def test_a_group_member_receives_every_field(pair: tuple[Namespace, Namespace], family: int) -> None:
    left, right = pair
    inward, out = receiver(right, family), sender(left, family)
    for length in (8, 12, 40):
        assert out.send(LEFT[family].packed, GROUP[family].packed, pdu(length=length)) == 0
        datagram = waited(inward)
        assert datagram is not None
        assert (datagram.source, datagram.destination) == (LEFT[family].packed, GROUP[family].packed)
        assert (datagram.ttl, datagram.length) == (255, length)
        assert datagram.data[:6] + datagram.data[8:] == pdu(length=length)[:6] + pdu(length=length)[8:]
    assert inward.receive() is None
    inward.close()
    out.close()


@FAMILIES
def test_a_multicast_receiver_hears_no_unicast_and_the_reverse(pair: tuple[Namespace, Namespace], family: int) -> None:
    left, right = pair
    group, alone = receiver(right, family), receiver(right, family, group=None, unicast_source=RIGHT[family])
    many, one = sender(left, family), sender(left, family, multicast=False)
    one.send(LEFT[family].packed, RIGHT[family].packed, pdu(1))
    many.send(LEFT[family].packed, GROUP[family].packed, pdu(2))
    to_one, to_group = waited(alone), waited(group)
    assert to_one is not None
    assert to_group is not None
    assert (to_one.data[1], to_group.data[1]) == (1, 2)
    assert alone.receive() is None
    assert group.receive() is None
    for sock in (group, alone, many, one):
        sock.close()


@FAMILIES
def test_the_sender_does_not_hear_itself(pair: tuple[Namespace, Namespace], family: int) -> None:
    left, right = pair
    own, other, out = receiver(left, family), receiver(right, family), sender(left, family)
    out.send(LEFT[family].packed, GROUP[family].packed, pdu())
    assert waited(other) is not None
    assert own.receive() is None
    for sock in (own, other, out):
        sock.close()


@FAMILIES
def test_the_filter_passes_only_the_routers_asked_for(pair: tuple[Namespace, Namespace], family: int) -> None:
    left, right = pair
    inward, out = receiver(right, family), sender(left, family)
    inward.listen_for(frozenset({1, 51, 255}))
    for vrid in range(256):
        out.send(LEFT[family].packed, GROUP[family].packed, pdu(vrid))
    seen = []
    while (datagram := waited(inward)) is not None:
        seen.append(datagram.data[1])
    assert seen == [1, 51, 255]
    inward.listen_for(frozenset(range(1, 256)))
    for vrid in (0, 1, 128, 255):
        out.send(LEFT[family].packed, GROUP[family].packed, pdu(vrid))
    assert [getattr(waited(inward), "data", b"00")[1] for _ in range(3)] == [1, 128, 255]
    inward.listen_for(frozenset())
    out.send(LEFT[family].packed, GROUP[family].packed, pdu(1))
    assert inward.receive() is None
    for sock in (inward, out):
        sock.close()


def test_senders_of_one_host_hear_nothing(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    for family in (V4, V6):
        silent, out = sender(left, family), sender(right, family)
        socket_filter_off = struct.pack("@i", 0)
        silent.out.socket.setsockopt(socket.SOL_SOCKET, 27, socket_filter_off)  # SO_DETACH_FILTER
        silent.out.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        inward = receiver(left, family)
        out.send(RIGHT[family].packed, GROUP[family].packed, pdu())
        assert waited(inward) is not None
        with pytest.raises(BlockingIOError):  # not even without its filter
            silent.out.socket.recv(100)
        for sock in (silent, out, inward):
            sock.close()


def test_hostile_ipv4_headers_are_dropped_and_counted(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    inward = receiver(right, V4)
    good = sender(left, V4)

    def raw() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0\0")
        return sock

    hostile = left.call(raw)
    for length in range(8):  # shorter than any VRRP header
        hostile.sendto(pdu(length=length), ("224.0.0.18", 0))
    assert inward.receive() is None
    assert inward.dropped == 8
    hostile.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x94\x04\0\0")  # router alert: legal, skipped
    hostile.sendto(pdu(), ("224.0.0.18", 0))
    datagram = waited(inward)
    assert datagram is not None
    assert (datagram.data, datagram.length) == (pdu(), 12)
    long = left.call(raw)
    long.sendto(pdu() + bytes(20000), ("224.0.0.18", 0))  # reassembled by the kernel, cut by us
    datagram = waited(inward)
    assert datagram is not None
    assert datagram.length == 20012
    assert len(datagram.data) < 8192
    good.send(LEFT[V4].packed, GROUP[V4].packed, pdu())
    assert waited(inward) is not None
    assert inward.dropped == 8
    for sock in (inward, good, hostile, long):
        sock.close()


def test_short_ipv6_datagrams_and_wrong_checksums_are_dropped(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    inward, good = receiver(right, V6), sender(left, V6)

    def raw() -> socket.socket:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 112)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0\0")
        return sock

    hostile = left.call(raw)
    index = link(left).index
    for length in range(13):
        hostile.sendto(pdu(length=length), ("ff02::12", 0, 0, index))
    good.send(LEFT[V6].packed, GROUP[V6].packed, pdu(77))
    datagram = waited(inward)
    assert datagram is not None
    assert datagram.data[1] == 77
    assert inward.receive() is None
    for sock in (inward, good, hostile):
        sock.close()


@FAMILIES
def test_a_dead_link_is_an_errno_not_an_exception(family: int) -> None:
    with veth_pair() as (left, _):
        left.ip("addr add 10.9.0.1/24 dev eth0")
        left.ip("addr add fe80::1/64 dev eth0 nodad")
        inward, out = receiver(left, family), sender(left, family)
        left.ip("link set eth0 down")
        assert out.send(LEFT[family].packed, GROUP[family].packed, pdu()) in {
            errno.ENETDOWN,
            errno.ENETUNREACH,
            errno.EADDRNOTAVAIL,
            errno.EINVAL,
        }
        assert inward.receive() is None
        left.ip("link del eth0")
        assert out.send(LEFT[family].packed, GROUP[family].packed, pdu()) != 0
        assert inward.receive() is None
        inward.close()
        out.close()


# --- under an authentication header --------------------------------------------------------------------------------


def ah_sender(namespace: Namespace, *, multicast: bool = True, password: bytes = b"sesame42") -> AhAdvertSender:
    interface = link(namespace)
    return namespace.call(lambda: AhAdvertSender(V4, interface, multicast=multicast, ttl=None, password=password))


def ah_receiver(namespace: Namespace, **options: Any) -> AhAdvertReceiver:
    options = {"group": GROUP[V4], "unicast_source": None, **options}
    interface = link(namespace)
    return namespace.call(lambda: AhAdvertReceiver(V4, interface, **options))


@pytest.mark.parametrize("multicast", [True, False])
def test_what_is_signed_on_one_side_is_proved_on_the_other(pair: tuple[Namespace, Namespace], multicast: bool) -> None:
    left, right = pair
    options = {} if multicast else {"group": None, "unicast_source": RIGHT[V4]}
    inward, out = ah_receiver(right, **options), ah_sender(left, multicast=multicast)
    destination = (GROUP if multicast else RIGHT)[V4].packed
    key = ah.Key(b"sesame42")
    for sequence in (1, 2):
        assert out.send(LEFT[V4].packed, destination, ah.header(LEFT[V4].packed, sequence) + pdu()) == 0
        datagram = waited(inward)
        assert datagram is not None
        assert (datagram.data, datagram.length, datagram.source) == (pdu(), 12, LEFT[V4].packed)
        proof = ah.read(datagram.headers)
        assert proof is not None
        assert (proof.spi, proof.sequence) == (LEFT[V4].packed, sequence)
        assert key.icv(datagram.headers + datagram.data, multicast=multicast) == proof.icv
        assert datagram.headers[4:6] == sequence.to_bytes(2, "big")  # the identification is signed as well
    for sock in (inward, out):
        sock.close()


def test_under_ah_only_the_routers_asked_for_pass_and_no_other_protocol(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    inward, out, plain = ah_receiver(right), ah_sender(left), sender(left, V4)
    inward.listen_for(frozenset({51, 60}))
    for vrid in range(256):
        plain.send(LEFT[V4].packed, GROUP[V4].packed, pdu(vrid))
        out.send(LEFT[V4].packed, GROUP[V4].packed, ah.header(LEFT[V4].packed, vrid) + pdu(vrid))
    seen = []
    while (datagram := waited(inward)) is not None:
        seen.append(datagram.data[1])
    assert seen == [51, 60]
    for sock in (inward, out, plain):
        sock.close()


def test_what_is_no_header_of_ours_is_dropped_and_counted(pair: tuple[Namespace, Namespace]) -> None:
    left, right = pair
    inward, good = ah_receiver(right), ah_sender(left)

    def raw() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 51)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0\0")
        return sock

    hostile = left.call(raw)
    head = ah.header(LEFT[V4].packed, 1)
    for data in (
        b"",
        head,
        head + pdu()[:7],
        b"\x06" + head[1:] + pdu(),  # TCP behind it
        b"\x70\x06" + head[2:] + bytes(8) + pdu(),  # a longer ICV
    ):
        hostile.sendto(data, ("224.0.0.18", 0))
    good.send(LEFT[V4].packed, GROUP[V4].packed, head + pdu())
    datagram = waited(inward)
    assert datagram is not None
    assert datagram.data == pdu()
    assert inward.dropped == 5
    for sock in (inward, good, hostile):
        sock.close()


def test_a_receive_buffer_is_as_large_as_asked_for(pair: tuple[Namespace, Namespace]) -> None:
    _, right = pair
    inward = receiver(right, V4)
    for size in (8192, 1 << 24):  # beyond what rmem_max allows
        inward.hold(size)
        assert inward._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * size
    inward.hold(1 << 40)
    assert inward._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > 1 << 30
    inward.close()

"""LinuxHost told by hand: what a real kernel here would say only with other hardware or much patience."""

import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.errors import KernelError
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.message_classes import encoded
from pykeepalived.kernel.netlink import Overrun
from pykeepalived.kernel.ports import Failure, HostAddress, Interface
from pykeepalived.kernel.route_classes import ifaddrmsg, ifinfmsg

NEWLINK, DELLINK, NEWADDR, DELADDR = 16, 17, 20, 21
UP = 0x1043  # UP, BROADCAST, RUNNING, MULTICAST
MAC = "02:00:00:00:00:01"

ETH0 = Interface(2, "eth0", True, bytes.fromhex("020000000001"), 1500, True, True, False)


def link(index: int = 2, name: str = "eth0", flags: int = UP, mac: str = MAC) -> bytes:
    attributes = [("IFLA_IFNAME", name), ("IFLA_MTU", 1500), ("IFLA_ADDRESS", mac)]
    return bytes(encoded(ifinfmsg, NEWLINK, 0, {"index": index, "flags": flags}, attributes).data)


def address(text: str, length: int = 24, index: int = 2, *, flags: int = 0x80, peer: str | None = None) -> bytes:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    fields = {"family": family, "prefixlen": length, "index": index, "flags": flags & 0xFF}
    attributes: list[tuple[str, Any]] = [("IFA_ADDRESS", peer or text), ("IFA_FLAGS", flags)]
    if family == socket.AF_INET or peer is not None:
        attributes.append(("IFA_LOCAL", text))
    return bytes(encoded(ifaddrmsg, NEWADDR, 0, fields, attributes).data)


class Told:
    """In the place of both netlink sockets: dumps and events as the test has put them, orders written down."""

    def __init__(self) -> None:
        self.links = [link(1, "lo", 0x49, "00:00:00:00:00:00"), link()]
        self.addresses = [address("127.0.0.1", 8, 1), address("10.9.0.1")]
        self.queue: list[tuple[int, bytes] | Overrun] = []
        self.ordered: list[bytes] = []
        self.refuse_dumps = False
        self.patient = False

    def dump(self, request: bytearray, *, patient: bool = True) -> list[tuple[int, bytes]]:
        self.patient = patient
        if self.refuse_dumps:
            raise KernelError("list", errno.EINTR)
        rows = self.links if request[4] == 18 else self.addresses
        return [(16, row) for row in rows]

    def events(self) -> Iterator[tuple[int, bytes]]:
        while self.queue:
            event = self.queue.pop(0)
            if isinstance(event, Overrun):
                raise event
            yield event

    def order(self, messages: list[bytearray]) -> list[int]:
        self.ordered += [bytes(message) for message in messages]
        return [0] * len(messages)

    def discard(self) -> None:
        self.queue.clear()

    def close(self) -> None: ...


class Heard:
    """What the listener was told, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None:
        self.events.append(("link", old, new))

    def address_added(self, address: HostAddress) -> None:
        self.events.append(("added", str(address.address), address.tentative))

    def address_removed(self, address: HostAddress) -> None:
        self.events.append(("removed", str(address.address)))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    kernel = Told()
    monkeypatch.setattr("pykeepalived.kernel.rtnetlink.NetlinkSocket", lambda *_: kernel)
    return kernel


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def host(told: Told, heard: Heard) -> LinuxHost:
    made = LinuxHost(heard)
    assert told.ordered == []
    return made


def tell(host: LinuxHost, heard: Heard, *events: tuple[int, bytes] | Overrun) -> list[tuple[Any, ...]]:
    assert isinstance(host._netlink.monitor, Told)
    host._netlink.monitor.queue += events
    heard.events.clear()
    host.drain()
    return heard.events


def test_the_beginning_is_known_and_not_told(host: LinuxHost, heard: Heard) -> None:
    assert heard.events == []
    assert host.interface("eth0") == ETH0
    assert [str(row.address) for row in host.addresses(2)] == ["10.9.0.1"]
    assert host.addresses(99) == ()


def test_repetitions_are_not_told(host: LinuxHost, heard: Heard) -> None:
    assert tell(host, heard, (NEWLINK, link()), (NEWADDR, address("10.9.0.1")), (DELADDR, address("10.9.0.2"))) == []


def test_a_wireless_event_changes_only_what_it_carries(host: LinuxHost, heard: Heard) -> None:
    bare = encoded(ifinfmsg, NEWLINK, 0, {"index": 2, "flags": UP & ~0x40}, [("IFLA_IFNAME", "eth0")]).data
    down = Interface(2, "eth0", False, ETH0.mac, 1500, True, True, False)
    assert tell(host, heard, (NEWLINK, bytes(bare))) == [("link", ETH0, down)]
    nameless = bytes(encoded(ifinfmsg, NEWLINK, 0, {"index": 9}, []).data)
    assert tell(host, heard, (NEWLINK, nameless)) == []


def test_a_bridge_speaks_of_its_port_only(host: LinuxHost, heard: Heard) -> None:
    port = bytes(encoded(ifinfmsg, DELLINK, 0, {"family": 7, "index": 2}, [("IFLA_IFNAME", "eth0")]).data)
    assert tell(host, heard, (DELLINK, port), (NEWLINK, port)) == []
    assert host.interface("eth0") == ETH0


def test_a_link_takes_its_addresses_with_it(host: LinuxHost, heard: Heard) -> None:
    assert tell(host, heard, (DELLINK, link())) == [("removed", "10.9.0.1"), ("link", ETH0, None)]
    assert host.interface("eth0") is None
    assert host.addresses(2) == ()
    assert tell(host, heard, (DELLINK, link())) == []


def test_names_may_be_exchanged(host: LinuxHost, heard: Heard) -> None:
    tell(host, heard, (NEWLINK, link(3, "eth1")))
    tell(host, heard, (NEWLINK, link(2, "tmp")), (NEWLINK, link(3, "eth0")), (NEWLINK, link(2, "eth1")))
    assert [(name, found.index) for name in ("eth0", "eth1") if (found := host.interface(name))] == [
        ("eth0", 3),
        ("eth1", 2),
    ]
    assert host.interface("tmp") is None


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (UP, (True, True, True, False)),
        (0x1003, (False, True, True, False)),  # up, no carrier
        (0x1002, (False, True, True, False)),
        (UP | 0x80, (True, False, True, False)),
        (0x43, (True, True, False, False)),
        (0x49, (True, True, False, True)),
    ],
)
def test_what_flags_mean(host: LinuxHost, heard: Heard, flags: int, expected: tuple[bool, ...]) -> None:
    tell(host, heard, (NEWLINK, link(5, "x0", flags)))
    found = host.interface("x0")
    assert found is not None
    assert (found.up, found.arp, found.multicast, found.loopback) == expected


def test_an_address_is_told_when_it_leaves_tentative(host: LinuxHost, heard: Heard) -> None:
    tentative, settled = address("fe80::1", 64, flags=0xC0), address("fe80::1", 64, flags=0x80)
    assert tell(host, heard, (NEWADDR, tentative)) == [("added", "fe80::1", True)]
    assert tell(host, heard, (NEWADDR, settled), (NEWADDR, settled)) == [("added", "fe80::1", False)]
    assert [row.tentative for row in host.addresses(2)] == [False, False]


def test_the_flag_of_a_secondary_means_temporary_in_ipv6(host: LinuxHost, heard: Heard) -> None:
    tell(host, heard, (NEWADDR, address("10.9.0.2", flags=0x81)), (NEWADDR, address("2001:db8::1", 64, flags=0x81)))
    assert [row.secondary for row in host.addresses(2)] == [False, True, False]


def test_one_address_may_have_several_peers(host: LinuxHost, heard: Heard) -> None:
    one, two = address("10.8.0.1", 32, peer="10.8.0.2"), address("10.8.0.1", 32, peer="10.8.0.3")
    assert len(tell(host, heard, (NEWADDR, one), (NEWADDR, two))) == 2
    assert tell(host, heard, (DELADDR, one)) == [("removed", "10.8.0.1")]
    assert [row.address for row in host.addresses(2)] == [IPv4Address("10.9.0.1"), IPv4Address("10.8.0.1")]


def test_other_families_are_none_of_ours(host: LinuxHost, heard: Heard) -> None:
    mctp = bytes(encoded(ifaddrmsg, NEWADDR, 0, {"family": 45, "index": 2}, [("IFA_FLAGS", 0)]).data)
    cut = bytes(encoded(ifaddrmsg, NEWADDR, 0, {"family": 2, "index": 2}, [("IFA_FLAGS", 0)]).data)
    assert tell(host, heard, (NEWADDR, mctp), (NEWADDR, cut)) == []


def test_an_overrun_tells_the_differences_gone_ones_first(host: LinuxHost, told: Told, heard: Heard) -> None:
    told.links = [told.links[0], link(2, "eth0", UP & ~0x40), link(4, "eth4")]
    told.addresses = [told.addresses[0], address("10.9.0.7")]
    events = tell(host, heard, (NEWADDR, address("10.9.0.5")), Overrun(), (NEWADDR, address("10.9.0.6")))
    assert [event[:2] if event[0] != "link" else ("link", event[2].name) for event in events] == [
        ("added", "10.9.0.5"),
        ("removed", "10.9.0.1"),
        ("removed", "10.9.0.5"),
        ("link", "eth0"),
        ("link", "eth4"),
        ("added", "10.9.0.7"),
    ]


def test_a_reading_that_failed_is_tried_again(host: LinuxHost, told: Told, heard: Heard) -> None:
    told.addresses.append(address("10.9.0.9"))
    assert told.patient
    told.refuse_dumps = True
    with pytest.raises(KernelError):
        tell(host, heard, Overrun())
    assert not told.patient, "adverts are due"
    told.refuse_dumps = False
    assert tell(host, heard) == [("added", "10.9.0.9", False)]
    assert tell(host, heard) == []


def test_an_order_is_what_pyroute2_would_write(host: LinuxHost, told: Told) -> None:
    vip = AddressEntry(
        IPv4Address("10.9.0.100"),
        24,
        dev="eth0",
        scope=253,
        label="eth0:1",
        broadcast=IPv4Address("10.9.0.255"),
        preferred_lft=0,
        noprefixroute=True,
    )
    vip6 = AddressEntry(IPv6Address("2001:db8::100"), 64, dev="eth0", nodad=True, home=True, mngtmpaddr=True)
    assert host.add_addresses([vip, vip6]) == []
    assert host.remove_addresses([vip]) == []
    fields = {"family": 2, "prefixlen": 24, "scope": 253, "index": 2}
    fields6 = {"family": 10, "prefixlen": 64, "scope": 0, "index": 2}
    addresses = [("IFA_LOCAL", "10.9.0.100"), ("IFA_ADDRESS", "10.9.0.100")]
    addresses6 = [("IFA_LOCAL", "2001:db8::100"), ("IFA_ADDRESS", "2001:db8::100")]
    rest = [
        ("IFA_FLAGS", 0x200),
        ("IFA_PROTO", 18),
        ("IFA_LABEL", "eth0:1"),
        ("IFA_BROADCAST", "10.9.0.255"),
        ("IFA_CACHEINFO", {"ifa_preferred": 0, "ifa_valid": 0xFFFFFFFF}),
    ]
    assert told.ordered == [
        encoded(ifaddrmsg, NEWADDR, 0x600, fields, [*addresses, *rest]).data,
        encoded(ifaddrmsg, NEWADDR, 0x600, fields6, [*addresses6, ("IFA_FLAGS", 0x112), ("IFA_PROTO", 18)]).data,
        encoded(ifaddrmsg, DELADDR, 0, fields, addresses).data,
    ]


def test_entries_without_a_link_are_not_ordered(host: LinuxHost, told: Told) -> None:
    entries = [AddressEntry(IPv4Address("10.9.0.1"), 24, dev=dev) for dev in ("gone0", "eth0", None)]
    assert host.add_addresses(entries) == [Failure(0, errno.ENODEV), Failure(2, errno.ENODEV)]
    assert host.remove_addresses(entries) == []
    assert len(told.ordered) == 2

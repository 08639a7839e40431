"""LinuxHost against the real kernel: what it knows, what it tells, what it orders."""

import errno
import gc
import json
import select
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.kernel.host import LinuxHost
from pykeepalived.kernel.message_classes import Reader
from pykeepalived.kernel.ports import Failure, HostAddress, Interface
from pykeepalived.kernel.route_classes import ifaddrmsg
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not

pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]


@dataclass
class Heard:
    """A listener that writes down what it is told."""

    events: list[tuple[Any, ...]] = field(default_factory=list)

    def interface_changed(self, old: Interface | None, new: Interface | None) -> None:
        self.events.append(("link", old, new))

    def address_added(self, address: HostAddress) -> None:
        self.events.append(("added", str(address.address), address.prefix_length))

    def address_removed(self, address: HostAddress) -> None:
        self.events.append(("removed", str(address.address), address.prefix_length))

    def take(self) -> list[tuple[Any, ...]]:
        events, self.events = self.events, []
        return events


@dataclass
class Bench:
    """A host under observation, in the left of two namespaces."""

    namespace: Namespace
    peer: Namespace
    heard: Heard
    host: LinuxHost


@pytest.fixture
def bench() -> Iterator[Bench]:
    with veth_pair() as (left, right):
        heard = Heard()
        host = left.call(lambda: LinuxHost(heard))
        yield Bench(left, right, heard, host)
        host.close()


def entry(text: str, **options: Any) -> AddressEntry:
    address, _, length = text.partition("/")
    parsed = ip_address(address)
    options.setdefault("dev", "eth0")
    options.setdefault("nodad", parsed.version == 6)
    return AddressEntry(parsed, int(length or parsed.max_prefixlen), **options)


def addresses(namespace: Namespace) -> dict[str, dict[str, Any]]:
    told = json.loads(namespace.ip("-j -d addr show dev eth0"))
    return {row["local"]: row for row in told[0]["addr_info"]}


def test_what_stands_there_at_the_beginning_is_known_and_not_told(bench: Bench) -> None:
    links = {link.name: link for link in bench.host.interfaces()}
    assert set(links) == {"lo", "eth0"}
    assert links["lo"].loopback
    eth0 = links["eth0"]
    assert (eth0.up, eth0.arp, eth0.multicast, eth0.loopback) == (True, True, True, False)
    assert eth0.mtu == 1500
    told = json.loads(bench.namespace.ip("-j link show eth0"))[0]
    assert eth0.mac.hex(":") == told["address"]
    assert [str(address.address) for address in bench.host.addresses(links["lo"].index)] == ["127.0.0.1", "::1"]
    bench.host.drain()
    assert [event for event in bench.heard.take() if event[0] == "link"] == []


def test_every_option_of_an_ipv4_address_reaches_the_kernel(bench: Bench) -> None:
    failures = bench.host.add_addresses(
        [
            entry("10.9.0.1/24"),
            entry("10.9.4.2/24", label="eth0:vip", scope=253, broadcast=IPv4Address("10.9.4.255")),
            entry("10.9.1.1/32", peer=IPv4Address("10.9.1.2"), noprefixroute=True),
            entry("10.9.2.1/32", preferred_lft=0),
            entry("224.9.9.9/32", autojoin=True),
        ]
    )
    assert failures == []
    told = addresses(bench.namespace)
    assert (told["10.9.0.1"]["prefixlen"], told["10.9.0.1"]["scope"]) == (24, "global")
    rows = [
        row for _, row in bench.host._netlink.orders.dump(bench.host._every_address.fill())
    ]  # iproute2 does not show IFA_PROTO
    protocols = {row.get("IFA_LOCAL"): row.get("IFA_PROTO") for row in map(Reader(ifaddrmsg).attributes, rows)}
    assert protocols[bytes([10, 9, 0, 1])] in {b"\x12", None}  # None before Linux 5.18
    assert told["10.9.4.2"]["label"] == "eth0:vip"
    assert told["10.9.4.2"]["scope"] == "link"
    assert told["10.9.4.2"]["broadcast"] == "10.9.4.255"
    assert "broadcast" not in told["10.9.0.1"]
    assert told["10.9.1.1"]["address"] == "10.9.1.2"
    assert told["10.9.1.1"]["noprefixroute"]
    assert told["10.9.2.1"]["deprecated"]
    assert told["224.9.9.9"]["autojoin"]
    assert told["10.9.2.1"]["valid_life_time"] == 0xFFFFFFFF


def test_every_option_of_an_ipv6_address_reaches_the_kernel(bench: Bench) -> None:
    failures = bench.host.add_addresses(
        [
            entry("2001:db8::1/64"),
            entry("2001:db8::2/128", preferred_lft=0),
            entry("2001:db8::3/64", home=True, mngtmpaddr=True, noprefixroute=True),
            entry("2001:db8::4/128", peer=IPv6Address("2001:db8::5")),
            entry("2001:db8::6/64", nodad=False),
        ]
    )
    assert failures == []
    told = addresses(bench.namespace)
    assert told["2001:db8::1"]["nodad"]
    assert "deprecated" not in told["2001:db8::1"]
    assert told["2001:db8::2"]["deprecated"]
    assert told["2001:db8::2"]["nodad"]
    assert told["2001:db8::3"]["home"]
    assert told["2001:db8::3"]["mngtmpaddr"]
    assert told["2001:db8::3"]["noprefixroute"]
    assert told["2001:db8::4"]["address"] == "2001:db8::5"
    assert "nodad" not in told["2001:db8::6"]


@pytest.mark.parametrize(
    "options", [{}, {"peer": IPv4Address("10.9.3.2")}, {"label": "eth0:x"}, {"preferred_lft": 0}], ids=str
)
def test_what_was_added_is_removed_by_the_same_entry(bench: Bench, options: dict[str, Any]) -> None:
    vip = entry("10.9.3.1/32", **options)
    assert bench.host.add_addresses([vip]) == []
    assert "10.9.3.1" in addresses(bench.namespace)
    assert bench.host.remove_addresses([vip]) == []
    assert "10.9.3.1" not in addresses(bench.namespace)


def test_orders_that_find_their_work_done_are_no_failures_but_others_are(bench: Bench) -> None:
    vip, vip6 = entry("10.9.0.1/24"), entry("2001:db8::1/64")
    assert bench.host.add_addresses([vip, vip6]) == []
    assert bench.host.add_addresses([vip, vip6]) == []
    wrong = entry("10.9.0.2/24", dev="nowhere0")
    assert bench.host.add_addresses([wrong, vip, entry("0.0.0.1/40")]) == [
        Failure(0, errno.ENODEV),
        Failure(2, errno.EINVAL),
    ]
    assert bench.host.remove_addresses([vip, wrong, vip6]) == []
    assert bench.host.remove_addresses([vip, wrong, vip6]) == []


def test_own_changes_are_told_at_once_and_only_once(bench: Bench) -> None:
    bench.host.drain()
    bench.heard.take()
    vip = entry("10.9.0.1/24")
    bench.host.add_addresses([vip])
    bench.host.drain()
    assert bench.heard.take() == [("added", "10.9.0.1", 24)]
    bench.namespace.ip("addr change 10.9.0.1/24 dev eth0 valid_lft 900 preferred_lft 800")
    bench.host.drain()
    assert bench.heard.take() == []  # nothing that anybody here knows of
    bench.host.remove_addresses([vip])
    bench.host.drain()
    assert bench.heard.take() == [("removed", "10.9.0.1", 24)]


def test_a_promoted_secondary_is_told(bench: Bench) -> None:
    bench.host.add_addresses([entry("10.9.0.1/24"), entry("10.9.0.2/24")])
    bench.host.drain()
    index = next(link.index for link in bench.host.interfaces() if link.name == "eth0")
    assert [row.secondary for row in bench.host.addresses(index) if row.address.version == 4] == [False, True]
    setting = Path("/proc/sys/net/ipv4/conf/eth0/promote_secondaries")
    bench.namespace.call(lambda: setting.write_text("1", encoding="ascii"))
    bench.heard.take()
    bench.host.remove_addresses([entry("10.9.0.1/24")])
    bench.host.drain()
    assert bench.heard.take() == [("removed", "10.9.0.1", 24), ("added", "10.9.0.2", 24)]
    assert [row.secondary for row in bench.host.addresses(index) if row.address.version == 4] == [False]


def test_a_link_is_followed_down_up_renamed_and_deleted(bench: Bench) -> None:
    bench.host.drain()
    bench.heard.take()
    host, namespace = bench.host, bench.namespace

    def told(change: tuple[Any, Any]) -> bool:
        """Whether this change is told within a second: the kernel tells carriers from a worker of its own."""
        while True:
            for event in bench.heard.take():
                if event[0] == "link":
                    _, old, new = event
                    if ((old.name, old.up) if old else None, (new.name, new.up) if new else None) == change:
                        return True
            if not select.select([host], [], [], 1.0)[0]:
                return False
            host.drain()

    bench.peer.ip("link set eth0 down")  # carrier lost here
    assert told((("eth0", True), ("eth0", False)))
    bench.peer.ip("link set eth0 up")
    assert told((("eth0", False), ("eth0", True)))
    namespace.ip("link set eth0 down")
    namespace.ip("link set eth0 name wan0")
    assert told((("eth0", False), ("wan0", False)))
    assert host.interface("eth0") is None
    assert host.interface("wan0") is not None
    assert host.add_addresses([entry("10.9.0.1/24", dev="wan0")]) == []
    host.drain()
    bench.heard.take()
    namespace.ip("link del wan0")
    host.drain()
    assert bench.heard.take()[-2:] == [("removed", "10.9.0.1", 24), ("link", *_last("wan0"))]
    namespace.ip("link add name wan0 type veth peer name other0")
    assert told((None, ("wan0", False)))


def _last(name: str) -> tuple[Any, None]:
    """The last two words of the event that says ``name`` is gone, with whatever it was last known as."""

    class Named:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Interface) and other.name == name

        __hash__ = None  # type: ignore[assignment]

    return Named(), None


def test_a_bridge_port_that_leaves_its_bridge_is_not_taken_for_deleted(bench: Bench) -> None:
    bench.namespace.ip("link add name br0 type bridge")
    bench.namespace.ip("link set eth0 master br0")
    bench.host.drain()
    bench.heard.take()
    bench.namespace.ip("link set eth0 nomaster")
    bench.host.drain()
    assert bench.host.interface("eth0") is not None
    assert not [event for event in bench.heard.take() if event[0] == "link" and event[2] is None]


def test_after_an_overrun_the_differences_are_told(bench: Bench) -> None:
    bench.host.add_addresses([entry("10.9.0.1/24"), entry("10.9.0.2/24")])
    bench.host.drain()
    bench.heard.take()
    monitor = bench.host._netlink.monitor._socket
    monitor.setsockopt(1, 8, 2048)  # SO_RCVBUF: room for next to nothing
    bench.host.remove_addresses([entry("10.9.0.2/24")])
    many = [entry(f"10.8.{n // 250}.{n % 250 + 1}/32") for n in range(300)]
    assert bench.host.add_addresses(many) == []
    bench.host.remove_addresses(many[:100])
    bench.host.drain()
    events = bench.heard.take()
    state = {("added", "10.9.0.2", 24): 0}
    for event in events:
        state[event] = state.get(event, 0) + 1
    bench.host.drain()
    known = {str(row.address) for link in bench.host.interfaces() for row in bench.host.addresses(link.index)}
    assert set(addresses(bench.namespace)) <= known
    assert known - set(addresses(bench.namespace)) == {"127.0.0.1", "::1"}
    assert ("removed", "10.9.0.2", 24) in events
    assert ("added", str(many[99].address), 32) not in events  # lost, as it had to be for this test to mean anything
    assert all(state[("added", str(row.address), 32)] == 1 for row in many[100:])


def test_ten_thousand_events_leave_nothing_for_the_garbage_collector(bench: Bench) -> None:
    host = bench.host
    batch = [entry(f"10.8.0.{n}/32") for n in range(1, 51)]
    host.add_addresses(batch)
    host.remove_addresses(batch)
    host.drain()
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            host.add_addresses(batch)
            host.drain()
            host.remove_addresses(batch)
            host.drain()
        assert len(bench.heard.take()) >= 10_000
        assert gc.collect() < 50
    finally:
        gc.enable()

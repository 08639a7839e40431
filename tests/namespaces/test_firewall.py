"""The firewall in the real kernel: the tables are keepalived's, and they do to packets what they are for."""

import contextlib
import json
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from typing import Any, cast

import pytest

from pykeepalived.config.blocks.addresses import AddressEntry
from pykeepalived.config.kinds import AF_INET, AF_INET6
from pykeepalived.daemon.firewall import Firewall
from pykeepalived.kernel.nftables import LinuxPacketFilter
from pykeepalived.kernel.ports import Interface
from tests.config.reading import instance_text, sound
from tests.namespaces.veth_pair import Namespace, veth_pair, why_not
from tests.support import nft
from tests.support.fakes_vrrp import FakeJournal, FakeReactor, make_link
from tests.support.netns import packet_socket

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
    pytest.mark.skipif(nft.why_not() is not None, reason=str(nft.why_not())),
]

VIP, VIP6, LOCAL = "10.0.0.100", "fd00::100", "fe80::100"
PATIENCE = "20"  # seconds for an answer that comes
ETH_P_ALL = 3


@dataclass
class Bench:
    """A firewall in the left of two namespaces, whose ends have addresses of both families."""

    left: Namespace
    right: Namespace
    firewall: Firewall
    filter: LinuxPacketFilter
    reactor: FakeReactor
    journal: FakeJournal

    def start(self, global_defs: str = "") -> None:
        configuration = sound(f"global_defs {{\n{global_defs}\n}}\n" + instance_text("no_accept")).configuration
        self.left.call(lambda: self.firewall.start(configuration))
        self.left.call(lambda: self.firewall.clear_leftovers(configuration))

    def block(self, *addresses: str, dev: str = "eth0", by_name: bool = False) -> None:
        self.left.call(lambda: self.firewall.block(entries(*addresses, dev=dev), by_name=by_name))

    def unblock(self, *addresses: str) -> None:
        self.firewall.unblock(entries(*addresses))

    def index(self, name: str) -> int:
        return self.left.call(lambda: socket.if_nametoindex(name))

    def relay(self, family: int, vmac: str) -> None:
        self.left.call(lambda: self.firewall.relay(family, self.index(vmac), self.index("eth0")))

    def nft(self, *words: str) -> str:
        return run(self.left, "nft", *words)

    def listed(self) -> list[Any]:
        return nft.listed(run(self.left, *nft.LIST))

    def reaches(self, address: str, patience: str) -> bool:
        """Whether a ping of the neighbour is answered."""
        command = ["ping", "-c", "1", "-W", patience, address]
        return subprocess.run(inside(self.right, *command), capture_output=True, check=False).returncode == 0


def inside(namespace: Namespace, *command: str) -> list[str]:
    return ["ip", "netns", "exec", namespace.name, *command]


def run(namespace: Namespace, *command: str) -> str:
    return subprocess.run(inside(namespace, *command), capture_output=True, text=True, check=True).stdout


def entries(*addresses: str, dev: str = "eth0") -> list[AddressEntry]:
    found = [ip_interface(each) for each in addresses]
    return [AddressEntry(each.ip, each.ip.max_prefixlen, dev) for each in found]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with veth_pair() as (left, right):
        for number, namespace in enumerate((left, right), 1):
            namespace.ip(f"addr add 10.0.0.{number}/24 dev eth0")
            namespace.ip(f"addr add fd00::{number}/64 dev eth0 nodad")

        def link(name: str) -> Interface | None:
            with contextlib.suppress(OSError):
                return make_link(name, left.call(lambda: socket.if_nametoindex(name)))
            return None

        reactor, journal, packet_filter = FakeReactor(), FakeJournal(), LinuxPacketFilter()
        firewall = Firewall(packet_filter, cast("Any", reactor), journal, link)
        yield Bench(left, right, firewall, packet_filter, reactor, journal)
        firewall.close()


def add_vmac(namespace: Namespace, name: str, mac: str) -> None:
    namespace.ip(f"link add {name} link eth0 address {mac} type macvlan mode private")
    namespace.ip(f"link set {name} up")


@pytest.mark.keyword("global_defs.nftables", "global_defs.nftables_priority", "global_defs.nftables_counters")
@pytest.mark.parametrize(
    ("name", "global_defs", "by_name"),
    [
        ("no_accept", "", False),
        ("options", "nftables mine\nnftables_priority -5\nnftables_counters\nnftables_ifindex", True),
        ("by_name", "", True),
    ],
)
def test_the_tables_are_those_that_keepalived_makes(
    bench: Bench, name: str, global_defs: str, *, by_name: bool
) -> None:
    bench.start(global_defs)
    bench.block(VIP, "10.0.0.101", "10.0.1.100", by_name=by_name)
    bench.block(LOCAL, VIP6, by_name=by_name)
    assert bench.listed() == nft.golden(name)
    bench.firewall.close()
    assert bench.listed() == []


def test_the_tables_of_vmacs_are_those_that_keepalived_makes(bench: Bench) -> None:
    bench.start()
    for vrid, mac in ((1, "00:00:5e:00:01:01"), (2, "00:00:5e:00:02:02")):
        add_vmac(bench.left, f"vrrp.{vrid}", mac)
    bench.relay(AF_INET, "vrrp.1")
    bench.relay(AF_INET6, "vrrp.2")
    bench.block(VIP, dev="vrrp.1")
    bench.block(LOCAL, VIP6, dev="vrrp.2")
    assert bench.listed() == nft.golden("vmac")


@pytest.mark.keyword("vrrp_instance.accept")
def test_addresses_are_not_reached_while_they_are_blocked_but_neighbours_find_them(bench: Bench) -> None:
    bench.start()
    bench.block(VIP, VIP6, LOCAL)
    for address in (f"{VIP}/32", f"{VIP6}/128", f"{LOCAL}/64"):
        bench.left.ip(f"addr add {address} dev eth0" + (" nodad" if ":" in address else ""))
    scoped = f"{LOCAL}%eth0"
    for address in (VIP, VIP6, scoped):
        assert not bench.reaches(address, "0.2"), address
    for address in ("10.0.0.1", "fd00::1"):  # the others are
        assert bench.reaches(address, PATIENCE), address
    found = {each["dst"]: each for each in json.loads(bench.right.ip("-j neigh show dev eth0"))}
    mac = json.loads(bench.left.ip("-j link show eth0"))[0]["address"]
    assert {found[each].get("lladdr") for each in (VIP, VIP6, LOCAL)} == {mac}  # by ARP, by neighbour discovery

    listener = bench.left.call(lambda: socket.create_server((VIP, 7)))
    with listener:
        with pytest.raises(TimeoutError):
            bench.right.call(lambda: socket.create_connection((VIP, 7), timeout=0.2))
        with pytest.raises(subprocess.CalledProcessError):  # nor do packets leave from it
            run(bench.left, "ping", "-c", "1", "-W", "0.2", "-I", VIP, "10.0.0.2")
        bench.unblock(VIP, VIP6, LOCAL)
        bench.right.call(lambda: socket.create_connection((VIP, 7), timeout=float(PATIENCE))).close()
    for address in (VIP, VIP6, scoped):
        assert bench.reaches(address, PATIENCE), address


def test_a_link_local_address_of_another_interface_is_reached(bench: Bench) -> None:
    """The same address elsewhere is somebody else's."""
    bench.start()
    bench.block(LOCAL, dev="lo")
    bench.left.ip(f"addr add {LOCAL}/64 dev eth0 nodad")
    assert bench.reaches(f"{LOCAL}%eth0", PATIENCE)


def test_reports_of_a_vmac_leave_by_its_base(bench: Bench) -> None:
    """Those of another macvlan do not, and a VMAC asks for no routers."""
    bench.start()
    vmac, other = "00:00:5e:00:01:01", "02:00:00:00:00:99"
    add_vmac(bench.left, "vrrp.1", vmac)
    add_vmac(bench.left, "mine", other)
    bench.relay(AF_INET, "vrrp.1")
    bench.relay(AF_INET6, "vrrp.1")
    base = json.loads(bench.left.ip("-j link show eth0"))[0]["address"]
    with packet_socket(bench.right.name) as wire:
        wire.bind(("eth0", ETH_P_ALL))
        wire.settimeout(float(PATIENCE))
        joined = [join(bench, name, group) for name, group in (("vrrp.1", "239.1.1.1"), ("mine", "239.1.1.2"))]
        joined += [join6(bench, name, group) for name, group in (("vrrp.1", "ff05::11"), ("mine", "ff05::22"))]
        try:
            senders = reporters(wire, "239.1.1.1", "239.1.1.2", "ff05::11", "ff05::22")
        finally:
            for each in joined:
                each.close()
    assert senders == {"239.1.1.1": base, "239.1.1.2": other, "ff05::11": base, "ff05::22": other}
    rules = [each["rule"] for each in bench.listed() if "rule" in each]
    assert any("nd-router-solicit" in json.dumps(each) for each in rules)
    bench.firewall.forget(AF_INET, bench.index("vrrp.1"))
    bench.firewall.forget(AF_INET6, bench.index("vrrp.1"))
    assert not [each for each in bench.listed() if "elem" in each.get("map", {})]


def join(bench: Bench, name: str, group: str) -> socket.socket:
    """Become a member of a group by an interface."""
    member = bench.left.call(lambda: socket.socket(AF_INET, socket.SOCK_DGRAM))
    request = struct.pack("=4s4sI", ip_address(group).packed, bytes(4), bench.index(name))
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    return member


def join6(bench: Bench, name: str, group: str) -> socket.socket:
    member = bench.left.call(lambda: socket.socket(AF_INET6, socket.SOCK_DGRAM))
    request = struct.pack("=16sI", ip_address(group).packed, bench.index(name))
    member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
    return member


def reporters(wire: socket.socket, *groups: str) -> dict[str, str]:
    """Who sends the first report of each group; they come in any order, and only once or twice."""
    found: dict[str, str] = {}
    while len(found) < len(groups):
        frame = wire.recv(2048)
        if frame[:1] in {b"\x01", b"\x33"}:
            for group in groups:
                if ip_address(group).packed in frame[34:]:
                    found.setdefault(group, frame[6:12].hex(":"))
    return found


def by_text(listed: list[Any]) -> list[str]:
    """A table that is made again comes last."""
    return sorted(map(json.dumps, listed))


def test_a_flush_by_nft_is_mended_and_said(bench: Bench) -> None:
    bench.start()
    bench.block(VIP, VIP6)
    before = by_text(bench.listed())
    (fd,) = bench.reactor.watched
    hear = bench.reactor.watched[fd]
    bench.left.call(hear)  # our own orders are no news
    assert by_text(bench.listed()) == before
    element = f"delete element ip keepalived vips {{ {VIP} }}"
    for disturbing in ("flush ruleset", element, "flush chain ip keepalived in"):
        bench.nft(*disturbing.split())
        bench.reactor.time += 10**12
        bench.left.call(hear)
        bench.left.call(bench.reactor.turn)
        assert by_text(bench.listed()) == before, disturbing
    said = [each for each in bench.journal.texts() if "is made again: nft[" in each]
    assert len(said) == 4  # two tables, then one, and one
    bench.nft("add", "table", "ip", "stranger")
    bench.nft("delete", "table", "ip", "stranger")
    bench.left.call(hear)
    bench.left.call(bench.reactor.turn)
    assert len([each for each in bench.journal.texts() if "is made again" in each]) == 4


def test_what_a_crash_has_left_is_removed(bench: Bench) -> None:
    bench.start()
    bench.block(VIP, LOCAL)
    bench.filter.close()  # nobody says goodbye
    again = Firewall(LinuxPacketFilter(), cast("Any", FakeReactor()), FakeJournal(), lambda _: None)
    accepting = sound(instance_text("", vip=VIP)).configuration
    bench.left.call(lambda: again.start(accepting))
    bench.left.call(lambda: again.clear_leftovers(accepting))
    tables = [each["table"]["family"] for each in bench.listed() if "table" in each]
    assert tables == ["ip6"]  # which drops nothing of ours
    refusing = sound(instance_text("no_accept")).configuration
    bench.left.call(lambda: again.clear_leftovers(refusing))
    assert bench.listed() == []
    again.close()


def test_thousands_of_addresses_are_one_order_each_way(bench: Bench) -> None:
    bench.start()
    many = [str(ip_address("10.1.0.0") + number) for number in range(3000)]
    bench.block(*many)
    assert sum(len(each["set"]["elem"]) for each in bench.listed() if "set" in each) == len(many)
    bench.unblock(*many)
    assert [each for each in bench.listed() if "elem" in each.get("set", {})] == []


def test_a_table_of_others_is_replaced_whole(bench: Bench) -> None:
    """Whatever stands under our name, also what could not be added to."""
    bench.nft("add table ip keepalived; add set ip keepalived vips { type inet_service; }")
    bench.nft("add chain ip keepalived mine { type filter hook input priority 0; policy drop; }")
    bench.start()
    bench.block(VIP, "10.0.0.101", "10.0.1.100")
    bench.block(LOCAL, VIP6)
    assert bench.listed() == nft.golden("no_accept")

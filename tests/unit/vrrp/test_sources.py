"""Where adverts come from: addresses that appear, vanish, are replaced, are configured, or are another host's."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.vrrp import replacement
from pykeepalived.vrrp.effects import Effect, SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.routers import Routers
from tests.support.scenario import make_configuration

NOW = 1_000_000_000_000
PLAIN = "instance VI_1 priority=100"
SIX = "instance VI_1 priority=100 virtual_ipaddress=fe80::100/64,fd00::100/64"
UNICAST = "instance VI_1 unicast_src_ip=10.0.0.5 unicast_peer=10.0.0.2"


class Host:
    """A host with eth0 and eth1, and a clock that stands."""

    def __init__(self, line: str, *addresses: str) -> None:
        self.routers = Routers(make_configuration(line))
        self.said: list[str] = []
        for name in ("eth0", "eth1"):
            self.routers.handle(InterfaceChanged(name, up=True), NOW)
        for address in addresses:
            self.add(address)
        self.hear(self.routers.start(NOW))

    def hear(self, effects: list[Effect]) -> None:
        self.said += [effect.message for effect in effects if isinstance(effect, Log) and not effect.detail]

    def add(self, address: str, interface: str = "eth0", *, tentative: bool = False, dad_failed: bool = False) -> None:
        event = AddressAdded(interface, ip_address(address), 24, tentative=tentative, dad_failed=dad_failed)
        self.hear(self.routers.handle(event, NOW))

    def remove(self, address: str, interface: str = "eth0") -> None:
        self.hear(self.routers.handle(AddressRemoved(interface, ip_address(address), 24), NOW))

    @property
    def state(self) -> str:
        return self.routers.routers["VI_1"].state.name

    @property
    def source(self) -> IPv4Address | IPv6Address | None:
        return self.routers.routers["VI_1"].source_address


def test_the_last_address_goes_and_another_comes() -> None:
    host = Host(PLAIN, "10.0.0.1")
    host.remove("10.0.0.1")
    assert (host.state, host.source) == ("FAULT", None)
    assert "(VI_1) entering FAULT state (no IPv4 address for interface)" in host.said
    host.add("10.0.0.7")
    assert (host.state, host.source) == ("BACKUP", IPv4Address("10.0.0.7"))


def test_a_replaced_source_is_no_fault_and_the_next_advert_has_the_new_one() -> None:
    host = Host("instance VI_1 priority=255", "10.0.0.1", "10.1.0.1")
    host.routers.handle(Tick(), NOW + SECOND)
    host.remove("10.0.0.1")
    assert (host.state, host.source) == ("MASTER", IPv4Address("10.1.0.1"))
    (advert, *_) = host.routers.handle(Tick(), NOW + 2 * SECOND)
    assert advert == SendAdvert("VI_1", 255, IPv4Address("10.1.0.1").packed)


@pytest.mark.keyword("vrrp_instance.track_src_ip")
@pytest.mark.parametrize("source", ["mcast_src_ip=10.0.0.5", "unicast_src_ip=10.0.0.5 unicast_peer=10.0.0.2"])
def test_a_tracked_source_that_goes_is_a_fault_and_its_return_clears_it(source: str) -> None:
    host = Host(f"{PLAIN} {source} track_src_ip=yes", "10.0.0.1", "10.0.0.5")
    assert host.state == "BACKUP"
    host.remove("10.0.0.5")
    assert host.state == "FAULT"
    assert any("the configured source 10.0.0.5" in line for line in host.said)
    host.add("10.0.0.9")
    assert host.state == "FAULT"
    host.add("10.0.0.5")
    assert (host.state, host.source) == ("BACKUP", IPv4Address("10.0.0.5"))


def test_a_tracked_source_may_be_on_any_interface_and_is_missed_at_the_start() -> None:
    host = Host(f"{PLAIN} mcast_src_ip=10.0.0.5 track_src_ip=yes", "10.0.0.1")
    assert host.state == "FAULT"
    host.add("10.0.0.5", "eth1")
    assert host.state == "BACKUP"
    host.hear(host.routers.handle(InterfaceChanged("eth1", up=False, present=False), NOW))
    assert host.state == "FAULT"


def test_a_source_that_is_not_tracked_need_not_be_there() -> None:
    host = Host(f"{PLAIN} mcast_src_ip=10.0.0.5", "10.0.0.5")
    host.remove("10.0.0.5")
    assert (host.state, host.source) == ("BACKUP", IPv4Address("10.0.0.5"))


def test_track_src_ip_without_a_configured_source_changes_nothing() -> None:
    assert Host(f"{PLAIN} track_src_ip=yes", "10.0.0.1").state == "BACKUP"


def test_a_reload_begins_and_ends_the_tracking() -> None:
    host = Host(f"{PLAIN} mcast_src_ip=10.0.0.5", "10.0.0.1")
    tracked = make_configuration(f"{PLAIN} mcast_src_ip=10.0.0.5 track_src_ip=yes")
    host.hear(replacement.replace(host.routers, tracked, NOW))
    assert host.state == "FAULT"
    host.hear(replacement.replace(host.routers, make_configuration(f"{PLAIN} mcast_src_ip=10.0.0.5"), NOW))
    assert host.state == "BACKUP"


@pytest.mark.parametrize("line", [SIX, f"{SIX} mcast_src_ip=fe80::1", f"{SIX} mcast_src_ip=fe80::1 track_src_ip=yes"])
def test_an_ipv6_address_is_waited_for_while_it_is_tentative(line: str) -> None:
    host = Host(line)
    host.add("fe80::1", tentative=True)
    assert (host.state, host.source) == ("FAULT", None)
    host.add("fe80::1")
    assert (host.state, host.source) == ("BACKUP", IPv6Address("fe80::1"))


def test_an_address_that_another_host_has_is_said_once_and_not_sent_from() -> None:
    host = Host(SIX)
    host.add("fe80::1", tentative=True)
    for _ in range(2):
        host.add("fe80::1", tentative=True, dad_failed=True)
    (line,) = [line for line in host.said if "another host's" in line]
    assert line.startswith("Address fe80::1 on eth0 is another host's (duplicate address detection)")
    assert (host.state, host.source) == ("FAULT", None)
    host.add("fe80::2")
    assert host.source == IPv6Address("fe80::2")


def test_a_virtual_address_that_another_host_has_is_said() -> None:
    host = Host(SIX, "fe80::1")
    host.add("fd00::100", tentative=True, dad_failed=True)
    assert [line for line in host.said if line.startswith("Address fd00::100 on eth0 is another host's")]


@pytest.mark.keyword("vrrp_instance.unicast_fault_no_peer")
def test_unicast_without_a_peer_is_a_fault_and_nothing_is_listened_to() -> None:
    host = Host(f"{PLAIN} unicast_fault_no_peer=yes", "10.0.0.1")
    assert host.state == "FAULT"
    assert host.said[0] == "(VI_1) Cannot use unicast without any peers - going to fault state"
    assert host.routers.inboxes == {}
    host.hear(replacement.replace(host.routers, make_configuration(UNICAST), NOW))
    assert host.state == "BACKUP"
    assert Host(f"{UNICAST} unicast_fault_no_peer=yes", "10.0.0.5").state == "BACKUP"


def test_an_instance_without_interface_follows_those_of_its_addresses_alone() -> None:
    host = Host(f"{UNICAST} interface= virtual_ipaddress=10.0.0.100/24@eth1", "10.0.0.5")
    router = host.routers.routers["VI_1"]
    assert receiver_of(router.instance)[1:4] == ("", None, IPv4Address("10.0.0.5"))
    assert (host.state, router.interface_up) == ("BACKUP", True)
    host.hear(host.routers.handle(InterfaceChanged("eth0", up=False), NOW))
    assert host.state == "BACKUP"
    host.hear(host.routers.handle(InterfaceChanged("eth1", up=False), NOW))
    assert host.state == "FAULT"


def test_its_source_is_on_any_interface() -> None:
    host = Host(f"{UNICAST} interface= virtual_ipaddress=10.0.0.100/24@eth1 track_src_ip=yes")
    assert host.state == "FAULT"
    host.add("10.0.0.5", "eth1")
    assert host.state == "BACKUP"
    assert "address 10.0.0.5 can be sent from" in host.said[-1]

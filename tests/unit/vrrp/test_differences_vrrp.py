"""Where VRRP differs from keepalived on purpose, and no other test says so."""

from ipaddress import IPv4Address, ip_address

import pytest

from pykeepalived.units import SECOND
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved, InterfaceChanged
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from tests.support.scenario import make_configuration

NOW = 1_000_000_000_000
PLAIN = "instance VI_1 priority=255"


def started(line: str, *, secondary: bool = False) -> Routers:
    host = Routers(make_configuration(line))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24, secondary=secondary), NOW)
    host.start(NOW)
    return host


def test_a_secondary_address_is_better_than_none() -> None:
    host = started("instance VI_1 priority=100", secondary=True)
    router = host.routers["VI_1"]
    assert (router.state.name, router.source_address) == ("BACKUP", IPv4Address("10.0.0.1"))
    host.handle(AddressAdded("eth0", IPv4Address("10.1.0.1"), 24), NOW + 1)
    assert router.source_address == IPv4Address("10.1.0.1")
    host.handle(AddressRemoved("eth0", IPv4Address("10.1.0.1"), 24), NOW + 2)
    assert (router.state.name, router.source_address) == ("BACKUP", IPv4Address("10.0.0.1"))


@pytest.mark.parametrize("reload", [False, True])
def test_a_script_that_a_reload_brings_waits_for_nobody(reload: bool) -> None:
    """At a start an instance waits for the first result of a script; one that runs already goes on running."""
    tracked = make_configuration("vrrp_script chk", f"{PLAIN} track_script=chk")
    if not reload:
        host = Routers(tracked)
        host.handle(InterfaceChanged("eth0", up=True), NOW)
        host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
        host.start(NOW)
        assert host.tick_all(NOW + SECOND) == []
        assert host.routers["VI_1"].state.name == "INIT"
        return
    host = started(PLAIN)
    host.tick_all(NOW + SECOND)
    assert host.routers["VI_1"].state.name == "MASTER"
    replace(host, tracked, NOW + 2 * SECOND)
    assert host.routers["VI_1"].state.name == "MASTER"


def test_addresses_of_adverts_never_are_virtual_ones() -> None:
    """A surprise that is kept: an owner needs a second address to speak from."""
    host = started("instance VI_1 priority=255 virtual_ipaddress=10.0.0.1/24")
    router = host.routers["VI_1"]
    assert (router.state.name, router.source_address) == ("FAULT", None)
    host.handle(AddressAdded("eth0", ip_address("10.0.0.7"), 24), NOW)
    assert router.source_address == IPv4Address("10.0.0.7")

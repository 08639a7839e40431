"""vrrp_startup_delay beside what may happen meanwhile: nobody is MASTER before the others could be heard."""

from ipaddress import IPv4Address

import pytest

from pykeepalived.units import SECOND
from pykeepalived.vrrp.events import AddressAdded, InterfaceChanged, TrackScriptChanged
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Backup, Fault, Init, Master
from tests.support.scenario import make_configuration

NOW = 1_000_000_000_000
DOWN = 3_609_375_000
END = NOW + 10 * SECOND
DELAY = "global_defs vrrp_startup_delay=10"
OWNER = "instance VI_1 priority=255"


def started(*lines: str, up: bool = True) -> Routers:
    host = Routers(make_configuration(DELAY, *lines))
    host.handle(InterfaceChanged("eth0", up=up), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
    host.start(NOW)
    return host


def state(host: Routers, name: str = "VI_1") -> type:
    return type(host.routers[name].state)


@pytest.mark.keyword("global_defs.vrrp_startup_delay")
def test_a_fault_that_ends_meanwhile_does_not_begin_the_silence_early() -> None:
    host = started("instance VI_1", up=False)
    assert state(host) is Fault
    host.handle(InterfaceChanged("eth0", up=True), NOW + SECOND)
    assert state(host) is Backup
    assert host.routers["VI_1"].deadline == END + DOWN
    host.handle(InterfaceChanged("eth0", up=False), END + SECOND)
    host.handle(InterfaceChanged("eth0", up=True), END + 2 * SECOND)
    assert host.routers["VI_1"].deadline == END + 2 * SECOND + DOWN


def test_a_reload_meanwhile_takes_the_ownership_away() -> None:
    host = started(OWNER)
    replace(host, make_configuration(DELAY, "instance VI_1 priority=100"), NOW + SECOND)
    assert state(host) is Backup
    assert host.routers["VI_1"].deadline == END + DOWN


def test_a_reload_meanwhile_leaves_an_owner_what_it_is() -> None:
    host = started(OWNER)
    replace(host, make_configuration(DELAY, f"{OWNER} garp_master_repeat=2"), NOW + SECOND)
    host.tick_all(END - 1)
    assert state(host) is Init
    host.tick_all(END + 1000)
    assert state(host) is Master


def test_a_reload_meanwhile_brings_an_owner_a_fault() -> None:
    host = started(OWNER)
    replace(host, make_configuration(DELAY, f"{OWNER} track_interface=eth1"), NOW + SECOND)
    assert state(host) is Fault
    host.tick_all(END + SECOND)
    assert state(host) is Fault


def test_an_owner_waits_for_a_script_that_a_reload_brings() -> None:
    host = started(OWNER)
    tracked = make_configuration(DELAY, "vrrp_script chk", f"{OWNER} track_script=chk")
    replace(host, tracked, NOW + SECOND)
    host.tick_all(END + SECOND)
    assert state(host) is Init
    host.handle(TrackScriptChanged("chk", up=True), END + 2 * SECOND)
    host.tick_all(END + 2 * SECOND + 1000)
    assert state(host) is Master


def test_owners_in_a_group_wait_for_a_member_that_a_reload_brings() -> None:
    second = "instance VI_2 priority=255 virtual_router_id=52 virtual_ipaddress=10.0.0.102/24"
    host = started(OWNER, second, "group G group=VI_1,VI_2")
    third = "instance VI_3 priority=255 virtual_router_id=53 virtual_ipaddress=10.0.0.103/24 track_script=chk"
    more = make_configuration(DELAY, "vrrp_script chk", OWNER, second, third, "group G group=VI_1,VI_2,VI_3")
    replace(host, more, NOW + SECOND)
    host.tick_all(END + SECOND)
    assert {state(host, name) for name in host.routers} == {Init}

"""Reloads amid a state that was made by the former settings."""

from errno import EPERM
from ipaddress import IPv4Address

import pytest

from pykeepalived.units import SECOND
from pykeepalived.vrrp.effects import Effect, RemoveAddresses, SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AddressesFailed, AddressRemoved, InterfaceChanged
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Backup, Master
from tests.support.scenario import make_configuration
from tests.unit.vrrp.test_router import heard, only

NOW = 1_000_000_000_000
OWN, FORMER = IPv4Address("10.0.0.7"), IPv4Address("10.0.0.102")
SECOND_INSTANCE = "instance VI_2 virtual_router_id=52 virtual_ipaddress=10.0.0.102/24"


def started(*lines: str) -> Routers:
    host = Routers(make_configuration(*lines))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
    host.start(NOW)
    return host


def test_an_owner_that_yielded_and_is_no_owner_any_more_has_its_own_priority() -> None:
    host = started("instance VI_1 priority=255")
    host.tick_all(NOW + 1000)
    for tenth in range(5, 40, 5):  # another owner, with a lower address, that does not yield
        host.tick_all(NOW + tenth * SECOND // 10)
        host.handle(heard(255, "10.0.0.0"), NOW + tenth * SECOND // 10)
    assert only(host).standing.yields
    assert only(host).priority == 254
    replace(host, make_configuration("instance VI_1 priority=100"), NOW + 5 * SECOND)
    assert isinstance(only(host).state, Backup)
    assert only(host).priority == 100


def test_who_leaves_fault_by_a_reload_takes_no_master_of_its_new_group_along() -> None:
    host = started("instance VI_1", f"{SECOND_INSTANCE} track_interface=eth1")
    host.tick_all(NOW + 4 * SECOND)
    grouped = make_configuration("instance VI_1", SECOND_INSTANCE, "group G group=VI_1,VI_2")
    replace(host, grouped, NOW + 5 * SECOND)
    assert isinstance(host.routers["VI_1"].state, Master)
    assert isinstance(host.routers["VI_2"].state, Backup)
    assert host.groups["G"].mixed
    host.tick_all(NOW + 9 * SECOND)
    assert isinstance(host.routers["VI_2"].state, Master)
    assert not host.groups["G"].mixed


def test_a_second_stall_after_the_master_gave_up_is_listened_to_as_well() -> None:
    host = started("instance VI_1")
    host.handle(heard(150), NOW + SECOND)
    for begin in (10, 20):
        host.tick_all(NOW + begin * SECOND)  # it stood still
        state = only(host).state
        assert isinstance(state, Backup)
        assert state.frozen
        host.handle(heard(0), NOW + begin * SECOND + SECOND // 10)


def with_a_virtual_address_first() -> Routers:
    """VI_1 and VI_2 are MASTERs; the address of VI_2 came to the link before the one that adverts come from."""
    host = started("instance VI_1", SECOND_INSTANCE)
    host.tick_all(NOW + 4 * SECOND)
    for address in (FORMER, OWN):
        host.handle(AddressAdded("eth0", address, 24), NOW + 4 * SECOND)
    host.handle(AddressRemoved("eth0", IPv4Address("10.0.0.1"), 24), NOW + 4 * SECOND)
    assert host.routers["VI_1"].source_address == OWN
    return host


def sources(effects: list[Effect]) -> list[IPv4Address]:
    return [IPv4Address(each.source) for each in effects if isinstance(each, SendAdvert) and each.instance == "VI_1"]


def without_the_second(host: Routers, line: str = "instance VI_1") -> list[Effect]:
    return replace(host, make_configuration(line), NOW + 5 * SECOND)


@pytest.mark.parametrize("more", [(), (SECOND_INSTANCE.replace(".102", ".103"),)])
def test_nothing_is_sent_from_an_address_that_the_reload_removes(more: tuple[str, ...]) -> None:
    host = with_a_virtual_address_first()
    effects = replace(host, make_configuration("instance VI_1", *more), NOW + 5 * SECOND)
    assert FORMER in {entry.address for each in effects if isinstance(each, RemoveAddresses) for entry in each.entries}
    assert sources(effects) == [OWN, OWN]
    host.handle(AddressAdded("eth0", FORMER, 24), NOW + 5 * SECOND)  # told once more
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.8"), 24), NOW + 5 * SECOND)
    assert sources(host.tick_all(NOW + 6 * SECOND)) == [OWN]
    host.handle(AddressRemoved("eth0", FORMER, 24), NOW + 6 * SECOND)
    assert sources(host.tick_all(NOW + 7 * SECOND)) == [OWN]


def test_an_address_that_the_kernel_does_not_remove_is_one_to_send_from() -> None:
    host = with_a_virtual_address_first()
    (entry,) = host.routers["VI_2"].instance.virtual_ipaddress
    without_the_second(host)
    host.handle(AddressesFailed("VI_2", entry, EPERM, adding=False), NOW + 5 * SECOND)
    assert sources(host.tick_all(NOW + 6 * SECOND)) == [FORMER]


def test_an_address_that_the_reload_removes_ends_no_fault_unless_it_stays() -> None:
    host = started("instance VI_1", f"{SECOND_INSTANCE} mcast_src_ip=10.0.0.1")
    host.tick_all(NOW + 4 * SECOND)
    host.handle(AddressAdded("eth0", FORMER, 24), NOW + 4 * SECOND)
    host.handle(AddressRemoved("eth0", IPv4Address("10.0.0.1"), 24), NOW + 4 * SECOND)
    (entry,) = host.routers["VI_2"].instance.virtual_ipaddress
    assert host.routers["VI_1"].state.name == "FAULT"
    without_the_second(host)
    assert host.routers["VI_1"].state.name == "FAULT"
    host.handle(AddressesFailed("VI_2", entry, EPERM, adding=False), NOW + 5 * SECOND)
    assert (host.routers["VI_1"].state.name, host.routers["VI_1"].source_address) == ("BACKUP", FORMER)


def test_a_former_virtual_address_that_somebody_puts_there_is_one_to_send_from() -> None:
    host = with_a_virtual_address_first()
    without_the_second(host)
    host.handle(AddressAdded("eth0", FORMER, 16), NOW + 5 * SECOND)  # beside ours
    host.handle(AddressRemoved("eth0", OWN, 24), NOW + 5 * SECOND)
    assert sources(host.tick_all(NOW + 6 * SECOND)) == [FORMER]
    host.handle(AddressRemoved("eth0", FORMER, 24), NOW + 6 * SECOND)
    host.handle(AddressAdded("eth0", FORMER, 24), NOW + 6 * SECOND)  # in its place
    host.handle(AddressRemoved("eth0", FORMER, 16), NOW + 6 * SECOND)
    assert sources(host.tick_all(NOW + 7 * SECOND)) == [FORMER]


@pytest.mark.parametrize("more", ["", " track_src_ip=yes"])
def test_a_former_virtual_address_may_be_the_configured_source(more: str) -> None:
    host = with_a_virtual_address_first()
    host.handle(AddressAdded("eth1", FORMER, 32), NOW + 4 * SECOND)  # it is somewhere, too
    effects = without_the_second(host, f"instance VI_1 mcast_src_ip={FORMER}{more}")
    assert sources(effects) == [OWN, FORMER]
    host.handle(AddressRemoved("eth0", FORMER, 24), NOW + 5 * SECOND)
    assert sources(host.tick_all(NOW + 6 * SECOND)) == [FORMER]

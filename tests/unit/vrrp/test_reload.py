"""Reloads amid a state that was made by the former settings."""

from ipaddress import IPv4Address

from pykeepalived.units import SECOND
from pykeepalived.vrrp.events import AddressAdded, InterfaceChanged
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Backup, Master
from tests.support.scenario import make_configuration
from tests.unit.vrrp.test_router import heard, only

NOW = 1_000_000_000_000
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

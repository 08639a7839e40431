"""Static addresses, routes and rules in the core: set, put back, diffed, followed by track_groups."""

from collections.abc import Sequence
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.routes import RouteEntry
from pykeepalived.events import Tick
from pykeepalived.vrrp.effects import Effect
from pykeepalived.vrrp.events import AddressAdded, AddressRemoved, InterfaceChanged, RoutingRemoved, StaticTried
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from tests.support.scenario import BASE, render
from tests.unit.vrrp.test_routing import LATER, changes, configured, host, instance

TEXT = """
track_group TG {
    group {
        VI_1
    }
}
static_ipaddress {
    10.5.0.1/24 dev eth1
    10.5.1.1/24 dev eth1 no_track
}
static_routes {
    10.6.0.0/24 via 10.0.1.2 dev eth1 track_group TG
    10.6.1.0/24 via 10.0.1.2
}
static_rules {
    from 10.7.0.0/24 table 100 preference 1000
}
"""
ROUTE = "10.6.0.0/24 via 10.0.1.2 dev eth1 track_group TG"
VI_1 = instance("")


def begun(text: str = TEXT + VI_1) -> Routers:
    routers = host(text)
    routers.start(BASE)
    return routers


def told(effects: Sequence[Effect]) -> list[str]:
    return [render(effect) for effect in effects]


def route(routers: Routers) -> RouteEntry:
    return routers.configuration.static_routes[0]


@pytest.mark.keyword("static_ipaddress", "static_routes", "static_rules")
def test_they_are_set_at_the_start_and_removed_at_the_end() -> None:
    routers = host(TEXT + VI_1)
    assert changes(routers.start(BASE))[:3] == [
        "add  10.5.0.1@eth1,10.5.1.1@eth1",
        f"add routes  {ROUTE}; 10.6.1.0/24 via 10.0.1.2 no_track",
        "add rules  from 10.7.0.0/24 preference 1000 table 100",
    ]
    assert changes(routers.stop(LATER)) == [
        "remove rules  from 10.7.0.0/24 preference 1000 table 100",
        f"remove routes  {ROUTE}; 10.6.1.0/24 via 10.0.1.2 no_track",
        "remove  10.5.0.1@eth1,10.5.1.1@eth1",
    ]
    assert changes(begun().stop(LATER, release=False)) == []


def test_what_somebody_removes_is_put_back() -> None:
    routers = begun()
    gone = AddressRemoved("eth1", IPv4Address("10.5.0.1"), 24)
    assert told(routers.handle(gone, LATER)) == [
        "log Restoring deleted static address 10.5.0.1/24 dev eth1 scope global",
        "add  10.5.0.1@eth1",
    ]
    assert told(routers.handle(RoutingRemoved(route(routers)), LATER)) == [
        f"log Restoring deleted static route {ROUTE}",
        f"add routes  {ROUTE}",
    ]
    assert changes(routers.handle(RoutingRemoved(routers.configuration.static_rules[0]), LATER)) == [
        "add rules  from 10.7.0.0/24 preference 1000 table 100"
    ]
    assert told(routers.handle(AddressRemoved("eth1", IPv4Address("10.5.1.1"), 24), LATER)) == []
    routers.stop(LATER)
    assert told(routers.handle(gone, LATER)) == []


def test_they_come_back_with_their_interface() -> None:
    routers = begun()
    routers.handle(InterfaceChanged("eth1", up=False), LATER)
    assert told(routers.handle(RoutingRemoved(route(routers)), LATER)) == []
    assert told(routers.handle(AddressRemoved("eth1", IPv4Address("10.5.0.1"), 24), LATER)) == []
    back = told(routers.handle(InterfaceChanged("eth1", up=True), LATER))
    assert back[-3:] == [
        "log Interface eth1 is up: restoring its static addresses, routes and rules",
        "add  10.5.0.1@eth1",
        f"add routes  {ROUTE}; 10.6.1.0/24 via 10.0.1.2 no_track",
    ]


def test_what_the_kernel_refused_is_tried_again_when_something_changes() -> None:
    routers = begun()
    second = routers.configuration.static_routes[1]
    said = told(routers.handle(StaticTried(second, 101, "Nexthop has invalid gateway"), LATER))
    assert said == [
        (
            f"log The kernel refuses to add static route {second}: ENETUNREACH (Nexthop has invalid gateway; "
            "no interface has a network with its gateway: add an address of that network, or onlink)"
        )
    ]
    assert told(routers.handle(StaticTried(second, 101), LATER)) == []
    added = AddressAdded("eth0", IPv4Address("10.0.1.9"), 24)
    assert changes(routers.handle(added, LATER)) == [f"add routes  {second}"]
    routers.handle(StaticTried(second, 0), LATER)
    assert changes(routers.handle(AddressAdded("eth0", IPv4Address("10.0.1.10"), 24), LATER)) == []


@pytest.mark.keyword("track_group")
def test_a_track_group_faults_with_the_interface_and_when_it_cannot_be_put_back() -> None:
    routers = begun(TEXT + VI_1 + instance("", "VI_2", 52))
    one, two = routers.routers.values()
    routers.handle(InterfaceChanged("eth1", up=False), LATER)
    assert (one.state.name, two.state.name) == ("FAULT", "BACKUP")
    routers.handle(InterfaceChanged("eth1", up=True), LATER)
    assert one.state.name == "BACKUP"
    routers.handle(InterfaceChanged("eth1", up=False), LATER)
    routers.handle(RoutingRemoved(route(routers)), LATER)
    routers.handle(InterfaceChanged("eth1", up=True), LATER)
    routers.handle(StaticTried(route(routers), 101), LATER)
    assert one.state.name == "FAULT"
    routers.handle(StaticTried(route(routers), 0), LATER)
    assert one.state.name == "BACKUP"
    faulted = told(routers.handle(StaticTried(route(routers), 101), LATER))
    assert (one.state.name, two.state.name) == ("FAULT", "BACKUP")
    assert f"log (VI_1) cause: static route {ROUTE} is missing" in faulted
    cleared = told(routers.handle(StaticTried(route(routers), 0), LATER))
    assert f"log (VI_1) cause: static route {ROUTE} is there" in cleared
    assert one.state.name == "BACKUP"


def test_a_reload_touches_only_what_changed() -> None:
    routers = begun()
    assert changes(replace(routers, configured(TEXT + VI_1), LATER)) == []
    text = TEXT.replace("10.5.0.1", "10.5.0.2").replace("10.6.1.0/24 via 10.0.1.2", "10.6.1.0/24 via 10.0.1.3")
    assert changes(replace(routers, configured(text + VI_1), LATER)) == [
        "remove  10.5.0.1@eth1",
        "replace routes  10.6.1.0/24 via 10.0.1.3 no_track",
        "add  10.5.0.2@eth1",
    ]
    assert told(routers.handle(AddressRemoved("eth1", IPv4Address("10.5.0.1"), 24), LATER)) == []
    assert changes(replace(routers, configured(VI_1), LATER))[-1] == "remove  10.5.0.2@eth1,10.5.1.1@eth1"


def test_an_address_that_becomes_virtual_is_not_taken_away() -> None:
    routers = begun("static_ipaddress {\n10.0.0.77/24 dev eth0\n}\n" + VI_1)
    routers.handle(Tick(), LATER)
    more = "virtual_ipaddress_excluded {\n10.0.0.77/24\n}\n"
    assert changes(replace(routers, configured(instance(more)), LATER)) == ["add VI_1 10.0.0.77@eth0"]


def test_what_is_virtual_as_well_stays_when_the_master_leaves() -> None:
    shared = "10.6.1.0/24 via 10.0.1.2"
    both = f"static_routes {{\n{shared} no_track\n}}\n" + instance(f"virtual_routes {{\n{shared} no_track\n}}")
    routers = host(both)
    assert not any("remove routes" in each for each in changes(routers.start(BASE)))
    assert f"add routes VI_1 {shared} no_track" in changes(routers.handle(Tick(), LATER))
    left = changes(routers.handle(InterfaceChanged("eth0", up=False), LATER))
    assert "remove VI_1 10.0.0.100@eth0" in left
    assert not any("remove routes" in each for each in left)
    assert f"remove routes  {shared} no_track" in changes(routers.stop(LATER))

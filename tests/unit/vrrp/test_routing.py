"""Virtual routes and rules in the core: taken and given back in their order, lost, moved by difference."""

import dataclasses
from collections.abc import Sequence
from errno import EACCES, ENETUNREACH
from ipaddress import IPv4Address, IPv6Address

import pytest

from pykeepalived.config.blocks.interfaces import InterfaceUpDownDelay, LinkbeatInterface
from pykeepalived.config.configuration import Configuration
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.vrrp.effects import AddAddresses, Announce, Effect
from pykeepalived.vrrp.events import AddressAdded, AddressesFailed, InterfaceChanged, RoutingFailed, RoutingRemoved
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.routers import Routers
from tests.config.machine import Machine
from tests.config.reading import sound
from tests.support.scenario import BASE, render

LATER = BASE + 4_000_000_000
ROUTES = """
virtual_routes {
    10.8.0.0/24 via 10.0.0.2 dev eth0
    10.8.1.0/24 via 10.0.1.2 dev eth1
    10.8.2.0/24 via 10.0.0.2
}
virtual_rules {
    from 10.9.0.0/24 table 100 preference 2000
    from 10.9.1.0/24 table 100 preference 2001 no_track
}
"""


def instance(inside: str, name: str = "VI_1", vrid: int = 51) -> str:
    return f"""
vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    priority 100
    virtual_ipaddress {{
        10.0.0.{vrid + 49}/24
    }}
    {inside}
}}
"""


def configured(text: str, **more: object) -> Configuration:
    made = sound(text, Machine(interfaces=("eth0", "eth1"))).configuration
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


def host(text: str, **more: object) -> Routers:
    """Two interfaces with an address each, started."""
    routers = Routers(configured(text, **more))
    for number, link in enumerate(("eth0", "eth1")):
        routers.handle(InterfaceChanged(link, up=True), BASE)
        routers.handle(AddressAdded(link, IPv4Address(f"10.0.{number}.1"), 24), BASE)
    return routers


def masters(text: str, **more: object) -> Routers:
    """The same, and every instance is MASTER."""
    routers = host(text, **more)
    routers.start(BASE)
    routers.handle(Tick(), LATER)
    assert {router.state.name for router in routers.routers.values()} == {"MASTER"}
    return routers


def orders(effects: Sequence[Effect]) -> list[str]:
    """What is ordered and said, without what is not about routes, rules and addresses."""
    words = ("add ", "remove ", "replace ", "detail ", "log ")
    return [text for text in map(render, effects) if text.startswith(words)]


def changes(effects: Sequence[Effect]) -> list[str]:
    return [text for text in map(render, effects) if text.startswith(("add ", "remove ", "replace "))]


@pytest.mark.keyword("vrrp_instance.virtual_routes", "vrrp_instance.virtual_rules")
def test_a_start_removes_and_a_master_takes_in_order() -> None:
    routers = host(instance(ROUTES))
    assert orders(routers.start(BASE))[:6] == [
        "detail (VI_1) removing Virtual Rules",
        (
            "remove rules VI_1 from 10.9.0.0/24 preference 2000 table 100; "
            "from 10.9.1.0/24 preference 2001 table 100 protocol 0 no_track"
        ),
        "detail (VI_1) removing Virtual Routes",
        (
            "remove routes VI_1 10.8.0.0/24 via 10.0.0.2 dev eth0; 10.8.1.0/24 via 10.0.1.2 dev eth1; "
            "10.8.2.0/24 via 10.0.0.2 no_track"
        ),
        "detail (VI_1) removing VIPs.",
        "remove VI_1 10.0.0.100@eth0",
    ]
    taken = orders(routers.handle(Tick(), LATER))
    at = taken.index("detail (VI_1) setting VIPs.")
    assert [line.partition(" 10.8")[0].partition(" from")[0] for line in taken[at:]] == [
        "detail (VI_1) setting VIPs.",
        "add VI_1 10.0.0.100@eth0",
        "detail (VI_1) setting Virtual Routes",
        "add routes VI_1",
        "detail (VI_1) setting Virtual Rules",
        "add rules VI_1",
    ]
    assert [line.split(" ")[1] for line in changes(routers.stop(LATER))] == ["rules", "routes", "VI_1"]


@pytest.mark.parametrize("number", [0, 1], ids=["route", "rule"])
def test_a_lost_route_or_rule_is_as_a_lost_address(number: int) -> None:
    routers = masters(instance(ROUTES))
    settings = routers.routers["VI_1"].instance
    entry = (settings.virtual_routes[0], settings.virtual_rules[0])[number]
    told = [render(effect) for effect in routers.handle(RoutingRemoved(entry), LATER)]
    what = ("route", "rule")[number]
    assert told[:4] == [
        "log (VI_1) Entering BACKUP STATE",
        f"log (VI_1) cause: somebody removed {what} {entry}",
        "advert VI_1 0 from 10.0.0.1",
        "detail (VI_1) sent 0 priority",
    ]
    assert routers.next_deadline() == LATER + 609_375_000


def test_what_is_not_tracked_and_what_others_hold_does_not_matter() -> None:
    routers = masters(instance(ROUTES))
    settings = routers.routers["VI_1"].instance
    assert routers.handle(RoutingRemoved(settings.virtual_routes[2]), LATER) == []
    assert routers.handle(RoutingRemoved(settings.virtual_rules[1]), LATER) == []
    backup = host(instance(ROUTES))
    backup.start(BASE)
    assert backup.handle(RoutingRemoved(settings.virtual_routes[0]), BASE) == []


def test_the_interface_of_a_tracked_route_or_rule_is_tracked() -> None:
    quiet = "virtual_routes {\n10.8.1.0/24 via 10.0.1.2 dev eth1 no_track\n}\n"
    ruled = "dont_track_primary\nvirtual_rules {\nfrom 10.9.0.0/24 iif eth1 table 100 preference 5\n}\n"
    routers = masters(instance(ROUTES) + instance(quiet, "VI_2", 52) + instance(ruled, "VI_3", 53))
    routers.handle(InterfaceChanged("eth1", up=False), LATER)
    assert [router.state.name for router in routers.routers.values()] == ["FAULT", "MASTER", "FAULT"]


def test_a_route_without_an_interface_is_taken_again_when_one_comes_back() -> None:
    routers = masters(instance("virtual_routes {\n10.8.2.0/24 via 10.0.1.2\n10.8.3.0/24 dev eth1 no_track\n}\n"))
    routers.handle(InterfaceChanged("eth1", up=False), LATER)
    assert changes(routers.handle(InterfaceChanged("eth1", up=True), LATER)) == [
        "add routes VI_1 10.8.2.0/24 via 10.0.1.2 no_track"
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"interface_up_down_delays": (InterfaceUpDownDelay("eth1", 2 * SECOND, 0),)},
        {"linkbeat_interfaces": (LinkbeatInterface("eth1"),)},
    ],
)
def test_routes_come_back_with_an_interface_that_did_not_count_as_down(more: dict[str, object]) -> None:
    """The kernel drops them all the same when it is set down, and tells nobody."""
    routers = masters(instance(ROUTES), **more)
    routers.handle(InterfaceChanged("eth1", up=False), LATER)
    assert changes(routers.handle(InterfaceChanged("eth1", up=True), LATER)) == [
        "add routes VI_1 10.8.1.0/24 via 10.0.1.2 dev eth1; 10.8.2.0/24 via 10.0.0.2 no_track"
    ]
    assert changes(routers.handle(InterfaceChanged("eth1", up=True, flags=1), LATER)) == []


def test_a_refusal_names_the_line_and_what_to_do() -> None:
    routers = masters(instance(ROUTES))
    route = routers.routers["VI_1"].instance.virtual_routes[0]
    assert [render(each) for each in routers.handle(RoutingFailed("VI_1", route, 101, words="said"), LATER)] == [
        (
            "log (VI_1) the kernel refuses to add route 10.8.0.0/24 via 10.0.0.2 dev eth0: ENETUNREACH"
            " (said; no interface has a network with its gateway: add an address of that network, or onlink)"
        )
    ]


@pytest.mark.parametrize(
    ("which", "wanted"),
    [
        (0, []),
        (1, ["add routes VI_1 10.8.1.0/24 via 10.0.1.2 dev eth1"]),
        (2, ["add routes VI_1 10.8.2.0/24 via 10.0.0.2 no_track"]),
    ],
)
def test_a_refused_route_is_tried_again_when_an_address_comes(which: int, wanted: list[str]) -> None:
    """A gateway's network may come after us."""
    routers = masters(instance(ROUTES))
    route = routers.routers["VI_1"].instance.virtual_routes[which]
    assert routers.handle(RoutingFailed("VI_1", route, ENETUNREACH), LATER)
    assert changes(routers.handle(AddressAdded("eth1", IPv4Address("10.0.1.9"), 24), LATER)) == wanted
    assert routers.handle(RoutingFailed("VI_1", route, ENETUNREACH), LATER) == [], "said once"


def test_a_refused_address_is_tried_again_when_another_comes() -> None:
    """IPv6 may have been disabled there for a moment."""
    routers = masters(instance("virtual_ipaddress_excluded {\n2001:db8::1/64\n}\n"))
    (address,) = routers.routers["VI_1"].instance.virtual_ipaddress_excluded
    assert routers.handle(AddressesFailed("VI_1", address, EACCES), LATER)
    assert changes(routers.handle(AddressAdded("eth1", IPv6Address("fe80::9"), 64), LATER)) == []
    ordered = routers.handle(AddressAdded("eth0", IPv6Address("fe80::9"), 64), LATER)
    assert AddAddresses("VI_1", (address,)) in ordered
    assert Announce("VI_1", (address,), 5) in ordered
    assert routers.handle(AddressesFailed("VI_1", address, EACCES), LATER) == [], "said once"
    routers.handle(InterfaceChanged("eth0", up=False), LATER)
    assert changes(routers.handle(AddressAdded("eth0", IPv6Address("fe80::a"), 64), LATER)) == []


def test_a_reload_touches_only_what_changed() -> None:
    routers = masters(instance(ROUTES))
    assert changes(replace(routers, configured(instance(ROUTES)), LATER)) == []
    text = ROUTES.replace("10.8.1.0/24 via 10.0.1.2", "10.8.3.0/24 via 10.0.1.2")
    text = text.replace("10.8.2.0/24 via 10.0.0.2", "10.8.2.0/24 via 10.0.0.3").replace("2000", "2002")
    effects = replace(routers, configured(instance(text)), LATER)
    assert changes(effects) == [
        "remove rules VI_1 from 10.9.0.0/24 preference 2000 table 100",
        "remove routes VI_1 10.8.1.0/24 via 10.0.1.2 dev eth1",
        "replace routes VI_1 10.8.2.0/24 via 10.0.0.3 no_track",
        "add routes VI_1 10.8.3.0/24 via 10.0.1.2 dev eth1",
        "add rules VI_1 from 10.9.0.0/24 preference 2002 table 100",
    ]
    assert "log (VI_1) ip route 10.8.1.0/24 via 10.0.1.2 dev eth1, no longer exist" in map(render, effects)


def test_what_moves_to_another_instance_or_to_the_static_ones_stays() -> None:
    routers = masters(instance(ROUTES) + instance("", "VI_2", 52))
    after = instance("") + instance(ROUTES, "VI_2", 52)
    assert [line for line in changes(replace(routers, configured(after), LATER)) if line.startswith("remove")] == []
    static = "static_routes {\n10.8.0.0/24 via 10.0.0.2 dev eth0\n}\n"
    effects = changes(replace(routers, configured(static + instance("") + instance("", "VI_2", 52)), LATER))
    assert effects == [
        "add routes  10.8.0.0/24 via 10.0.0.2 dev eth0",
        (
            "remove rules VI_2 from 10.9.0.0/24 preference 2000 table 100; "
            "from 10.9.1.0/24 preference 2001 table 100 protocol 0 no_track"
        ),
        "remove routes VI_2 10.8.1.0/24 via 10.0.1.2 dev eth1; 10.8.2.0/24 via 10.0.0.2 no_track",
    ]


def test_where_a_place_has_several_routes_they_are_removed_and_added() -> None:
    """The kernel would replace the first, whichever that is."""
    two = "virtual_routes {\n10.8.0.0/24 via 10.0.0.2 dev eth0\n10.8.0.0/24 via 10.0.0.%d dev eth0\n}\n"
    routers = masters(instance(two % 3))
    assert changes(replace(routers, configured(instance(two % 4)), LATER)) == [
        "remove routes VI_1 10.8.0.0/24 via 10.0.0.3 dev eth0",
        "add routes VI_1 10.8.0.0/24 via 10.0.0.4 dev eth0",
    ]

"""What scenarios do not show of a virtual router: journal fields, counters, and the cost of an unchanged advert."""

import sys
from errno import ENETUNREACH
from ipaddress import IPv4Address

import pytest

from pykeepalived.effects import Kind, Level, Log
from pykeepalived.events import Tick
from pykeepalived.units import MILLISECOND, SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.effects import SendAdvert
from pykeepalived.vrrp.events import (
    AddressAdded,
    AddressesFailed,
    AddressRemoved,
    AdvertFailed,
    AdvertReceived,
    InterfaceChanged,
)
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.vrrp.states import Backup, Master
from pykeepalived.wire.vrrp import Reason
from tests.support.link import Received
from tests.support.scenario import make_configuration, make_instance

NOW = 1_000_000_000_000
DOWN = 3_609_375_000


def started(line: str = "instance VI_1 priority=100") -> Routers:
    host = Routers(make_configuration(line))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
    host.start(NOW)
    return host


def heard(priority: int, source: str = "10.0.0.2", **options: str) -> AdvertReceived:
    instance = make_instance("VI_1", **options)
    packed = IPv4Address(source).packed
    ((destination, data),) = messages(instance, priority, packed)
    return AdvertReceived(receiver_of(instance), Received(packed, destination, 255, data, len(data)))


def only(host: Routers) -> VirtualRouter:
    (router,) = host.routers.values()
    return router


def test_a_transition_carries_its_cause_in_fields() -> None:
    host = started()
    host.handle(heard(150), NOW + SECOND)
    effects = host.handle(Tick(), NOW + SECOND + DOWN)
    lines = [effect for effect in effects if isinstance(effect, Log) and effect.kind is Kind.VRRP_TRANSITION]
    assert lines == [
        Log(
            "(VI_1) Entering MASTER STATE",
            kind=Kind.VRRP_TRANSITION,
            fields=(
                ("VRRP_INSTANCE", "VI_1"),
                ("VRRP_STATE", "MASTER"),
                ("VRRP_PREVIOUS_STATE", "BACKUP"),
                ("CAUSE", "no advert from 10.0.0.2 (priority 150) for 3.61 s"),
            ),
        )
    ]


@pytest.mark.parametrize(("late", "words"), [(0, ""), (999_999, ""), (2 * MILLISECOND, "; noticed 2 ms late")])
def test_lateness_is_told_from_a_millisecond_on(late: int, words: str) -> None:
    host = started()
    effects = host.handle(Tick(), NOW + DOWN + late)
    causes = [
        effect.message for effect in effects if isinstance(effect, Log) and effect.message.startswith("(VI_1) cause")
    ]
    assert causes == [f"(VI_1) cause: no IPv4 advert heard from anybody for 3.61 s{words}"]


def test_the_counters() -> None:
    host = started()
    router = only(host)
    host.handle(heard(150), NOW + 1)
    host.handle(heard(0), NOW + 2)
    host.handle(heard(150, advert_int="3"), NOW + 3)
    host.handle(Tick(), NOW + SECOND)
    host.handle(heard(0), NOW + SECOND + 1)
    host.handle(AddressRemoved("eth0", IPv4Address("10.0.0.100"), 24), NOW + SECOND + 2)
    statistics = router.statistics
    assert (statistics.advert_rcvd, statistics.advert_sent) == (3, 3)
    assert (statistics.pri_zero_rcvd, statistics.pri_zero_sent) == (2, 1)
    assert (statistics.become_master, statistics.release_master) == (1, 1)
    assert statistics.errors == {Reason.INTERVAL: 1}
    host.handle(heard(150, virtual_ipaddress="10.0.0.9/24"), NOW + SECOND + 3)
    host.handle(heard(150, virtual_ipaddress="10.0.0.9/24,10.0.0.10/24"), NOW + SECOND + 3)
    assert statistics.addr_list_err == 2


def test_a_repeated_advert_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    host = started()
    host.handle(heard(150), NOW + 1)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("pykeepalived.vrrp.reception.decode", never)
    assert host.handle(heard(150), NOW + 2 * SECOND) == []
    assert only(host).deadline == NOW + 2 * SECOND + DOWN
    with pytest.raises(AssertionError):
        host.handle(heard(151), NOW + 2 * SECOND)


def test_the_same_bytes_from_elsewhere_are_judged_anew() -> None:
    host = started()
    event = heard(150)
    host.handle(event, NOW + 1)
    packet = event.packet
    strange = Received(packet.source, packet.destination, 64, packet.data, packet.length)
    line, cause = host.handle(AdvertReceived(event.receiver, strange), NOW + 2)
    assert isinstance(line, Log)
    assert isinstance(cause, Log)
    assert "invalid TTL/HL" in line.message


def test_adverts_do_not_drift() -> None:
    host = started()
    host.handle(Tick(), NOW + DOWN)
    router = only(host)
    for count in range(1, 100):
        at = NOW + DOWN + count * SECOND
        assert router.deadline == at
        effects = host.tick(router, at + 3 * MILLISECOND)  # always a little late
        assert sum(isinstance(effect, SendAdvert) for effect in effects) == 1
    assert isinstance(router.state, Master)


def test_a_tick_makes_no_new_advert() -> None:
    host = started()
    host.handle(Tick(), NOW + DOWN)
    first = host.tick(only(host), NOW + DOWN + SECOND)
    second = host.tick(only(host), NOW + DOWN + 2 * SECOND)
    assert first[0] is second[0]


def test_an_interval_of_zero_is_not_learnt() -> None:
    host = started("instance VI_1 priority=100 version=3")
    host.handle(heard(150, version="3", advert_int="2"), NOW)
    host.handle(heard(150, version="3", advert_int="0"), NOW + SECOND)
    state = only(host).state
    assert isinstance(state, Backup)
    assert state.master is not None
    assert state.master.advert_interval == 2 * SECOND


def test_refused_adverts_are_said_once() -> None:
    host = started()
    destination = IPv4Address("224.0.0.18").packed
    (line,) = host.handle(AdvertFailed("VI_1", ENETUNREACH, destination), NOW)
    assert line == Log(
        "(VI_1) the kernel refuses to send adverts to 224.0.0.18: ENETUNREACH",
        Level.ERROR,
        Kind.VRRP_PACKET,
        fields=(("VRRP_INSTANCE", "VI_1"),),
    )
    assert host.handle(AdvertFailed("VI_1", ENETUNREACH, destination), NOW) == []
    (line,) = host.handle(AdvertFailed("VI_1", 0, destination), NOW)
    assert isinstance(line, Log)
    assert line.message == "(VI_1) adverts to 224.0.0.18 go out again"
    assert host.handle(AdvertFailed("VI_1", 0, destination), NOW) == []


def test_a_refused_address_is_said() -> None:
    host = started()
    entry = only(host).instance.virtual_ipaddress[0]
    (line,) = host.handle(AddressesFailed("VI_1", entry, 1), NOW)
    assert isinstance(line, Log)
    assert line.message == "(VI_1) the kernel refuses to add 10.0.0.100/24 dev eth0: EPERM"
    assert line.level is Level.ERROR


def test_our_own_removal_is_no_theft() -> None:
    host = started()
    host.handle(Tick(), NOW + DOWN)
    host.handle(AddressRemoved("eth0", IPv4Address("10.0.0.100"), 24, ours=True), NOW + DOWN)
    assert isinstance(only(host).state, Master)
    host.handle(AddressRemoved("eth0", IPv4Address("10.0.0.100"), 24), NOW + DOWN)
    assert isinstance(only(host).state, Backup)


def test_an_advert_for_nobody_is_silent_unless_asked_for() -> None:
    host = started()
    event = heard(150, virtual_router_id="52")
    assert host.handle(event, NOW) == []
    host = Routers(make_configuration("global_defs log_unknown_vrids", "instance VI_1 priority=100"))
    (line,) = host.handle(event, NOW)
    assert isinstance(line, Log)
    assert line.message == "Unknown VRID(52) received on interface(eth0). ignoring..."


def test_a_flood_of_unknown_routers_is_no_flood_of_lines() -> None:
    host = Routers(make_configuration("global_defs log_unknown_vrids", "instance VI_1 priority=100"))
    foreign = [heard(150, virtual_router_id=vrid) for vrid in ("52", "53")]
    for at, lines in ((NOW, 1), (NOW + 1, 0), (NOW + 60 * SECOND - 1, 0), (NOW + 60 * SECOND, 1)):
        assert [len(host.handle(event, at)) for event in foreign] == [lines, lines]


def test_a_byte_alone_is_said_once() -> None:
    host = started()
    event = heard(150)
    short = AdvertReceived(event.receiver, Received(event.packet.source, event.packet.destination, 255, b"\x31", 1))
    assert len(host.handle(short, NOW)) == 1
    assert host.handle(short, NOW) == []


def test_two_unicast_instances_with_one_vrid_hear_their_own_peers() -> None:
    host = Routers(
        make_configuration(
            "instance VI_1 priority=100 unicast_peer=10.0.0.2",
            "instance VI_2 priority=100 unicast_peer=10.0.0.3 virtual_ipaddress=10.0.0.102/24",
        )
    )
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
    host.start(NOW)
    instance = host.routers["VI_2"].instance
    source, own = IPv4Address("10.0.0.3").packed, IPv4Address("10.0.0.1").packed
    ours = make_instance("VI_2", virtual_ipaddress="10.0.0.102/24", unicast_peer="10.0.0.1")
    ((_, data),) = messages(ours, 150, source)
    host.handle(AdvertReceived(receiver_of(instance), Received(source, own, 255, data, len(data))), NOW + SECOND)
    assert host.routers["VI_1"].deadline == NOW + DOWN
    assert host.routers["VI_2"].deadline == NOW + SECOND + DOWN


def test_many_routers_cost_what_they_are_asked() -> None:
    """An advert touches its own router only: the same few calls among 1 and 250."""
    counts = []
    for number in (1, 250):
        lines = [
            f"instance VI_{vrid} priority=100 virtual_router_id={vrid} virtual_ipaddress=10.1.0.{vrid}/24"
            for vrid in range(1, number + 1)
        ]
        host = Routers(make_configuration(*lines))
        host.handle(InterfaceChanged("eth0", up=True), NOW)
        host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
        host.start(NOW)
        event = heard(150, virtual_router_id="1", virtual_ipaddress="10.1.0.1/24")
        host.handle(event, NOW + 1)
        calls = 0

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            host.handle(event, NOW + 2)
            host.tick(host.routers["VI_1"], NOW + 3)
        finally:
            sys.setprofile(None)
        counts.append(calls)
    assert counts[0] == counts[1]
    assert counts[0] < 60

"""The second half of the receive ladder, and what comes before it: peers, their distance, and the delays of a start."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.addresses import UnicastPeer
from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Log
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire.vrrp import Reason
from tests.config.reading import instance_text, sound
from tests.support.link import Received

NOW = 1_000_000_000_000
UNICAST = "version 3\nunicast_src_ip 10.0.0.8\nunicast_peer {\n10.0.0.2 min_ttl 3 max_ttl 5\n10.0.0.3\n}"


def started(lines: str, before: str = "", now: int = NOW) -> tuple[Routers, VirtualRouter, list[str]]:
    host = Routers(sound(instance_text(lines, before)).configuration)
    host.handle(InterfaceChanged("eth0", up=True), now)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.8"), 24), now)
    said = [effect.message for effect in host.start(now) if isinstance(effect, Log)]
    (router,) = host.routers.values()
    return host, router, said


def heard(host: Routers, own: VrrpInstance, source: str, ttl: int, now: int = NOW + 1) -> list[str]:
    packed = IPv4Address(source).packed
    sent_by = replace(own, unicast_peer=(UnicastPeer(IPv4Address("10.0.0.8")),)) if own.unicast else own
    ((_, data),) = messages(sent_by, 150, packed)
    destination = IPv4Address("10.0.0.8").packed if own.unicast else own.mcast_group.packed
    event = AdvertReceived(receiver_of(own), Received(packed, destination, ttl, data, len(data)))
    return [effect.message for effect in host.handle(event, now) if isinstance(effect, Log) and not effect.detail]


@pytest.mark.keyword("vrrp_instance.unicast_peer")
@pytest.mark.parametrize(
    ("source", "ttl", "fate"),
    [
        ("10.0.0.2", 2, Reason.PEER_TTL),
        ("10.0.0.2", 3, None),
        ("10.0.0.2", 5, None),
        ("10.0.0.2", 6, Reason.PEER_TTL),
        ("10.0.0.2", 255, Reason.PEER_TTL),
        ("10.0.0.3", 1, None),
        ("10.0.0.9", 4, Reason.UNICAST_SOURCE),  # limits of one make a list of all
    ],
)
def test_how_far_away_a_peer_may_be(source: str, ttl: int, fate: Reason | None) -> None:
    host, router, _ = started(UNICAST)
    said = heard(host, router.instance, source, ttl)
    assert router.statistics.errors == ({} if fate is None else {fate: 1})
    assert router.statistics.advert_rcvd == 1  # of keepalived's order: they are counted before
    assert bool(said) == (fate is not None)
    before = router.statistics.advert_rcvd
    heard(host, router.instance, source, 255 if ttl != 255 else 4)  # the same bytes from another distance
    assert router.statistics.advert_rcvd == before + 1


@pytest.mark.keyword("global_defs.vrrp_delay_after_boot")
@pytest.mark.parametrize(
    ("settings", "uptime", "delay"),
    [
        ("", 5, 0),
        ("vrrp_startup_delay 7", 5, 7),
        ("vrrp_delay_after_boot 60", 20, 40),
        ("vrrp_delay_after_boot 60", 61, 0),
        ("vrrp_delay_after_boot 60\nvrrp_startup_delay 7", 20, 40),
        ("vrrp_delay_after_boot 60\nvrrp_startup_delay 7", 58, 7),
    ],
)
def test_a_start_waits_for_the_longer_of_two_delays(settings: str, uptime: int, delay: int) -> None:
    now = uptime * SECOND  # the monotonic clock counts from the boot
    host, router, said = started("version 3", f"global_defs {{\n{settings}\n}}", now)
    assert (f"Delaying startup for {delay} seconds" in said) == (delay > 0)
    down = 3 * SECOND + 156 * SECOND // 256
    assert router.deadline == now + delay * SECOND + down
    assert heard(host, router.instance, "10.0.0.2", 255, now + 1) == []
    assert router.statistics.advert_rcvd == (0 if delay else 1)


def test_an_owner_waits_as_well() -> None:
    host, router, _ = started("version 3\npriority 255", "global_defs {\nvrrp_startup_delay 7\n}")
    host.tick_all(NOW + 7 * SECOND - 1)
    assert router.state.name == "INIT"
    host.tick_all(NOW + 7 * SECOND + 1000)
    assert router.state.name == "MASTER"

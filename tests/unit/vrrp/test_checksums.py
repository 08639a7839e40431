"""Checksums of version 3 over IPv4 other than the usual one (RFC 5798's), sent and heard."""

from ipaddress import IPv4Address

import pytest

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.config.configuration import Configuration
from pykeepalived.effects import Log
from pykeepalived.events import Tick
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.effects import Effect, SendAdvert
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.replacement import replace
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire.checksum import verifies
from pykeepalived.wire.vrrp import Reason, pseudo_header
from tests.config.reading import instance
from tests.support.link import Received

NOW = 1_000_000_000_000
OURS, PEER, GROUP = (IPv4Address(each).packed for each in ("10.0.0.8", "10.0.0.2", "224.0.0.18"))
UNICAST = "version 3\nunicast_src_ip 10.0.0.8\nunicast_peer {\n10.0.0.2\n}\n"


def started(lines: str) -> Routers:
    host = Routers(Configuration(vrrp_instance=(instance(lines),)))
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.8"), 24), NOW)
    host.start(NOW)
    return host


def only(host: Routers) -> VirtualRouter:
    (router,) = host.routers.values()
    return router


def hear(host: Routers, of_peer: VrrpInstance, *, old_checksum: bool = False, at: int = NOW + SECOND) -> list[str]:
    ((destination, data),) = messages(of_peer, 150, PEER, old_checksum=old_checksum)
    packet = Received(PEER, destination, 255, data, len(data))
    effects = host.handle(AdvertReceived(receiver_of(only(host).instance), packet), at)
    return [effect.message for effect in effects if isinstance(effect, Log) and not effect.detail]


def of_peer(lines: str) -> VrrpInstance:
    return instance(lines.replace("0.2", "0.9").replace("0.8", "0.2").replace("0.9", "0.8"))


def orders(effects: list[Effect]) -> list[SendAdvert]:
    return [effect for effect in effects if isinstance(effect, SendAdvert)]


def silence(host: Routers) -> list[Effect]:
    """Nobody is heard until the timer runs out."""
    deadline = only(host).deadline
    assert deadline is not None
    return host.handle(Tick(), deadline)


def sums(order: SendAdvert, at: VrrpInstance) -> str:
    """Which pseudo header the checksum of an advert covers."""
    ((destination, data),) = messages(at, order.priority, order.source, old_checksum=order.old_checksum)
    if verifies(data):
        return "none"
    ways = {"the peer's": destination, "the group's": GROUP}
    return next(name for name, way in ways.items() if verifies(pseudo_header(OURS, way, len(data)) + data))


@pytest.mark.keyword("vrrp_instance.v3_checksum_as_v2")
def test_as_version_2_sends_none_and_takes_any() -> None:
    host = started("version 3\nv3_checksum_as_v2")
    assert hear(host, instance("version 3\nv3_checksum_as_v2")) == []
    assert hear(host, instance("version 3")) == []
    ((destination, data),) = messages(instance("version 3"), 150, PEER)
    broken = Received(PEER, destination, 255, data[:6] + b"\x12\x34" + data[8:], len(data))
    host.handle(AdvertReceived(receiver_of(only(host).instance), broken), NOW + SECOND)
    assert only(host).statistics.errors == {}
    assert only(host).statistics.advert_rcvd == 3
    (order,) = orders(silence(host))
    assert sums(order, only(host).instance) == "none"


def test_without_it_such_an_advert_is_refused_and_named() -> None:
    host = started("version 3")
    assert hear(host, instance("version 3\nv3_checksum_as_v2")) == [
        "(VI_1) Invalid VRRPv3 checksum from 10.0.0.2",
        "(VI_1) cause: peer 10.0.0.2 sums without the pseudo header: set v3_checksum_as_v2 on both, or on neither",
    ]
    assert only(host).statistics.errors == {Reason.CHECKSUM: 1}


def test_the_global_word_is_for_version_3_alone() -> None:
    host = started("v3_checksum_as_v2\nversion 2")
    ((destination, data),) = messages(instance(""), 150, PEER)
    broken = Received(PEER, destination, 255, data[:6] + b"\x12\x34" + data[8:], len(data))
    host.handle(AdvertReceived(receiver_of(only(host).instance), broken), NOW + SECOND)
    assert only(host).statistics.errors == {Reason.CHECKSUM: 1}
    assert instance("version 3", before="global_defs {\nv3_checksum_as_v2\n}").v3_checksum_as_v2


@pytest.mark.keyword("vrrp_instance.old_unicast_checksum")
def test_a_peer_of_old_is_found_out_and_answered_alike() -> None:
    host = started(UNICAST)
    peer = of_peer(UNICAST)
    (order,) = orders(silence(host))
    assert sums(order, only(host).instance) == "the peer's"
    assert hear(host, peer, old_checksum=True, at=NOW + 4 * SECOND)[0] == (
        "(VI_1) Setting unicast VRRPv3 checksum to old version"
    )
    assert only(host).state.name == "BACKUP"
    assert hear(host, peer, old_checksum=True, at=NOW + 5 * SECOND) == []
    assert only(host).statistics.errors == {}
    (order,) = orders(silence(host))
    assert sums(order, only(host).instance) == "the group's"
    # it stays so over a reload that does not forbid it
    for more, way in (("priority 90", "the group's"), ("old_unicast_checksum never", "the peer's")):
        configuration = Configuration(vrrp_instance=(instance(UNICAST + more),))
        order = orders(replace(host, configuration, NOW + 21 * SECOND))[-1]
        assert sums(order, only(host).instance) == way


def test_said_to_be_old_it_is_from_the_start_and_forbidden_it_never_is() -> None:
    host = started(UNICAST + "old_unicast_checksum")
    (order,) = orders(silence(host))
    assert sums(order, only(host).instance) == "the group's"
    assert hear(host, of_peer(UNICAST), old_checksum=True, at=NOW + 4 * SECOND) != []
    assert hear(host, of_peer(UNICAST), at=NOW + 5 * SECOND) == []  # a new one is sound as well
    host = started(UNICAST + "old_unicast_checksum never")
    line, cause = hear(host, of_peer(UNICAST), old_checksum=True)
    assert line == "(VI_1) Invalid VRRPv3 checksum from 10.0.0.2"
    assert "remove `old_unicast_checksum never`" in cause
    assert only(host).statistics.errors == {Reason.CHECKSUM: 1}

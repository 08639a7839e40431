"""Any bytes: no exception, no change of state by what the ladder refuses, and no memory kept."""

import random
import tracemalloc
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pykeepalived.config.blocks.authentication import AuthHmac
from pykeepalived.config.kinds_vrrp import HmacKey
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.events import AddressAdded, AdvertReceived, InterfaceChanged
from pykeepalived.vrrp.identity import receiver_of
from pykeepalived.vrrp.router import VirtualRouter
from pykeepalived.vrrp.routers import Routers
from pykeepalived.wire.hmac_trailer import sequence_at
from tests.support.link import Received, received
from tests.support.scenario import make_configuration

NOW = 1_000_000_000_000
LINES = {
    "v2": "instance VI_1 priority=100 auth_type=PASS auth_pass=12345678",
    "v3": "instance VI_1 priority=100 version=3",
    "unicast": "instance VI_1 priority=100 unicast_peer=10.0.0.2 check_unicast_src",
    "ipv6": "instance VI_1 priority=100 virtual_ipaddress=fe80::100/64",
    "ah": "instance VI_1 priority=100 auth_type=AH auth_pass=12345678",
    "hmac": "instance VI_1 priority=100 version=3",
    "hmac ipv6": "instance VI_1 priority=100 virtual_ipaddress=fe80::100/64",
}
HMAC = AuthHmac(key=(HmacKey(1, b"k" * 32),), active_key=1, time_window=300 * SECOND, mode="enforce")


def started(kind: str, *, master: bool = False) -> Routers:
    configuration = make_configuration(LINES[kind])
    if "hmac" in kind:
        (plain,) = configuration.vrrp_instance
        configuration = replace(configuration, vrrp_instance=(replace(plain, auth_hmac=HMAC),))
    host = Routers(configuration)
    host.handle(InterfaceChanged("eth0", up=True), NOW)
    host.handle(AddressAdded("eth0", IPv4Address("10.0.0.1"), 24), NOW)
    host.handle(AddressAdded("eth0", IPv6Address("fe80::1"), 64), NOW)
    host.start(NOW)
    if master:
        host.tick_all(NOW + 4 * SECOND)
    return host


def only(host: Routers) -> VirtualRouter:
    (router,) = host.routers.values()
    return router


def good(host: Routers, priority: int) -> Received:
    instance = only(host).instance
    six = instance.family != 2
    source = IPv6Address("fe80::2").packed if six else IPv4Address("10.0.0.2").packed
    sequence = 1 if instance.auth_type == "AH" else sequence_at(NOW)
    ((destination, data),) = messages(instance, priority, source, sequence=sequence)
    if instance.unicast:
        destination = IPv4Address("10.0.0.1").packed
    return received(instance, source, destination, data)


def mutated(packet: Received, chance: random.Random) -> Received:
    """A packet with something wrong: bits, bytes, length, TTL; sometimes nothing but noise."""
    data = bytearray(packet.data)
    for _ in range(chance.randint(1, 4)):
        kind = chance.randint(0, 5)
        if kind == 0 and data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == 1 and data:
            data[chance.randrange(min(8, len(data)))] = chance.randrange(256)
        elif kind == 2:
            del data[chance.randint(0, len(data)) :]
        elif kind == 3:
            data += chance.randbytes(chance.randint(1, 60))
        elif kind == 4:
            data = bytearray(chance.randbytes(chance.randint(0, 1500)))
        elif len(data) > 8:
            data[0:1] = bytes((chance.choice((0x21, 0x31, 0x41, 0x22)),))
    headers = packet.headers
    if headers and chance.random() < 0.5:
        headers = bytes(chance.choice((headers[:-1], headers + b"x", b"", chance.randbytes(44), headers)))
    ttl = chance.choice((255, 255, 255, 1, 0, 254))
    length = len(data) + chance.choice((0, 0, 0, -1, 1, 65535))
    return Received(packet.source, packet.destination, ttl, bytes(data), length, headers)


def storm(kind: str, count: int, seed: int) -> None:
    """Broken packets against BACKUP and MASTER; whatever the ladder refuses must leave no trace but its counter."""
    chance = random.Random(seed)
    for master in (False, True):
        host = started(kind, master=master)
        router = only(host)
        receiver = receiver_of(router.instance)
        base = good(host, 150)
        refused = 0
        peak = 0
        tracemalloc.start()
        for number in range(count):
            packet = mutated(base, chance)
            state, accepted = router.state, router.statistics.advert_rcvd
            host.handle(AdvertReceived(receiver, packet), NOW + SECOND)
            if router.statistics.advert_rcvd == accepted:
                refused += 1
                assert router.state is state, packet
            if router.state is not state and type(router.state) is not type(state):
                host = started(kind, master=master)
                router = only(host)
            if number == count // 2:
                peak = tracemalloc.get_traced_memory()[0]
        grown = tracemalloc.get_traced_memory()[0] - peak
        tracemalloc.stop()
        assert refused > count // 2
        assert grown < 200_000


@pytest.mark.parametrize("kind", LINES)
def test_a_storm_of_broken_packets(kind: str) -> None:
    storm(kind, 250, seed=11)


@pytest.mark.long
@pytest.mark.parametrize("kind", LINES)
def test_a_hundred_thousand_broken_packets(kind: str) -> None:
    storm(kind, 12_500, seed=12)


@pytest.mark.parametrize("kind", LINES)
def test_the_unbroken_packet_is_accepted(kind: str) -> None:
    host = started(kind)
    router = only(host)
    host.handle(AdvertReceived(receiver_of(router.instance), good(host, 150)), NOW + SECOND)
    assert router.statistics.advert_rcvd == 1
    assert router.deadline == NOW + SECOND + 3_609_375_000


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(["v3", "ah", "hmac"]),
    data=st.binary(max_size=64),
    headers=st.binary(max_size=60),
    ttl=st.integers(0, 255),
    source=st.binary(min_size=4, max_size=4),
    master=st.booleans(),
)
def test_any_bytes_do_no_harm(kind: str, data: bytes, headers: bytes, ttl: int, source: bytes, master: bool) -> None:
    host = started(kind, master=master)
    router = only(host)
    state = router.state
    packet = Received(source, IPv4Address("224.0.0.18").packed, ttl, data, len(data), headers)
    host.handle(AdvertReceived(receiver_of(router.instance), packet), NOW + SECOND)
    if router.statistics.advert_rcvd == 0:
        assert router.state is state

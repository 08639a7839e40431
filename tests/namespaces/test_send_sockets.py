"""Adverts that leave together: on the wire they are what each is by itself, and a refusal is one sender's."""

import errno
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pykeepalived.kernel.ports import Advert
from pykeepalived.kernel.send_sockets import SendSockets
from pykeepalived.kernel.vrrp_sockets import LinuxAdvertBundle, LinuxAdvertSender
from tests.namespaces.test_sockets import (
    FAMILIES,
    GROUP,
    LEFT,
    RIGHT,
    V4,
    V6,
    link,
    next_vrrp,
    pair,
    pdu,
    sniffer,
)
from tests.namespaces.veth_pair import Namespace, why_not

__all__ = ["pair"]
pytestmark = [pytest.mark.root, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
Pair = tuple[Namespace, Namespace]
MESSAGES = [pdu(vrid) for vrid in range(100)]


@pytest.fixture
def sockets() -> SendSockets:
    return SendSockets()


def senders(
    count: int,
    namespace: Namespace,
    family: int,
    sockets: SendSockets,
    *,
    multicast: bool = True,
    ttl: int | None = None,
) -> list[LinuxAdvertSender]:
    interface = link(namespace)

    def open_them() -> list[LinuxAdvertSender]:
        return [
            LinuxAdvertSender(family, interface, multicast=multicast, ttl=ttl, sockets=sockets) for _ in range(count)
        ]

    return namespace.call(open_them)


def sender(
    namespace: Namespace, family: int, sockets: SendSockets, *, multicast: bool = True, ttl: int | None = None
) -> LinuxAdvertSender:
    interface = link(namespace)
    return namespace.call(lambda: LinuxAdvertSender(family, interface, multicast=multicast, ttl=ttl, sockets=sockets))


def bundle(
    senders: Sequence[LinuxAdvertSender], source: bytes, destination: bytes, messages: Sequence[bytes] = MESSAGES
) -> LinuxAdvertBundle:
    messages = messages[: len(senders)]
    return LinuxAdvertBundle(
        [Advert(sender, source, destination, message) for sender, message in zip(senders, messages, strict=True)]
    )


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def ear(pair: Pair) -> Iterator[socket.socket]:
    with sniffer(pair[1]) as ear:
        yield ear


@FAMILIES
@pytest.mark.parametrize(("multicast", "ttl"), [(True, None), (False, None), (False, 7)])
def test_together_they_are_what_each_is_by_itself(
    pair: Pair, ear: socket.socket, sockets: SendSockets, family: int, multicast: bool, ttl: int | None
) -> None:
    left = pair[0]
    destination = (GROUP if multicast else RIGHT)[family].packed
    many = senders(100, left, family, sockets, multicast=multicast, ttl=ttl)
    alone = []
    for vrid, each in enumerate(many):
        assert each.send(LEFT[family].packed, destination, pdu(vrid)) == 0
        alone.append(next_vrrp(ear))
    together = bundle(many, LEFT[family].packed, destination)
    for turn in (2, 3):
        assert together.send() == []
        for before in alone:
            frame = next_vrrp(ear)
            if family == V4:  # the identification counts each sender's adverts, and the checksum covers it
                assert (before[18:20], frame[18:20]) == (b"\0\1", turn.to_bytes(2, "big"))
                assert frame[:18] + frame[20:24] + frame[26:] == before[:18] + before[20:24] + before[26:]
            else:
                assert frame == before
    for each in many:
        each.close()


def test_what_is_sent_alone_between_is_numbered_with_the_rest(
    pair: Pair, ear: socket.socket, sockets: SendSockets
) -> None:
    out = sender(pair[0], V4, sockets)
    source, group = LEFT[V4].packed, GROUP[V4].packed
    together = LinuxAdvertBundle(
        [Advert(out, source, group, MESSAGES[7]), Advert(out, source, RIGHT[V4].packed, MESSAGES[8])]
    )
    sends: list[Callable[[], object]] = [
        together.send,
        lambda: out.send(source, group, MESSAGES[7]),
        lambda: out.send(source, group, pdu(9, length=40)),
        together.send,
    ]
    frames = []
    for send in sends:
        send()
        frames += [next_vrrp(ear) for _ in range(2 if send == together.send else 1)]
    assert [frame[34:] for frame in frames] == [
        *(MESSAGES[7], MESSAGES[8], MESSAGES[7], pdu(9, length=40), MESSAGES[7], MESSAGES[8])
    ]
    assert [frame[18:20] for frame in frames] == [number.to_bytes(2, "big") for number in range(1, 7)]
    out.close()


@FAMILIES
def test_a_refusal_is_told_of_its_place_and_the_others_go_out(
    pair: Pair, ear: socket.socket, sockets: SendSockets, family: int
) -> None:
    many = senders(5, pair[0], family, sockets)
    adverts = []
    for vrid, each in enumerate(many):
        # longer than the link takes, and from an address that nobody has
        message = pdu(vrid) + bytes(1600 if family == V4 and vrid in (1, 4) else 0)
        source = (RIGHT if family == V6 and vrid in (1, 4) else LEFT)[family].packed
        adverts.append(Advert(each, source, GROUP[family].packed, message))
    code = errno.EMSGSIZE if family == V4 else errno.EINVAL
    assert LinuxAdvertBundle(adverts).send() == [(1, code), (4, code)]
    at = 35 if family == V4 else 55
    assert [next_vrrp(ear)[at] for _ in range(3)] == [0, 2, 3]
    for each in many:
        each.close()


def test_a_link_that_is_down_refuses_all(pair: Pair, sockets: SendSockets) -> None:
    left, right = pair
    many = senders(3, left, V4, sockets)
    left.ip("link set eth0 down")
    try:
        together = bundle(many, LEFT[V4].packed, GROUP[V4].packed)
        assert [place for place, _ in together.send()] == [0, 1, 2]
    finally:
        left.ip("link set eth0 up")
        for namespace in (left, right):
            namespace.wait_for("LOWER_UP")
    for each in many:
        each.close()


def test_a_socket_lives_as_long_as_one_who_uses_it(pair: Pair, sockets: SendSockets) -> None:
    before = descriptors()
    first, second = sender(pair[0], V4, sockets), sender(pair[0], V4, sockets)
    other = sender(pair[0], V4, sockets, multicast=False)
    assert descriptors() == before + 2
    first.close()
    assert second.send(LEFT[V4].packed, GROUP[V4].packed, pdu()) == 0
    second.close()
    other.close()
    assert descriptors() == before

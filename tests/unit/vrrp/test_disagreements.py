"""What an advert says of its sender's file: the words for each kind, with what to change."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pykeepalived.config.blocks.vrrp_instance import VrrpInstance
from pykeepalived.effects import Log
from pykeepalived.units import SECOND
from pykeepalived.vrrp.adverts import messages
from pykeepalived.vrrp.disagreements import advice, out_of_reach
from pykeepalived.vrrp.tracking import FILE, SCRIPT, Tracked, TrackedNumber
from pykeepalived.wire.vrrp import Reason
from tests.config.reading import instance, instance_text, sound
from tests.support.link import Received
from tests.unit.vrrp.test_router import NOW, heard, started

PEER = ip_address("10.0.0.2").packed
PASS = "authentication {\nauth_type %s\nauth_pass %s\n}"
HMAC = "auth_hmac {\nkey 1 12345678901234567890123456789012\nactive_key 1\n}"
UNICAST = "version 3\nunicast_src_ip 10.0.0.2\nunicast_peer {\n10.0.0.8\n}"


def of_vips(vips: str, lines: str = "") -> VrrpInstance:
    (found,) = sound(instance_text(lines, vip=vips)).configuration.vrrp_instance
    return found


def sent_by(peer: VrrpInstance, *, old_checksum: bool = False) -> Received:
    """An advert as a peer with that file sends it."""
    ((destination, data), *_) = messages(peer, 150, PEER, old_checksum=old_checksum)
    headers = b"\x45" if peer.auth_type == "AH" else b""
    data = data[24:] if headers else data
    return Received(PEER, destination, 255, data, len(data), headers)


CASES: list[tuple[Reason, Callable[[], VrrpInstance], Callable[[], VrrpInstance], str]] = [
    (
        Reason.VERSION,
        lambda: instance("version 3"),
        lambda: instance("version 2"),
        "peer 10.0.0.2 speaks version 3, this file says 2: set `version 3` here, or version 2 there",
    ),
    (
        Reason.LENGTH,
        lambda: instance("version 2"),
        lambda: instance("version 3"),
        "peer 10.0.0.2 speaks version 2, this file says 3: set `version 2` here, or version 3 there",
    ),
    (
        Reason.LENGTH,
        lambda: instance(f"version 3\n{HMAC}"),
        lambda: instance("version 3"),
        "peer 10.0.0.2 signs its adverts, this file has no auth_hmac: add the block, or remove it there",
    ),
    (
        Reason.LENGTH,
        lambda: instance(HMAC),
        lambda: instance(""),
        "peer 10.0.0.2 signs its adverts, this file has no auth_hmac: add the block, or remove it there",
    ),
    (
        Reason.AUTH_TYPE,
        lambda: instance(PASS % ("PASS", "x")),
        lambda: instance(""),
        "peer 10.0.0.2 has auth_type PASS, this file no authentication: make them equal",
    ),
    (
        Reason.AUTH_TYPE,
        lambda: instance(PASS % ("AH", "x")),
        lambda: instance(PASS % ("PASS", "x")),
        "peer 10.0.0.2 has auth_type AH, this file auth_type PASS: make them equal",
    ),
    (
        Reason.AUTH_TYPE,
        lambda: instance(""),
        lambda: instance(PASS % ("AH", "x")),
        "peer 10.0.0.2 has no authentication, this file auth_type AH: make them equal",
    ),
    (
        Reason.PASSWORD,
        lambda: instance(PASS % ("PASS", "y")),
        lambda: instance(PASS % ("PASS", "x")),
        "peer 10.0.0.2 sends another auth_pass than this file has: make them equal",
    ),
    (
        Reason.INTERVAL,
        lambda: instance("advert_int 3"),
        lambda: instance(""),
        "peer 10.0.0.2 has advert_int 3, this file 1: version 2 wants the same on all routers",
    ),
    (
        Reason.LEARNT_INTERVAL,
        lambda: instance("version 3\nadvert_int 0.25"),
        lambda: instance("version 3"),
        (
            "peer 10.0.0.2 has advert_int 0.25, this file 1:"
            " a BACKUP follows the MASTER's, but make them equal, or a takeover changes the pace"
        ),
    ),
    (
        Reason.CHECKSUM,
        lambda: instance("version 3\nv3_checksum_as_v2"),
        lambda: instance("version 3"),
        "peer 10.0.0.2 sums without the pseudo header: set v3_checksum_as_v2 on both, or on neither",
    ),
    (
        Reason.CAST,
        lambda: instance("version 3"),
        lambda: instance(UNICAST),
        "peer 10.0.0.2 sends to the group 224.0.0.18, this file has unicast_peer: use one of both",
    ),
    (
        Reason.CAST,
        lambda: instance(UNICAST),
        lambda: instance("version 3"),
        "peer 10.0.0.2 has unicast_peer, this file none: add a unicast_peer block here, or remove it there",
    ),
    (
        Reason.ADDRESSES,
        lambda: of_vips("10.0.0.1\n10.0.0.4"),
        lambda: of_vips("10.0.0.1\n10.0.0.3"),
        (
            "peer 10.0.0.2 lacks 10.0.0.3 of this file and has 10.0.0.4, which this file lacks:"
            " make virtual_ipaddress equal"
        ),
    ),
    (
        Reason.COUNT,
        lambda: of_vips("\n".join(f"10.0.0.{last}" for last in range(100, 110))),
        lambda: of_vips("10.0.0.100\n10.0.0.101"),
        (
            "peer 10.0.0.2 has 10.0.0.102, 10.0.0.103, 10.0.0.104, 10.0.0.105, 10.0.0.106 and 3 more,"
            " which this file lacks: make virtual_ipaddress equal"
        ),
    ),
    (
        Reason.HMAC_KEY,
        lambda: instance(HMAC.replace("key 1", "key 5").replace("_key 1", "_key 5")),
        lambda: instance(HMAC),
        "peer 10.0.0.2 signs with key 5, this file has 1: add that key here before it is active there",
    ),
]


@pytest.mark.parametrize(("reason", "theirs", "ours", "words"), CASES)
def test_what_differs_and_what_to_change(
    reason: Reason, theirs: Callable[[], VrrpInstance], ours: Callable[[], VrrpInstance], words: str
) -> None:
    assert advice(reason, sent_by(theirs()), ours()) == words


def test_the_old_checksum_is_told_from_a_damaged_advert() -> None:
    ours = instance(UNICAST.replace("0.2", "0.8", 1) + "\nold_unicast_checksum never")
    packet = sent_by(instance(UNICAST), old_checksum=True)
    assert "releases up to 1.3.6" in advice(Reason.CHECKSUM, packet, ours)
    damaged = replace(packet, data=packet.data[:6] + b"\0\1" + packet.data[8:])
    assert "damaged" in advice(Reason.CHECKSUM, damaged, ours)


def test_every_kind_that_a_peer_causes_has_words() -> None:
    ours, packet = instance(""), sent_by(instance(""))
    silent = {reason for reason in Reason if not advice(reason, packet, ours)}
    assert silent == {
        Reason.LENGTH,  # of an advert like ours
        Reason.VERSION,
        Reason.TYPE,
        Reason.IP_LENGTH,
        Reason.OWNER_IGNORES,
        Reason.TWO_OWNERS,
        Reason.TWO_MASTERS,
        Reason.OUT_OF_REACH,
        Reason.OWN_ADDRESS,
        Reason.OLD_CHECKSUM,
        Reason.CHECKSUM,  # of version 2: there is one way to sum
        Reason.HMAC_KEY,
    }


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(list(Reason)), st.booleans())
def test_any_bytes_find_words_or_none(data: bytes, reason: Reason, signed: bool) -> None:
    advice(reason, Received(PEER, PEER, 255, data, len(data)), _SIGNED if signed else _PLAIN)


_PLAIN, _SIGNED = instance(UNICAST.replace("0.2", "0.8", 1)), instance(HMAC)


@pytest.mark.parametrize(
    ("priority", "base", "weights", "words"),
    [
        (150, 100, (-60,), ""),
        (150, 100, (60,), ""),
        (150, 100, (), ""),
        (150, 100, (-30, -25), ""),
        (
            150,
            100,
            (-30,),
            "peer 10.0.0.2 has priority 150: were every weighted tracker of this file to fail",
        ),
        (
            200,
            100,
            (20,),
            "it would have 180, and ours is 120 at most: no tracker can ever move the addresses",
        ),
        (255, 100, (-60,), "peer 10.0.0.2 has priority 255, which no weight lowers"),
        (150, 255, (-1,), ""),
    ],
)
def test_a_priority_that_can_never_switch(priority: int, base: int, weights: tuple[int, ...], words: str) -> None:
    tracked = [Tracked((SCRIPT, f"s{weight}"), weight) for weight in (*weights, 0)]
    said = out_of_reach(PEER, priority, base, tracked)
    assert words in said
    assert bool(said) == bool(words)
    assert out_of_reach(PEER, priority, base, [*tracked, TrackedNumber((FILE, "f"), 1)]) == ""


def test_it_is_said_once_for_a_master() -> None:
    host = started("instance VI_1 priority=100 track_script=s:-10")
    lines = [
        effect.message
        for second in range(1, 5)
        for effect in host.handle(heard(150 + second % 2), NOW + second * SECOND)
        if isinstance(effect, Log) and "can ever move" in effect.message
    ]
    assert len(lines) == 1
    assert started("instance VI_1 priority=100 nopreempt track_script=s:-10").handle(heard(150), NOW + SECOND) == [
        Log("(VI_1) master set to 10.0.0.2", detail=True, fields=(("VRRP_INSTANCE", "VI_1"),))
    ]

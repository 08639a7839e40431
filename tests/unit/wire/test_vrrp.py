"""Adverts on the wire: octets that keepalived sent, and the ladder of refusals in its order."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from pykeepalived.errors import DecodeError
from pykeepalived.units import CENTISECOND, SECOND
from pykeepalived.wire.checksum import checksum
from pykeepalived.wire.vrrp import AUTH_AH, AUTH_PASS, Advert, Expected, Reason, decode, encode
from tests.support.link import Received

PEER = bytes((10, 0, 0, 1))
GROUP = bytes((224, 0, 0, 18))
VIPS = (bytes((10, 0, 0, 100)), bytes((10, 0, 0, 101)))
LINK6 = bytes.fromhex("fe80000000000000000000000000000a")
GROUP6 = bytes.fromhex("ff020000000000000000000000000012")

V2 = Advert(2, 0x33, 150, SECOND, VIPS, AUTH_PASS, b"12345678")
V3 = Advert(3, 0x35, 150, 50 * CENTISECOND, (bytes((10, 0, 0, 110)),))
EXPECT2 = Expected(2, 4, multicast=True, advert_interval=SECOND, auth_type=AUTH_PASS, auth_data=b"12345678")
EXPECT3 = Expected(3, 4, multicast=True, advert_interval=SECOND)


def packet(data: bytes, *, ttl: int = 255, length: int | None = None, destination: bytes = GROUP) -> Received:
    source = PEER if len(destination) == 4 else LINK6
    return Received(source, destination, ttl, data, len(data) if length is None else length)


def refusal(received: Received, expected: Expected) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(received, expected)
    return caught.value


def test_version_2_with_password_is_keepalived_s() -> None:
    assert encode(V2, PEER, GROUP).hex() == "213396020101622b0a0000640a000065" + b"12345678".hex()


def test_version_2_without_password_has_eight_zeros() -> None:
    message = encode(replace(V2, auth_type=0, auth_data=b""), PEER, GROUP)
    assert message[16:] == bytes(8)
    assert message[4] == 0
    assert checksum(message) == 0


def test_a_short_password_is_padded_and_a_long_one_cut() -> None:
    assert encode(replace(V2, auth_data=b"abc"), PEER, GROUP)[16:] == b"abc\0\0\0\0\0"
    assert encode(replace(V2, auth_data=b"123456789"), PEER, GROUP)[16:] == b"12345678"


def test_version_3_sums_the_pseudo_header() -> None:
    message = encode(V3, PEER, GROUP)
    assert message.hex()[:12] == "313596010032"
    assert message[8:] == bytes((10, 0, 0, 110))
    pseudo = PEER + GROUP + bytes((0, 112, 0, 12))
    assert checksum(pseudo + message) == 0
    assert checksum(message) != 0


def test_version_3_unicast_is_keepalived_s() -> None:
    advert = Advert(3, 0x1E, 100, SECOND, (bytes((10, 0, 0, 0xE6)),))
    assert encode(advert, PEER, bytes((10, 0, 0, 2))).hex() == "311e640100644b170a0000e6"


def test_ipv6_leaves_the_checksum_to_the_kernel() -> None:
    advert = Advert(3, 0x3D, 150, SECOND, (LINK6, GROUP6))
    assert encode(advert, LINK6, GROUP6).hex() == "313d960200640000" + LINK6.hex() + GROUP6.hex()
    second = replace(advert, version=2)
    assert encode(second, LINK6, GROUP6).hex() == "213d960200010000" + LINK6.hex() + GROUP6.hex()


@pytest.mark.parametrize(
    ("advert", "expected"),
    [
        (V2, EXPECT2),
        (V3, EXPECT3),
        (replace(V3, addresses=()), EXPECT3),
        (replace(V3, advert_interval=4095 * CENTISECOND), EXPECT3),
        (replace(V3, priority=0), EXPECT3),
        (replace(V3, addresses=tuple(bytes((10, 0, 1, last)) for last in range(255))), EXPECT3),
    ],
)
def test_what_was_encoded_is_decoded(advert: Advert, expected: Expected) -> None:
    assert decode(packet(encode(advert, PEER, GROUP)), expected) == advert


def test_ipv6_is_decoded() -> None:
    advert = Advert(3, 0x3D, 150, SECOND, (LINK6, GROUP6))
    expected = Expected(3, 16, multicast=True, advert_interval=SECOND)
    assert decode(packet(encode(advert, LINK6, GROUP6), destination=GROUP6), expected) == advert


def test_ethernet_padding_is_tolerated_where_it_occurs() -> None:
    short = Advert(3, 1, 100, SECOND, ())  # 8 bytes, padded to 26 below a 20-byte header
    message = encode(short, PEER, GROUP)
    assert decode(packet(message + bytes(18), length=8), EXPECT3) == short
    assert refusal(packet(message + bytes(19), length=8), EXPECT3).reason == Reason.LENGTH
    longer = encode(replace(short, addresses=VIPS * 3), PEER, GROUP)
    assert refusal(packet(longer + bytes(1)), EXPECT3).reason == Reason.LENGTH


def test_unicast_may_come_from_afar() -> None:
    message = encode(V3, PEER, GROUP)
    assert decode(packet(message, ttl=3), replace(EXPECT3, multicast=False)) == V3
    assert refusal(packet(message, ttl=254), EXPECT3).reason == Reason.TTL


# --- the ladder: each fault alone, and every pair in its order ---------------------------------------------------


def _edit(at: int, value: int) -> Callable[[bytearray], None]:
    def edit(data: bytearray) -> None:
        data[at] = value

    return edit


def _sum(data: bytearray) -> None:
    data[6] ^= 0x55


FAULTS: dict[Reason, tuple[Callable[[bytearray], None] | None, int, int]] = {
    # reason: (edit of the bytes, ttl, error of the length told by IP)
    Reason.LENGTH: (lambda data: data.extend(bytes(40)), 255, 0),
    Reason.TTL: (None, 64, 0),
    Reason.VERSION: (lambda data: _edit(0, 0x31 | data[0] & 0xF)(data), 255, 0),
    Reason.AUTH_TYPE_UNKNOWN: (_edit(4, 9), 255, 0),
    Reason.AUTH_TYPE: (_edit(4, 0), 255, 0),
    Reason.PASSWORD: (_edit(20, 0), 255, 0),
    Reason.INTERVAL: (_edit(5, 2), 255, 0),
    Reason.TYPE: (lambda data: _edit(0, data[0] & 0xF0 | 2)(data), 255, 0),
    Reason.IP_LENGTH: (None, 255, 1),
    Reason.CHECKSUM: (_sum, 255, 0),
}


def broken(*reasons: Reason) -> Received:
    """A version 2 packet with several faults, its checksum right unless that is one of them."""
    data = bytearray(encode(V2, PEER, GROUP))
    ttl, error = 255, 0
    for reason in reversed(reasons):
        edit, ttl_here, error_here = FAULTS[reason]
        if edit is not None and reason not in {Reason.CHECKSUM, Reason.LENGTH}:
            edit(data)
        ttl, error = min(ttl, ttl_here), error or error_here
    data[6:8] = b"\0\0"
    data[6:8] = checksum(bytes(data)).to_bytes(2, "big")
    length = len(data) + error
    for reason in (Reason.CHECKSUM, Reason.LENGTH):
        edit = FAULTS[reason][0]
        if reason in reasons and edit is not None:
            edit(data)
    return packet(bytes(data), ttl=ttl, length=length)


def test_nothing_broken_is_accepted() -> None:
    assert decode(broken(), EXPECT2) == V2


@pytest.mark.parametrize("reason", FAULTS)
def test_each_fault_has_its_reason(reason: Reason) -> None:
    assert refusal(broken(reason), EXPECT2).reason == reason


def test_the_first_fault_of_the_ladder_is_told() -> None:
    pairs = list(itertools.combinations(FAULTS, 2))
    assert len(pairs) == 45
    exclusive = {Reason.AUTH_TYPE_UNKNOWN, Reason.AUTH_TYPE}  # both edit the same byte
    for first, second in pairs:
        if {first, second} == exclusive:
            continue
        assert refusal(broken(first, second), EXPECT2).reason == first, (first, second)


def test_the_words_are_keepalived_s() -> None:
    assert refusal(broken(Reason.TTL), EXPECT2).detail == "invalid TTL/HL from 10.0.0.1. Received 64 and expect 255"
    assert refusal(broken(Reason.PASSWORD), EXPECT2).detail == "received an invalid passwd from 10.0.0.1!"
    assert refusal(broken(Reason.AUTH_TYPE), EXPECT2).detail == "received a 0 auth from 10.0.0.1, expecting 1!"
    assert refusal(broken(Reason.CHECKSUM), EXPECT2).detail == "Invalid VRRPv2 checksum from 10.0.0.1"
    assert (
        refusal(broken(Reason.INTERVAL), EXPECT2).detail
        == "advertisement interval mismatch with 10.0.0.1 mine=1 sec rcv'd=2 sec"
    )
    assert refusal(broken(Reason.TYPE), EXPECT2).detail == "Invalid packet type from 10.0.0.1. 2 and expect 1"
    assert (
        refusal(broken(Reason.LENGTH), EXPECT2).detail == "vrrp packet from 10.0.0.1 too long, length 84 and expect 44"
    )


def test_a_version_3_packet_trips_over_its_length_first() -> None:
    message = encode(replace(V3, addresses=VIPS), PEER, GROUP)
    error = refusal(packet(message), EXPECT2)
    assert error.reason == Reason.LENGTH
    assert error.detail == "vrrp packet from 10.0.0.1 too short, length 36 and expect 44"


def test_a_length_counts_the_headers_that_come_with_the_message() -> None:
    short = encode(V2, PEER, GROUP)[:-4]
    behind_ah = replace(packet(short), headers=bytes(44))
    error = refusal(behind_ah, replace(EXPECT2, auth_type=AUTH_AH))
    assert error.detail == "vrrp packet from 10.0.0.1 too short, length 64 and expect 68"
    message = encode(replace(V3, addresses=(bytes(16),)), LINK6, GROUP6)
    error = refusal(packet(message[:-4], destination=GROUP6), Expected(3, 16, multicast=True, advert_interval=SECOND))
    assert error.detail == "vrrp packet from fe80::a too short, length 20 and expect 24"


def test_version_3_takes_another_interval() -> None:
    assert decode(packet(encode(V3, PEER, GROUP)), EXPECT3).advert_interval == SECOND // 2


def test_any_bytes_are_an_advert_or_a_reason() -> None:
    chance = random.Random(7)
    reasons = set()
    for _ in range(5000):
        data = bytearray(chance.randbytes(chance.randint(0, 48)))
        if len(data) > 3 and chance.random() < 0.7:
            data[0], data[3] = chance.choice((0x21, 0x31, 0x32)), (len(data) - chance.choice((8, 16))) // 4 & 0xFF
        for expected in (EXPECT2, EXPECT3):
            try:
                decode(packet(bytes(data), ttl=chance.choice((255, 255, 1))), expected)
            except DecodeError as error:
                reasons.add(Reason(error.reason))
    assert {Reason.LENGTH, Reason.TTL, Reason.VERSION, Reason.CHECKSUM, Reason.AUTH_TYPE_UNKNOWN} <= reasons

"""The authentication header: octets that keepalived 2.2.7 sent, and an ICV worked out another way."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pykeepalived.wire import ah

KEY = ah.Key(b"sesame42")
OURS = bytes((10, 77, 0, 1))
IP = struct.Struct("!BBHHHBBH4s4s")

RECORDED = [
    # multicast, and unicast to 10.77.0.2: identification and sequence 1, 2, 3; to 224.0.0.18 with TTL 255
    ("e0000012", 1, 1, "8dcfcc10a8e5c7413cfdc6e8", "214d960102013bff0a4d00640000000000000000"),
    ("e0000012", 2, 2, "4c5376c48e60c659f13a2632", "214d960102013bff0a4d00640000000000000000"),
    ("e0000012", 4, 27, "7ae2d8b143e30b7bba723fd1", "214d00010201d1ff0a4d00640000000000000000"),
    ("0a4d0002", 1, 1, "a227872f730ee53a4509e8eb", "214d960102013bff0a4d00640000000000000000"),
    ("0a4d0002", 3, 3, "86b60fcecf4869924f835250", "214d960102013bff0a4d00640000000000000000"),
]


def datagram(destination: bytes, number: int, sequence: int, message: bytes, *, ttl: int = 255) -> bytearray:
    data = ah.header(OURS, sequence) + message
    head = IP.pack(0x45, 0xC0, 20 + len(data), number, 0, ttl, 51, 0x1234, OURS, destination)
    return bytearray(head + data)


def by_hand(password: bytes, data: bytes, *, multicast: bool) -> bytes:
    """RFC 2402 3.3.3 and RFC 2403, with the standard library's HMAC."""
    version, _, length, number, _, ttl, protocol, _, source, destination = IP.unpack(data[:20])
    head = IP.pack(version, 0, length, number, 0, ttl if multicast else 0, protocol, 0, source, destination)
    covered = head + data[20:32] + bytes(12) + data[44:]
    return hmac.new(password.ljust(8, b"\0"), covered, hashlib.md5).digest()[:12]


@pytest.mark.parametrize(("destination", "number", "sequence", "icv", "message"), RECORDED)
def test_what_keepalived_signed(destination: str, number: int, sequence: int, icv: str, message: str) -> None:
    where = bytes.fromhex(destination)
    ours = datagram(where, number, sequence, bytes.fromhex(message))
    KEY.seal(ours, multicast=where[0] == 224)
    assert ours[32:44].hex() == icv
    assert ours[20:32].hex() == "700400000a4d0001" + struct.pack("!I", sequence).hex()
    proof = ah.read(bytes(ours[:44]))
    assert proof == (OURS, sequence, bytes.fromhex(icv))


@pytest.mark.parametrize("multicast", [True, False])
@pytest.mark.parametrize("password", [b"a", b"sesame42", b"longer than eight"])
def test_what_the_icv_covers(password: bytes, multicast: bool) -> None:
    key = ah.Key(password)
    data = datagram(bytes((10, 77, 0, 2)), 7, 9, bytes(range(20)))
    icv = key.icv(data, multicast=multicast)
    assert icv == by_hand(password[:8], bytes(data), multicast=multicast)
    free = {1, 6, 7, 10, 11, *range(32, 44), *([] if multicast else [8])}
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        assert (key.icv(changed, multicast=multicast) == icv) == (place in free), place


def test_a_header_is_read_only_where_it_is_one() -> None:
    head = ah.header(OURS, 1)
    assert ah.is_ours(head)
    assert not ah.is_ours(head[:-1])
    assert not ah.is_ours(b"\x6e" + head[1:])  # something else behind it
    assert not ah.is_ours(b"\x70\x05" + head[2:])  # a longer ICV
    assert ah.read(bytes(20) + head) == (OURS, 1, bytes(12))
    assert ah.read(bytes(24) + head) is None  # IP options
    assert ah.read(b"") is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_header_or_none(data: bytes) -> None:
    ah.is_ours(data)
    assert (ah.read(data) is None) == (len(data) != 44)

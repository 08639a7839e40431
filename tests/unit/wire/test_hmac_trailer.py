"""The trailer of auth_hmac, made by hand with the standard library, and its numbers."""

import hashlib
import hmac
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pykeepalived.units import SECOND
from pykeepalived.wire import hmac_trailer
from pykeepalived.wire.keyed_hash import KeyedHash, same

SECRET = b"0123456789abcdef0123456789abcdef"
KEY = KeyedHash("sha256", SECRET)
MESSAGE = bytes.fromhex("313596010032" + "4399" + "0a00006e")


def by_hand(secret: bytes, message: bytes, source: str, head: bytes) -> bytes:
    """As the reference tells it: 20 bytes of pseudo block, the PDU without checksum, 12 bytes, 16 zeros."""
    address = ip_address(source)
    block = struct.pack("!BBBB16s", address.version, message[0] >> 4, message[1], 0, address.packed)
    covered = block + message[:6] + bytes(2) + message[8:] + head + bytes(16)
    return hmac.new(secret, covered, hashlib.sha256).digest()[:16]


@pytest.mark.parametrize("source", ["10.0.0.1", "fe80::1"])
@pytest.mark.parametrize("secret", [SECRET, bytes(range(64))])
def test_a_trailer_is_the_reference_s(source: str, secret: bytes) -> None:
    sequence = 1_700_000_000 << 32 | 0x8000 << 16 | 3
    made = hmac_trailer.sign(KeyedHash("sha256", secret), 7, MESSAGE, ip_address(source).packed, sequence)
    head = struct.pack("!BBHIHH", 1, 7, 0, 1_700_000_000, 0x8000, 3)
    assert made == head + by_hand(secret, MESSAGE, source, head)
    assert len(made) == hmac_trailer.LENGTH == 28
    assert hmac_trailer.read(made) == (7, sequence, made[12:], head)


def test_the_checksum_is_not_signed_and_everything_else_is() -> None:
    head = bytes(12)
    source = bytes((10, 0, 0, 1))
    mac = hmac_trailer.mac(KEY, MESSAGE, source, head)
    for place in range(len(MESSAGE)):
        changed = bytearray(MESSAGE)
        changed[place] ^= 0x10  # not the type, which the pseudo block leaves out and the message has
        assert (hmac_trailer.mac(KEY, bytes(changed), source, head) == mac) == (place in (6, 7)), place
    assert hmac_trailer.mac(KEY, MESSAGE, bytes((10, 0, 0, 2)), head) != mac
    assert hmac_trailer.mac(KEY, MESSAGE, source, b"\1" + head[1:]) != mac
    # an IPv4 address is not the IPv6 one with the same bytes
    assert hmac_trailer.mac(KEY, MESSAGE, source + bytes(12), head) != mac


@pytest.mark.parametrize("fault", ["02070000", "01000000", "01070001"])
def test_other_types_no_key_and_a_reserved_byte_are_malformed(fault: str) -> None:
    assert hmac_trailer.read(bytes.fromhex(fault) + bytes(24)) is None
    assert hmac_trailer.read(bytes.fromhex("01070000") + bytes(24)) is not None


def test_numbers_of_instants() -> None:
    assert hmac_trailer.sequence_at(5 * SECOND + SECOND // 2) == 5 << 32 | 0x8000 << 16
    assert hmac_trailer.sequence_at(5 * SECOND) == 5 << 32
    assert hmac_trailer.sequence_at(6 * SECOND - 1) == 5 << 32 | 0xFFFF << 16
    assert hmac_trailer.ahead(5, 3) == 2
    assert hmac_trailer.ahead(1, 2**64 - 1) == 2  # the end is nothing special
    assert hmac_trailer.ahead(2**64 - 1, 1) == -2
    assert hmac_trailer.following(2**64 - 1) == 0
    assert hmac_trailer.seconds_ahead(7 << 32, 5 << 32 | 0xFFFF << 16) == 2
    assert hmac_trailer.seconds_ahead(1 << 32, (2**32 - 1) << 32) == 2


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=28, max_size=28), st.binary(min_size=8, max_size=60))
def test_any_trailer_is_read_or_not(trailer: bytes, message: bytes) -> None:
    said = hmac_trailer.read(trailer)
    if said is not None:
        assert len(hmac_trailer.mac(KEY, message, b"\1" * 4, said.head)) == 16


@given(st.binary(max_size=40), st.binary(max_size=64))
def test_the_keyed_hash_is_hmac(data: bytes, key: bytes) -> None:
    for name in ("md5", "sha256"):
        assert KeyedHash(name, key).of(data) == hmac.digest(key, data, name)


def test_comparing() -> None:
    assert same(b"abc", b"abc")
    assert not same(b"abc", b"abd")

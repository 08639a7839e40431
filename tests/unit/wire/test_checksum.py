"""The Internet checksum against RFC 1071's own example and a plain loop."""

import random

from pykeepalived.wire.checksum import checksum, verifies


def plain(data: bytes) -> int:
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_the_example_of_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2


def test_equals_the_plain_loop() -> None:
    chance = random.Random(1)
    for length in range(64):
        for _ in range(50):
            data = chance.randbytes(length)
            assert checksum(data) == plain(data)


def test_both_zeros() -> None:
    assert checksum(b"") == 0xFFFF
    assert checksum(b"\0\0") == 0xFFFF
    assert checksum(b"\xff\xff") == 0
    assert checksum(b"\xff\xfe\0\1") == 0


def test_verifies_what_carries_its_checksum_and_nothing_else() -> None:
    data = b"\x31\x01\x64\x00\x00\x64"
    whole = data + checksum(data).to_bytes(2, "big")
    assert verifies(whole)
    assert not verifies(whole[:-1] + bytes((whole[-1] ^ 1,)))
    assert not verifies(bytes(8))
